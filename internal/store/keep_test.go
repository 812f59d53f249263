package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// TestKeep: a body of any length becomes a content that holds the same bytes
// and wastes little, and whoever reads the body goes on.
func TestKeep(t *testing.T) {
	for _, length := range lengths {
		for _, expected := range []int{-1, length, 2 * length} {
			for _, early := range []bool{false, true} {
				t.Run(fmt.Sprintf("length=%d,expected=%d,early=%v", length, expected, early), func(t *testing.T) {
					keep(t, pattern(length), expected, early)
				})
			}
		}
	}
}

// keep keeps a body when it is revealed, or early: while it is only sealed.
func keep(t *testing.T, want []byte, expected int, early bool) {
	in := newRoom(64 << 20)
	b := store.NewBody(in, int64(expected))
	r := b.NewReader(0)
	unseen := min(len(want), 10)
	write(t, b, want[:len(want)-unseen], 5000)
	first, _ := r.Next(cancelled()) // held across Keep
	n := 0
	if unseen > 0 {
		into, err := b.Buffer()
		if err != nil {
			t.Fatal(err)
		}
		n = copy(into, want[len(want)-unseen:])
		if n < unseen {
			b.Commit(n)
			into, _ = b.Buffer()
			n = copy(into, want[len(want)-unseen+n:])
		}
	}
	b.Seal(n, nil)
	if !early {
		b.Reveal()
	}
	c, ok := b.Keep(7)
	if !ok {
		t.Fatal("not kept")
	}
	if early {
		b.Reveal()
	}
	again, ok := b.Keep(7)
	equal(t, "kept again, it is the same", again == c && ok, true)
	again.Release()

	rest, err := readAll(r)
	if got := append(bytes.Clone(first), rest...); err != nil || !bytes.Equal(got, want) {
		t.Errorf("who read on had %d bytes, %v", len(got), err)
	}
	r.Close()
	b.Release()
	if used := in.used(); used > int64(len(want)+len(want)/7+128) || used != c.Cost() {
		t.Errorf("%d bytes in use, %d by its own account", used, c.Cost())
	}
	equal(t, "size", c.Size(), int64(len(want)))
	equal(t, "content", bytes.Equal(slices.Concat(chunks(c)...), want), true)
	for range 5 {
		off := rand.IntN(len(want) + 1)
		n := rand.IntN(len(want) - off + 1)
		got := slices.Concat(c.AppendParts(nil, int64(off), int64(n))...)
		equal(t, fmt.Sprintf("parts from %d, %d bytes", off, n), bytes.Equal(got, want[off:off+n]), true)
	}
	late := c.NewReader(0)
	c.Release()
	for _, off := range []int{0, len(want), len(want) / 2, max(len(want)-1, 0)} {
		late.SeekTo(int64(off))
		if got, err := readAll(late); err != nil || !bytes.Equal(got, want[off:]) {
			t.Errorf("from %d: %d bytes, %v", off, len(got), err)
		}
	}
	equal(t, "complete and kept", late.Complete() && late.Kept(), true)
	late.Close()
	late.Close() // once is enough, twice does nothing
	equal(t, "bytes in use at the end", in.used(), 0)
}

func chunks(c store.Content) (list [][]byte) {
	at := c.Cursor()
	for p := at.Next(); p != nil; p = at.Next() {
		list = append(list, p)
	}
	return list
}

func TestKeepOfWhatIsNotWhole(t *testing.T) {
	b := store.NewBody(newRoom(1<<20), -1)
	defer b.Release()
	if _, ok := b.Keep(0); ok {
		t.Error("a filling body is kept")
	}
	b.Window(1)
	b.Complete(nil)
	if _, ok := b.Keep(0); ok {
		t.Error("a body of which a window is left is kept")
	}
}

func TestKeepWithoutRoom(t *testing.T) {
	in := newRoom(4 << 10)
	b := store.NewBody(in, 4000)
	write(t, b, pattern(4000), 4000)
	b.Complete(field.Fields{{Name: "Digest", Value: "x"}})
	if _, ok := b.Keep(0); ok {
		t.Error("kept, and its trailer was lost")
	}
	b.Release()
	empty := store.NewBody(newRoom(0), 0)
	empty.Complete(nil)
	if _, ok := empty.Keep(0); ok {
		t.Error("kept without any room")
	}
	empty.Release()
	equal(t, "bytes in use at the end", in.used(), 0)
}

func TestContentTrailer(t *testing.T) {
	in := newRoom(1 << 20)
	want := field.Fields{{Name: "Digest", Value: "sha"}, {Name: "X-Empty"}, {Name: "Digest", Value: "md5"}}
	b := store.NewBody(in, -1)
	write(t, b, pattern(10), 10)
	b.Complete(want)
	c, _ := b.Keep(0)
	b.Release()
	got := c.Trailer()
	c.Release()
	equal(t, "bytes in use at the end", in.used(), 0)
	equal(t, "trailer", slices.Equal(got, want), true) // it lives on its own
}

// TestBodyOf: a stored content serves those who expect a body.
func TestBodyOf(t *testing.T) {
	in := newRoom(1 << 20)
	want := pattern(70_000)
	filled := written(t, in, want)
	c, _ := filled.Keep(0)
	filled.Release()
	b := store.BodyOf(c)
	c.Release()
	equal(t, "whole", b.Whole() && b.Kept() && b.Begins(), true)
	equal(t, "size", b.Size(), int64(len(want)))
	equal(t, "trailer", len(b.Trailer()), 0)
	same, ok := b.Keep(0)
	equal(t, "its content is the same", ok && same == c, true)
	same.Release()
	r := b.NewReader(1)
	b.Release()
	if got, err := readAll(r); err != nil || !bytes.Equal(got, want[1:]) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r.Close()
	equal(t, "bytes in use at the end", in.used(), 0)
}

// TestWindowLeavesReadersTheirBytes: what a reader was given stays as it is
// while the window moves on, until it asks for more.
func TestWindowLeavesReadersTheirBytes(t *testing.T) {
	in := newRoom(1 << 20)
	b := store.NewBody(in, -1)
	b.Window(100)
	slow, fast := b.NewReader(0), b.NewReader(0)
	want := pattern(1000)
	write(t, b, want, 1000)
	got, err := slow.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 30 { // far beyond it
		write(t, b, pattern(5000), 5000)
		for fast.Pos() < b.Size() {
			if _, err := fast.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	equal(t, "what the slow reader is writing", bytes.Equal(got, want), true)
	before := in.used()
	slow.Close()
	equal(t, "it is freed when that is done", in.used() < before, true)
	fast.Close()
	b.Release()
	equal(t, "bytes in use at the end", in.used(), 0)
}
