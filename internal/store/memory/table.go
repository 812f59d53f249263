package memory

import (
	"sync"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// table finds records by cache key. A bucket leads to a chain that holds the
// variants of a key newest first: by stamp, and among equal stamps by when they
// were put in. Others that share the bucket may stand between them.
type table struct {
	slots
	shards []shard
}

type shard struct {
	mu struct {
		sync.RWMutex
		buckets
	}
	_ [64 - unsafe.Sizeof(struct {
		sync.RWMutex
		buckets
	}{})%64]byte // to a cache line of its own: neighbours do not slow each other
}

func (t *table) shard(hash uint64) *shard { return &t.shards[hash&uint64(len(t.shards)-1)] }

// get returns the newest object that matches, retained, nil for none. The
// matcher runs under the shard's read lock: it only compares a few strings of an
// immutable Head, which is cheaper than to copy the chain and lock again, and it
// stops no other look-up.
func (t *table) get(key *field.Key, m store.Matcher) *record {
	hash := hashOf(key)
	s := t.shard(hash)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.mu.n == 0 {
		return nil
	}
	for r := t.at(*s.mu.of(hash)); r != nil; r = t.at(r.next) {
		if !r.Is(key) || !m.MatchVariant(r.head()) {
			continue
		}
		if !r.is(flagVisited) { // most often it is set: do not make its cache line travel
			r.flags.Or(flagVisited)
		}
		r.Retain()
		return r
	}
	return nil
}

// remove takes a record out and tells whether it was in.
func (t *table) remove(r *record) bool {
	out := t.removeFirst(r.Hash(), func(at *record) bool { return at == r })
	return out != nil
}

// removeTenant takes out a record that is in a slot or whose content is the
// slot's group, and returns it, nil where there is none.
func (t *table) removeTenant(x slab.Tenant) *record {
	return t.removeFirst(x.Hash, func(at *record) bool {
		return at.self == x.Slot || x.Group != 0 && at.Group() == x.Group
	})
}

func (t *table) removeFirst(hash uint64, is func(*record) bool) *record {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.n == 0 {
		return nil
	}
	for link := s.mu.of(hash); *link != 0; link = &t.at(*link).next {
		if r := t.at(*link); is(r) {
			s.cutLocked(link, r)
			return r
		}
	}
	return nil
}

// linkLocked puts r where link leads.
func (s *shard) linkLocked(link *slab.Ref, r *record) {
	r.next, *link = *link, r.self
	r.flags.Or(flagStored)
	s.mu.entries++
}

// cutLocked takes out r, to which link leads.
func (s *shard) cutLocked(link *slab.Ref, r *record) {
	*link, r.next = r.next, 0
	r.flags.And(^uint32(flagStored))
	s.mu.entries--
}

// tableBuckets is how many buckets there are to a record: with two, few chains
// hold more than one, and each record passed by is memory to wait for.
const tableBuckets = 2

// growLocked adds as many buckets as one record more makes due, as far as there
// is room. It tells whether there should be more room.
func (t *table) growLocked(s *shard) (full bool) {
	for range tableBuckets {
		if s.mu.crowded(tableBuckets) && !s.mu.full() {
			t.splitLocked(s)
		}
	}
	return s.mu.crowded(tableBuckets) && s.mu.full()
}

// splitLocked adds a bucket.
func (t *table) splitLocked(s *shard) {
	old, added := s.mu.grow()
	chain := *s.mu.at(old)
	stay, move := s.mu.at(old), s.mu.at(added)
	for r := t.at(chain); r != nil; r = t.at(r.next) { // in their order
		if s.mu.index(r.Hash()) == added {
			*move, move = r.self, &r.next
		} else {
			*stay, stay = r.self, &r.next
		}
	}
	*stay, *move = 0, 0
}
