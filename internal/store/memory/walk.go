package memory

import "github.com/rescind-edge/rescind/internal/store/slab"

// walkBatch is how many records a walk notes under a shard's read lock, apart
// from the rest of a bucket: some ten microseconds, which is what a Put to that
// shard, and a look-up behind it, may have to wait.
const walkBatch = 128

// seen is a record that a walk noted. It is not retained: whoever walks slowly
// must not keep the bytes of many objects from those who need room.
type seen struct {
	ref  slab.Ref
	hash uint64
}

// walk calls visit with each record, retained, which visit releases, holding no
// lock, until it returns false. What was removed before its turn is not visited.
//
// It goes by the buckets that there are when it comes to a shard. Those that
// are added meanwhile split one of them, and are visited together with it: so
// what is stored throughout comes exactly once.
func (t *table) walk(visit func(*record) bool) {
	batch := make([]seen, 0, walkBatch+defaultVariants)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n := s.mu.n
		s.mu.RUnlock()
		for at := uint32(0); at < n; {
			batch, at = t.gather(s, batch[:0], at, n)
			for _, x := range batch {
				if r := t.retain(s, x); r != nil && !visit(r) {
					return
				}
			}
		}
	}
}

// gather appends the records of buckets from at on of n that there were, until
// the batch is large, and returns where it stopped.
func (t *table) gather(s *shard, batch []seen, at, n uint32) ([]seen, uint32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for ; at < n && len(batch) < walkBatch; at++ {
		for i, apart := at, step(at, n); i < s.mu.n; i += apart {
			for r := t.at(*s.mu.at(i)); r != nil; r = t.at(r.next) {
				batch = append(batch, seen{r.self, r.Hash()})
			}
		}
	}
	return batch, at
}

// retain returns a record that was noted, nil where it is not stored any more.
// Where another of the same hash took its slot it is that.
func (t *table) retain(s *shard, x seen) *record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for r := t.at(*s.mu.of(x.hash)); r != nil; r = t.at(r.next) {
		if r.self == x.ref {
			r.Retain()
			return r
		}
	}
	return nil
}
