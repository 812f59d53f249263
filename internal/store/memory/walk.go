package memory

// walkBatch is how many records a walk gathers under a shard's read lock, apart
// from the rest of a bucket: some ten microseconds, which is what a Put to that
// shard, and a look-up behind it, may have to wait.
const walkBatch = 128

// walk calls visit with all records in batches, retained, which visit releases,
// holding no lock, until it returns false.
//
// It goes by the buckets that there are when it comes to a shard. Those that
// are added meanwhile split one of them, and are visited together with it: so
// what is stored throughout comes exactly once.
func (t *table) walk(visit func([]*record) bool) {
	batch := make([]*record, 0, walkBatch+defaultVariants)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n := s.mu.n
		s.mu.RUnlock()
		for at := uint32(0); at < n; {
			batch, at = t.gather(s, batch[:0], at, n)
			if !visit(batch) {
				return
			}
		}
	}
}

// gather appends the records, retained, of buckets from at on of n that there
// were, until the batch is large, and returns where it stopped.
func (t *table) gather(s *shard, batch []*record, at, n uint32) ([]*record, uint32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for ; at < n && len(batch) < walkBatch; at++ {
		for i, apart := at, step(at, n); i < s.mu.n; i += apart {
			for r := t.at(*s.mu.at(i)); r != nil; r = t.at(r.next) {
				r.Retain()
				batch = append(batch, r)
			}
		}
	}
	return batch, at
}
