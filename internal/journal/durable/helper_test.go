package durable

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// clock is set by hand.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.UnixMilli(1_800_000_000_000)} }

func (c *clock) Now() time.Time { return c.now }

// bytesOf makes a source of random bytes of one of numbers.
type bytesOf struct{ r *rand.Rand }

func (b bytesOf) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.r.Uint32())
	}
	return len(p), nil
}

var _ io.Reader = bytesOf{}

// node is a journal with a record of the steps it was given.
type node struct {
	*Journal
	steps []Step
}

func (n *node) apply(steps []Step) { n.steps = append(n.steps, steps...) }

// bodies returns those of the steps, in order.
func (n *node) bodies() []string {
	var out []string
	for _, s := range n.steps {
		if s.Gap {
			out = append(out, "gap")
		} else if s.Entry.Kind != journal.KindRetire {
			out = append(out, string(s.Entry.Body))
		}
	}
	return out
}

func tryOpen(cfg Config) (*node, error) {
	j, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	n := &node{Journal: j}
	j.Start(n.apply)
	return n, nil
}

func open(t testing.TB, cfg Config) *node {
	t.Helper()
	n, err := tryOpen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) must(t testing.TB, body string) Step {
	t.Helper()
	s, ticket, err := n.Append(draft(body))
	if err == nil {
		err = ticket.Wait(context.Background())
	}
	if err != nil {
		t.Error(err) // not Fatal: some tests call this from goroutines of their own
	}
	return s
}

func draft(body string) journal.Draft {
	return journal.Draft{Kind: journal.KindPurge, Body: []byte(body)}
}

// tokens is an Items for tests: "+id" makes a token and "-id" removes it.
func tokens(e *journal.Entry) []state.Item {
	id, value := strings.TrimPrefix(string(e.Body), "+"), []byte("good")
	i := state.Item{Key: state.Key{Kind: state.KindToken, ID: id}, Time: e.Time, Value: value}
	switch e.Kind {
	case journal.KindTokenCreate:
		return []state.Item{i}
	case journal.KindTokenRevoke:
		i.ID = strings.TrimPrefix(string(e.Body), "-")
		return []state.Item{i.Removal(e.Time)}
	}
	return nil
}

// exchange lets a take from b what it lacks.
func exchange(t testing.TB, a, b *node) {
	t.Helper()
	_, _, err := a.Meet(b.Known())
	if err != nil {
		t.Error(err)
	}
	want := a.Compare(b.Known(), ^journal.BucketSet(0)).Want
	got := b.Supply(journal.Request{Ranges: want})
	_, ticket, err := a.Receive(got.Entries)
	if err == nil {
		err = ticket.Wait(context.Background())
	}
	if err != nil {
		t.Error(err)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func increasing(t testing.TB, steps []Step) {
	t.Helper()
	if !slices.IsSortedFunc(steps, func(a, b Step) int { return int(a.Position) - int(b.Position) }) {
		t.Error("steps are not in the order of their positions")
	}
	for i := 1; i < len(steps); i++ {
		if steps[i].Position == steps[i-1].Position {
			t.Errorf("two steps at position %d", steps[i].Position)
		}
	}
}

func logFiles(t testing.TB, m vfs.FS) []string {
	t.Helper()
	names, err := m.List()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		_, ok := segmentNumber(n)
		return !ok
	})
}
