package memory

import (
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

var (
	_ store.Store  = (*Store)(nil)
	_ store.Budget = (*Store)(nil)
)

// Store is a store.Store in memory, and the store.Budget of its bodies. It has
// no goroutine of its own and needs no closing.
type Store struct {
	table    *table
	urls     *urls
	queue    queue
	budget   budget
	variants int
	now      func() int64

	objects atomic.Int64
	gone    [store.Removed + 1]atomic.Int64
	refused atomic.Int64
	stored  atomic.Int64
}

// New returns an empty Store.
func New(c Config) *Store {
	c = c.withDefaults()
	return &Store{
		table:    newTable(c.Shards),
		urls:     newURLs(),
		budget:   budget{limit: c.Budget},
		variants: c.MaxVariants,
		now:      c.Now,
	}
}

// Get implements store.Store. It does not allocate, and takes the read lock of
// one shard. m must not call the Store.
func (s *Store) Get(key field.Key, m store.Matcher) *store.Object {
	return s.table.get(key, m)
}

// Put implements store.Store. It refuses an object whose body is not whole, or
// it would be served as if it were, and one that would be the oldest of a key
// that has the most variants; the latter counts as refused.
func (s *Store) Put(o *store.Object) bool {
	if o.Body != nil && !o.Body.Whole() {
		o.Release()
		return false
	}
	if !s.Reserve(o.Cost()) {
		o.Release()
		return false
	}
	e := &entry{object: o}
	s.objects.Add(1)
	s.urls.link(e)
	s.queue.link(e)
	done := s.table.insert(e, s.variants)
	if done.outcome != inserted {
		if done.outcome == tooOld {
			s.refused.Add(1)
		}
		s.forget(e)
		return false
	}
	s.stored.Add(1)
	s.forgetAs(done.replaced, store.Replaced)
	s.forgetAs(done.oldest, store.Evicted)
	return true
}

// Remove implements store.Store.
func (s *Store) Remove(o *store.Object, why store.Gone) { s.drop(o, why) }

// drop removes o if it is still stored.
func (s *Store) drop(o *store.Object, why store.Gone) {
	s.forgetAs(s.table.remove(o), why)
}

// forgetAs cleans up after an entry that has left the table, and counts why.
// nil is nobody.
func (s *Store) forgetAs(e *entry, why store.Gone) {
	if e == nil {
		return
	}
	s.gone[why].Add(1)
	s.forget(e)
}

// forget cleans up after an entry that is not in the table. What readers still
// hold of its body stays in the budget until the last of them leaves.
func (s *Store) forget(e *entry) {
	e.object.Leave()
	s.queue.unlink(e)
	s.urls.unlink(e)
	s.objects.Add(-1)
	s.budget.give(e.object.Cost())
	e.object.Release()
}

// Walk implements store.Store. An object that was removed before its turn is
// not visited.
func (s *Store) Walk(visit func(*store.Object) bool) {
	s.table.walk(func(e *entry) bool {
		more := true
		s.visit(e, func(o *store.Object) { more = visit(o) })
		return more
	})
}

// WalkURL implements store.Store. An object that was removed before its turn is
// not visited.
func (s *Store) WalkURL(tag field.Tag, visit func(*store.Object)) {
	for _, e := range s.urls.list(tag) {
		s.visit(e, visit)
	}
}

// visit calls f with the object of e if that is still stored, and holds a
// reference meanwhile.
func (s *Store) visit(e *entry, f func(*store.Object)) {
	if !s.table.retain(e) {
		return
	}
	defer e.object.Release()
	f(e.object)
}

// NewBody implements store.Store.
func (s *Store) NewBody(size int64) *store.Body { return store.NewBody(s, size) }

// Reserve implements store.Budget. It takes n bytes, evicting objects where it
// must; false: there was no room, which is counted.
func (s *Store) Reserve(n int64) bool {
	if s.makeRoom(n) {
		return true
	}
	s.refused.Add(1)
	return false
}

// Release implements store.Budget.
func (s *Store) Release(n int64) { s.budget.give(n) }

// Stats implements store.Store. Each number is exact; between them others may
// have changed.
func (s *Store) Stats() store.Stats {
	stats := store.Stats{
		Objects: s.objects.Load(),
		Bytes:   s.budget.used.Load(),
		Budget:  s.budget.limit,
		Gone:    make(map[store.Gone]int64, len(s.gone)),
		Refused: s.refused.Load(),
		Stored:  s.stored.Load(),
	}
	for why := range s.gone {
		stats.Gone[store.Gone(why)] = s.gone[why].Load()
	}
	return stats
}
