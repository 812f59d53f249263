package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// lengths are those at which chunks begin and end.
var lengths = []int{0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_000}

// TestBodyManyReaders: everybody gets every byte, whoever is quick, slow or
// late, and whether or not the length was known.
func TestBodyManyReaders(t *testing.T) {
	for _, length := range lengths {
		for _, expected := range []int{-1, length, length / 2, length + 10} {
			t.Run(fmt.Sprintf("length=%d,expected=%d", length, expected), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { manyReaders(t, pattern(length), expected) })
			})
		}
	}
}

func manyReaders(t *testing.T, want []byte, expected int) {
	room := newRoom(1 << 20)
	b := store.NewBody(room, int64(expected))
	gate := make(chan struct{}) // slow readers wait here before they go on
	var readers sync.WaitGroup
	follow := func(off int, slow bool) {
		r := b.NewReader(int64(off))
		readers.Go(func() {
			defer r.Close()
			if slow {
				<-gate
			}
			got, err := readAll(r)
			if err != nil || !bytes.Equal(got, want[off:]) {
				t.Errorf("reader from %d (slow: %v): %d bytes, error %v", off, slow, len(got), err)
			}
			if r.Pos() != int64(len(want)) {
				t.Errorf("reader from %d ended at %d", off, r.Pos())
			}
		})
	}
	half := len(want) / 2
	follow(0, false)
	follow(half, false)
	follow(len(want), true)
	write(t, b, want[:half], 1000)
	synctest.Wait()
	follow(0, true)
	follow(0, false)
	write(t, b, want[half:], 7777)
	synctest.Wait()
	b.Complete(nil)
	follow(0, false)
	follow(half, true)
	close(gate)
	readers.Wait()
	equal(t, "size", b.Size(), int64(len(want)))
	b.Release()
	equal(t, "bytes in use at the end", room.used(), 0)
}

func TestBodyNextWaitsForCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := store.NewBody(newRoom(1<<20), -1)
		r := b.NewReader(0)
		var got []byte
		var err error
		next := func() {
			go func() { got, err = r.Next(t.Context()) }()
			synctest.Wait()
		}
		next()
		if got != nil || err != nil {
			t.Fatalf("Next returned %q, %v before there was anything", got, err)
		}
		write(t, b, []byte("abc"), 3)
		synctest.Wait()
		equal(t, "first bytes", string(got), "abc")
		next()
		into, _ := b.Buffer()
		copy(into, "secret")
		synctest.Wait()
		equal(t, "uncommitted bytes are not seen", string(got), "abc")
		b.Complete(nil)
		synctest.Wait()
		if !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v, want io.EOF", err)
		}
		r.Close()
		b.Release()
	})
}

func TestBodyNextEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := store.NewBody(newRoom(0), -1)
		defer b.Release()
		r := b.NewReader(0)
		defer r.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("client left")
		var err error
		go func() { _, err = r.Next(ctx) }()
		synctest.Wait()
		cancel(why)
		synctest.Wait()
		if !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
	})
}

func TestBodyFail(t *testing.T) {
	b := store.NewBody(newRoom(1<<20), 100)
	why := errors.New("origin reset")
	early := b.NewReader(0)
	write(t, b, []byte("abc"), 3)
	b.Fail(why)
	late := b.NewReader(1)
	for r, want := range map[*store.Reader]string{early: "abc", late: "bc"} {
		got, err := readAll(r)
		if string(got) != want || !errors.Is(err, why) {
			t.Errorf("got %q, %v; want %q, %v", got, err, want, why)
		}
		r.Close()
	}
	b.Release()
}

