package memory

import (
	"encoding/binary"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// table finds entries by cache key. Each key leads to the chain of its
// variants, newest first: by stamp, and among equal stamps by when they were
// put in.
//
// Keys are keyed 128-bit hashes, so they spread by themselves and their first
// bytes choose the shard; the whole key is compared.
type table struct {
	shards []shard
}

type shard struct {
	mu struct {
		sync.RWMutex
		chains map[field.Key]*entry
	}
	_ [32]byte // to a cache line of 64 bytes: neighbours do not slow each other
}

func newTable(shards int) *table {
	t := &table{shards: make([]shard, shards)}
	for i := range t.shards {
		t.shards[i].mu.chains = make(map[field.Key]*entry)
	}
	return t
}

func (t *table) shard(key field.Key) *shard {
	return &t.shards[binary.LittleEndian.Uint64(key[:8])&uint64(len(t.shards)-1)]
}

// get returns the newest object that matches, retained. The matcher runs under
// the shard's read lock: it only compares a few strings of an immutable Head,
// which is cheaper than to copy the chain and lock again, and it stops no other
// look-up.
func (t *table) get(key field.Key, m store.Matcher) *store.Object {
	s := t.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for e := s.mu.chains[key]; e != nil; e = e.next {
		if !m.MatchVariant(e.object.Head) {
			continue
		}
		if !e.visited.Load() { // most often it is set: do not make its cache line travel
			e.visited.Store(true)
		}
		e.object.Retain()
		return e.object
	}
	return nil
}

// remove takes out the entry of o and returns it, nil where o is not stored.
func (t *table) remove(o *store.Object) *entry {
	s := t.shard(o.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	var before *entry
	for e := s.mu.chains[o.Key]; e != nil; before, e = e, e.next {
		if e.object == o {
			s.cutLocked(o.Key, before, e)
			return e
		}
	}
	return nil
}

// retain adds a reference to the object of e if it is still stored.
func (t *table) retain(e *entry) bool {
	s := t.shard(e.object.Key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !e.stored {
		return false
	}
	e.object.Retain()
	return true
}
