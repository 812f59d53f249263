package demo

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRowsShowWhatIsDifferent(t *testing.T) {
	var out strings.Builder
	table := table{out: &out}
	fine := []cell{{"HIT v1", "HIT v1", 400 * time.Microsecond}, {"MISS v1", "MISS v1", 41 * time.Millisecond}, {"down", "down", -1}}
	if err := table.row("GET /", fine); err != nil {
		t.Error(err)
	}
	wrong := []cell{{"MISS v2", "MISS v2", time.Millisecond}, {"MISS v2", "HIT v1", time.Millisecond}}
	if err := table.row("GET /products/1", wrong); !errors.Is(err, errDifferent) || !strings.Contains(err.Error(), "GET /products/1") {
		t.Errorf("a different answer: %v", err)
	}
	want := `ok  GET /                                     HIT v1    0.4 ms    MISS v1    41 ms    down
NO  GET /products/1                           MISS v2   1.0 ms    HIT v1    1.0 ms
    expected                                  MISS v2             MISS v2
`
	if out.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", out.String(), want)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestOutputThatFailsEndsTheStory(t *testing.T) {
	table := table{out: brokenWriter{}}
	if err := table.row("GET /", []cell{{"a", "a", -1}}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var said tail
	for range 100 {
		if _, err := said.Write([]byte(strings.Repeat("x", 1000))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := said.Write([]byte("the reason")); err != nil {
		t.Fatal(err)
	}
	if got := said.String(); len(got) != tailBytes || !strings.HasSuffix(got, "the reason") {
		t.Errorf("%d bytes, which end in %q", len(got), got[max(0, len(got)-20):])
	}
}
