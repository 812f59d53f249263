package memory

import (
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

var (
	_ store.Store  = (*Store)(nil)
	_ store.Room   = (*Store)(nil)
	_ store.Keeper = (*Store)(nil)
)

// Store is a store.Store in memory, and the store.Room of its bodies. It has no
// goroutine of its own and needs no closing: its memory goes back to the system
// once nobody can reach the Store or an Object of it.
type Store struct {
	pool     *slab.Pool
	table    table
	urls     urls
	queue    queue
	judges   judges
	budget   int64
	variants int
	now      func() int64
	indexed  bool // there was room for the index

	objects atomic.Int64
	gone    [store.Removed + 1]atomic.Int64
	refused atomic.Int64
	stored  atomic.Int64
}

// New returns an empty Store.
func New(c Config) *Store {
	c = c.withDefaults()
	pool := slab.NewPool(slab.Config{Limit: c.Budget, Pinned: segmentBytes, Poison: c.Poison})
	s := &Store{
		pool:     pool,
		table:    table{slots{pool}, make([]shard, c.Shards)},
		urls:     urls{slots{pool}, make([]urlPart, c.Shards)},
		queue:    queue{slots: slots{pool}},
		budget:   c.Budget,
		variants: c.MaxVariants,
		now:      c.Now,
	}
	s.indexed = true
	for i := range c.Shards {
		s.indexed = s.indexed && s.growTable(&s.table.shards[i]) && s.growURLs(&s.urls.parts[i])
	}
	return s
}

// Get implements store.Store. It does not allocate, and takes the read lock of
// one shard. m must not call the Store.
func (s *Store) Get(key field.Key, m store.Matcher) store.Object {
	r := s.table.get(&key, m)
	if r == nil {
		return store.Object{}
	}
	return s.hold(r)
}

// hold returns the Object of a record that the caller retained.
func (s *Store) hold(r *record) store.Object { return store.Hold(s, &r.Record, r.head()) }

func (s *Store) release(r *record) {
	if r.Release() {
		s.Free(&r.Record)
	}
}

// Put implements store.Store. It refuses an object whose body is not whole, or
// it would be served as if it were, and one that would be the oldest of a key
// that has the most variants; the latter counts as refused.
func (s *Store) Put(d store.Draft) store.Object {
	if !s.indexed {
		s.refused.Add(1)
		return store.Object{}
	}
	r := s.draft(d)
	if r == nil {
		return store.Object{}
	}
	r.Retain() // for the store
	r.Retain() // for the caller
	s.objects.Add(1)
	if s.urls.link(r) {
		s.growURLs(s.urls.part(urlHash(r.head().Tag(0))))
	}
	s.queue.link(r)
	done := s.table.insert(r, s.variants)
	if done.full {
		s.growTable(s.table.shard(r.Hash()))
	}
	if done.outcome != inserted {
		if done.outcome != superseded {
			s.refused.Add(1)
		}
		s.forget(r)
		s.release(r)
		return store.Object{}
	}
	s.stored.Add(1)
	s.forgetAs(done.replaced, store.Replaced)
	s.forgetAs(done.oldest, store.Evicted)
	return s.hold(r)
}

// draft lays a record out, which nobody holds yet; nil where it cannot be
// stored.
func (s *Store) draft(d store.Draft) *record {
	hash := hashOf(&d.Key)
	var content store.Content
	var group slab.Ref
	if d.Body != nil {
		var ok bool
		if content, ok = d.Body.Keep(hash); !ok {
			return nil
		}
		if content.Pool() != s.pool {
			panic("memory: a body of another store")
		}
		group = content.Ref()
	}
	ref, ok := s.Take(recordBytes + d.Head.Size())
	if !ok {
		content.Release()
		return nil
	}
	judge, ok := s.judges.add(d.Judge)
	if !ok {
		s.refused.Add(1)
		s.pool.Free(ref)
		content.Release()
		return nil
	}
	r := s.queue.at(ref)
	r.Record.Init(d.Key, d.Head.Stamp())
	r.self, r.judge = ref, judge
	r.flags.Store(0)
	copy(s.pool.Bytes(ref)[recordBytes:], d.Head.Bytes())
	s.pool.Settle(ref, group, hash)
	return r
}

// Remove implements store.Store.
func (s *Store) Remove(o store.Object, why store.Gone) { s.drop(recordOf(o.Record()), why) }

// drop removes r, which the caller holds, if it is still stored.
func (s *Store) drop(r *record, why store.Gone) {
	if s.table.remove(r) {
		s.forgetAs(r, why)
	}
}

// forgetAs cleans up after a record that has left the table, and counts why.
// nil is nobody.
func (s *Store) forgetAs(r *record, why store.Gone) {
	if r == nil {
		return
	}
	s.gone[why].Add(1)
	s.forget(r)
}

// forget cleans up after a record that is not in the table. What others still
// hold of it stays in the budget until the last of them leaves.
func (s *Store) forget(r *record) {
	r.Leave()
	s.queue.unlink(r)
	s.urls.unlink(r)
	s.objects.Add(-1)
	s.release(r)
}

// Walk implements store.Store. An object that was removed before its turn is
// not visited.
func (s *Store) Walk(visit func(store.Object) bool) {
	s.table.walk(func(r *record) bool {
		defer s.release(r)
		return visit(s.hold(r))
	})
}

// WalkURL implements store.Store. An object that was removed before its turn is
// not visited.
func (s *Store) WalkURL(tag field.Tag, visit func(store.Object)) {
	for _, r := range s.urls.list(tag) {
		if r.is(flagStored) {
			visit(s.hold(r))
		}
		s.release(r)
	}
}

// NewBody implements store.Store.
func (s *Store) NewBody(size int64) *store.Body { return store.NewBody(s, size) }

// Stats implements store.Store. Each number is exact; between them others may
// have changed.
func (s *Store) Stats() store.Stats {
	memory := s.pool.Stats()
	stats := store.Stats{
		Objects: s.objects.Load(),
		Bytes:   memory.Used,
		Index:   memory.Pinned,
		Slabs:   memory.Mapped,
		Budget:  s.budget,
		Gone:    make(map[store.Gone]int64, len(s.gone)),
		Refused: s.refused.Load(),
		Stored:  s.stored.Load(),
	}
	for why := range s.gone {
		stats.Gone[store.Gone(why)] = s.gone[why].Load()
	}
	return stats
}
