package store_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/store"
)

// budget is a store.Budget that evicts nothing.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) Reserve(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) Release(n int64) {
	if b.used.Add(-n) < 0 {
		panic("more released than reserved")
	}
}

// pattern returns n bytes of which no two stretches look alike soon.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// write commits all of p in pieces of at most step bytes.
func write(t testing.TB, b *store.Body, p []byte, step int) {
	t.Helper()
	for len(p) > 0 {
		room, err := b.Buffer()
		if err != nil {
			t.Fatalf("Buffer: %v", err)
		}
		n := copy(room[:min(len(room), step)], p)
		b.Commit(n)
		p = p[n:]
	}
}

// written returns a complete body of p.
func written(t testing.TB, budget store.Budget, p []byte) *store.Body {
	t.Helper()
	b := store.NewBody(budget, int64(len(p)))
	write(t, b, p, len(p))
	b.Complete(nil)
	return b
}

// readAll reads on until an error, which is nil for io.EOF.
func readAll(r *store.Reader) ([]byte, error) {
	var all []byte
	for {
		p, err := r.Next(context.Background())
		all = append(all, p...)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}
