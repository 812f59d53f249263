package store_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// room is a store.Room that evicts nothing.
type room struct{ pool *slab.Pool }

// newRoom returns a room for limit bytes, unused ones between slots included.
func newRoom(limit int64) *room {
	return &room{slab.NewPool(slab.Config{Limit: limit, Poison: true})}
}

func (r *room) Take(n int) (slab.Ref, bool) { return r.pool.Alloc(n) }
func (r *room) Pool() *slab.Pool            { return r.pool }
func (r *room) used() int64                 { return r.pool.Stats().Used }

// loose is a store.Keeper of one object, which is in no store.
type loose struct {
	record  store.Record
	content store.Content
	judge   store.Judge
	freed   int
}

// newLoose returns an object with a reference. It takes over one to content.
func newLoose(spec store.HeadSpec, content store.Content) (*loose, store.Object) {
	k := &loose{content: content}
	k.record.Init(field.Key{}, spec.Stamp)
	k.record.Retain()
	return k, store.Hold(k, &k.record, store.NewHead(spec))
}

func (k *loose) JudgeOf(*store.Record) store.Judge     { return k.judge }
func (k *loose) ContentOf(*store.Record) store.Content { return k.content }
func (k *loose) CostOf(*store.Record) int64            { return 100 }
func (k *loose) Free(*store.Record)                    { k.content.Release(); k.freed++ }

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
func written(t testing.TB, in store.Room, p []byte) *store.Body {
	t.Helper()
	b := store.NewBody(in, int64(len(p)))
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
