package vfs

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// both runs a test on each file system.
func both(t *testing.T, test func(*testing.T, FS)) {
	t.Run("os", func(t *testing.T) {
		d, err := OS(filepath.Join(t.TempDir(), "new", "data"))
		if err != nil {
			t.Fatal(err)
		}
		test(t, d)
	})
	t.Run("memory", func(t *testing.T) { test(t, NewMemory()) })
}

func write(t *testing.T, f File, err error, text string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte(text))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	both(t, func(t *testing.T, d FS) {
		f, err := d.Create("a")
		write(t, f, err, "one")
		f, err = d.Append("a")
		write(t, f, err, "two")
		f, err = d.Create("b")
		write(t, f, err, "old")
		f, err = d.Create("b")
		write(t, f, err, "new")
		if err := errors.Join(d.Rename("a", "c"), d.Sync()); err != nil {
			t.Fatal(err)
		}
		if data, err := d.ReadFile("c", 6); err != nil || string(data) != "onetwo" {
			t.Errorf("%q, %v", data, err)
		}
		if data, err := d.ReadFile("b", 6); err != nil || string(data) != "new" {
			t.Errorf("%q, %v", data, err)
		}
		if _, err := d.ReadFile("c", 5); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v", err)
		}
		if names, err := d.List(); err != nil || !slices.Equal(names, []string{"b", "c"}) {
			t.Errorf("%v, %v", names, err)
		}
		if err := d.Remove("b"); err != nil {
			t.Error(err)
		}
		_, rerr := d.ReadFile("b", 1)
		_, aerr := d.Append("b")
		for _, err := range []error{rerr, aerr, d.Remove("b"), d.Rename("b", "x")} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestLock(t *testing.T) {
	both(t, func(t *testing.T, d FS) {
		l, err := d.Lock("lock", "the first")
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Lock("lock", "the second")
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Owner != "the first" || !strings.Contains(err.Error(), d.Path("lock")) {
			t.Errorf("%v", err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l, err = d.Lock("lock", "the second"); err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	})
}

func TestNobodyElseMayRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d, err := OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Create("a")
	write(t, f, err, "secret")
	for _, name := range []string{dir, filepath.Join(dir, "a")} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestACrashKeepsWhatWasSyncedAndNoMore(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	lost, names := false, false
	for range 100 {
		m := NewMemory()
		f, err := m.Create("a")
		write(t, f, err, "synced")
		if err := m.Sync(); err != nil {
			t.Fatal(err)
		}
		f, _ = m.Append("a")
		if _, err := f.Write([]byte("loose")); err != nil {
			t.Fatal(err)
		}
		g, err := m.Create("b")
		write(t, g, err, "x")
		m.Crash(r)
		data, err := m.ReadFile("a", 100)
		if err != nil || !strings.HasPrefix(string(data), "synced") {
			t.Fatalf("%q, %v", data, err)
		}
		lost = lost || string(data) != "syncedloose"
		_, err = m.ReadFile("b", 100)
		names = names || err != nil
		if _, err := f.Write(nil); !errors.Is(err, fs.ErrClosed) {
			t.Fatal("a file of before the crash can be written")
		}
	}
	if !lost || !names {
		t.Error("nothing is ever lost")
	}
}