// cancelled returns a context with which Next does not wait.
func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestBodyWhole(t *testing.T) {
	for name, c := range map[string]struct {
		end         func(*store.Body)
		whole, kept bool
	}{
		"filling":          {func(*store.Body) {}, false, true},
		"complete":         {func(b *store.Body) { b.Complete(nil) }, true, true},
		"failed":           {func(b *store.Body) { b.Fail(io.ErrUnexpectedEOF) }, false, true},
		"window":           {func(b *store.Body) { b.Window(1) }, false, false},
		"window, complete": {func(b *store.Body) { b.Window(1); b.Complete(nil) }, false, false},
	} {
		b := store.NewBody(newRoom(1<<20), -1)
		r := b.NewReader(0)
		c.end(b)
		equal(t, name+": whole", b.Whole(), c.whole)
		equal(t, name+": kept", b.Kept(), c.kept)
		equal(t, name+": complete, says a reader", r.Complete(), strings.Contains(name, "complete"))
		r.Close()
		b.Release()
	}
}

func TestBodyTrailer(t *testing.T) {
	b := store.NewBody(newRoom(0), 0)
	defer b.Release()
	if got := b.Trailer(); got != nil {
		t.Errorf("trailer %v of a filling body", got)
	}
	b.Complete(field.Fields{{Name: "Digest", Value: "x"}})
	if v, ok := b.Trailer().Get("digest"); v != "x" || !ok {
		t.Errorf("trailer %v", b.Trailer())
	}
}

// TestBodyIdle: the fetch learns when the last reader of a filling body left,
// and only then.
func TestBodyIdle(t *testing.T) {
	idle := 0
	filling := func() *store.Body {
		b := store.NewBody(newRoom(1<<20), -1)
		b.OnIdle(func() { idle++ })
		return b
	}
	b := filling()
	one, two := b.NewReader(0), b.NewReader(0)
	equal(t, "readers", b.Readers(), 2)
	one.Close()
	one.Close() // once is enough, twice does nothing
	equal(t, "idle calls while one reads", idle, 0)
	two.Close()
	equal(t, "idle calls after the last", idle, 1)
	b.NewReader(0).Close()
	equal(t, "idle calls after another", idle, 2)
	b.Complete(nil)
	b.NewReader(0).Close()
	b.Release()

	for _, end := range []func(*store.Body){
		func(b *store.Body) { b.Complete(nil) },
		func(b *store.Body) { b.Fail(io.ErrUnexpectedEOF) },
	} {
		b := filling()
		r := b.NewReader(0)
		end(b)
		r.Close()
		b.Release()
	}
	equal(t, "idle calls in all", idle, 2)
}

func TestBodyReferences(t *testing.T) {
	room := newRoom(1 << 20)
	b := written(t, room, pattern(1000))
	r := b.NewReader(0)
	b.Release() // evicted, while it is being read
	equal(t, "bytes are in use while it is read", room.used() >= 1000, true)
	if got, err := readAll(r); err != nil || !bytes.Equal(got, pattern(1000)) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r.Close()
	equal(t, "bytes in use at the end", room.used(), 0)
	defer func() {
		if recover() == nil {
			t.Error("released once more than it was retained, and nobody noticed")
		}
	}()
	b.Release()
}

func TestReaderSeek(t *testing.T) {
	want := pattern(200_000)
	b := store.NewBody(newRoom(1<<20), -1)
	defer b.Release()
	write(t, b, want[:100_000], 30_000)
	r := b.NewReader(0)
	defer r.Close()
	for _, off := range []int64{99_999, 0, 70_000, 4096} {
		r.SeekTo(off)
		p, err := r.Next(t.Context())
		if err != nil || !bytes.HasPrefix(want[off:], p) || len(p) == 0 {
			t.Errorf("filling, from %d: %d bytes, %v", off, len(p), err)
		}
	}
	write(t, b, want[100_000:], 30_000)
	b.Complete(nil)
	for _, off := range []int64{199_999, 0, 200_000, 123_456} {
		r.SeekTo(off)
		if got, err := readAll(r); err != nil || !bytes.Equal(got, want[off:]) {
			t.Errorf("complete, from %d: %d bytes, %v", off, len(got), err)
		}
	}
}
