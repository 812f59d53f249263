package page

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteKeepsWhatPeopleWrote(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.md")
	if err := Write(file, "x", "one"); err != nil {
		t.Fatal(err)
	}
	made, _ := os.ReadFile(file)
	if err := os.WriteFile(file, []byte("# Title\n\n"+string(made)+"\nThe end.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(file, "x", "two"); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(file)
	want := "# Title\n\n<!-- made by make x: do not edit below -->\n\ntwo\n<!-- end of what is made -->\n\nThe end.\n"
	if string(got) != want {
		t.Errorf("%q", got)
	}
	if err := Write(file, "y", "three"); !errors.Is(err, ErrNoMarks) {
		t.Errorf("%v", err)
	}
}
