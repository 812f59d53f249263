package store_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/store"
)

// TestWindowAfterNoRoom: a body that outgrows the budget is streamed on.
func TestWindowAfterNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 128 << 10
		room := newRoom(200_000)
		want := pattern(2 << 20)
		b := store.NewBody(room, int64(len(want)))
		r := b.NewReader(0)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if got, err := readAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes, %v", len(got), err)
			}
			r.Close()
		}()
		for rest := want; len(rest) > 0; {
			if err := b.WaitReader(t.Context()); err != nil {
				t.Fatalf("WaitReader: %v", err)
			}
			into, err := b.Buffer()
			if errors.Is(err, store.ErrNoRoom) {
				equal(t, "kept before", b.Kept(), true)
				b.Window(window)
				equal(t, "kept under a window", b.Kept(), false)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			n := copy(into, rest)
			b.Commit(n)
			rest = rest[n:]
			synctest.Wait() // the reader has had it
		}
		b.Complete(nil)
		<-done
		b.Release()
		equal(t, "bytes in use at the end", room.used(), 0)
	})
}

// TestWindowWithoutBudget: a window goes on where the budget has nothing at all.
func TestWindowWithoutBudget(t *testing.T) {
	room := newRoom(0)
	b := store.NewBody(room, -1)
	if _, err := b.Buffer(); !errors.Is(err, store.ErrNoRoom) {
		t.Fatalf("got %v, want ErrNoRoom", err)
	}
	b.Window(64 << 10)
	r := b.NewReader(0)
	for range 50 {
		write(t, b, pattern(10_000), 10_000)
		for r.Pos() < b.Size() {
			if _, err := r.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Close()
	b.Release()
	equal(t, "bytes in use at the end", room.used(), 0)
}

// TestWindowFollowsFastest: the writer waits for the fastest reader and for no
// other; who is slower than that by more than the window falls behind.
func TestWindowFollowsFastest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const window = 64 << 10
		b := store.NewBody(newRoom(1<<20), -1)
		b.Window(window)
		fast, slow := b.NewReader(0), b.NewReader(0)
		for b.Size() < 512<<10 {
			write(t, b, pattern(window), window)
			waited := make(chan error, 1)
			go func() { waited <- b.WaitReader(t.Context()) }()
			synctest.Wait()
			select {
			case err := <-waited:
				t.Fatalf("a whole window ahead of all readers, WaitReader returned %v", err)
			default:
			}
			for fast.Pos() < b.Size() {
				if _, err := fast.Next(t.Context()); err != nil {
					t.Fatalf("the fastest reader at %d of %d: %v", fast.Pos(), b.Size(), err)
				}
			}
			if err := <-waited; err != nil {
				t.Fatal(err)
			}
		}
		if _, err := slow.Next(t.Context()); !errors.Is(err, store.ErrFellBehind) {
			t.Errorf("the slow reader got %v, want ErrFellBehind", err)
		}
		late := b.NewReader(0)
		if _, err := late.Next(t.Context()); !errors.Is(err, store.ErrFellBehind) {
			t.Errorf("a late reader got %v, want ErrFellBehind", err)
		}
		late.Close()
		slow.Close()
		fast.Close()
		b.Release()
	})
}

func TestWaitReaderEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := store.NewBody(newRoom(1<<20), -1)
		defer b.Release()
		if err := b.WaitReader(t.Context()); err != nil {
			t.Errorf("without a window: %v", err)
		}
		b.Window(1)
		if err := b.WaitReader(t.Context()); !errors.Is(err, store.ErrAbandoned) {
			t.Errorf("without a reader: %v, want ErrAbandoned", err)
		}
		r := b.NewReader(0)
		write(t, b, pattern(10), 10)
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("shutting down")
		var err error
		wait := func() { go func() { err = b.WaitReader(ctx) }(); synctest.Wait() }
		wait()
		cancel(why)
		synctest.Wait()
		if !errors.Is(err, why) {
			t.Errorf("got %v, want %v", err, why)
		}
		ctx = t.Context()
		wait()
		r.Close()
		synctest.Wait()
		if !errors.Is(err, store.ErrAbandoned) {
			t.Errorf("after the last reader left: %v, want ErrAbandoned", err)
		}
	})
}

// TestWindowKeepsFastest: however the sizes fall, a writer that waits never
// leaves the only reader behind.
func TestWindowKeepsFastest(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			room := newRoom(1 << 30)
			b := store.NewBody(room, -1)
			b.Window(1 + rnd.Int64N(200_000))
			r := b.NewReader(0)
			paced := make(chan struct{})
			go func() {
				defer close(paced)
				for b.Size() < 1<<20 {
					if err := b.WaitReader(t.Context()); err != nil {
						t.Errorf("WaitReader: %v", err)
						return
					}
					into, err := b.Buffer()
					if err != nil {
						t.Errorf("Buffer: %v", err)
						return
					}
					b.Commit(1 + rnd.IntN(len(into)))
				}
				b.Complete(nil)
			}()
			for {
				synctest.Wait() // let the writer come as far as it may
				if _, err := r.Next(t.Context()); err != nil {
					if errors.Is(err, store.ErrFellBehind) {
						t.Errorf("the only reader fell behind at %d of %d", r.Pos(), b.Size())
					}
					break
				}
			}
			r.Close()
			<-paced
			b.Release()
			equal(t, "bytes in use at the end", room.used(), 0)
		})
		if t.Failed() {
			return
		}
	}
}
