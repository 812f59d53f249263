package memory

// walkBatch is how many entries a walk gathers under a shard's read lock,
// apart from the rest of a chain: some ten microseconds, which is what a Put to
// that shard, and a look-up behind it, may have to wait.
const walkBatch = 128

// walk calls visit with each entry, holding no lock, until it returns false.
//
// Ranging over a map may be suspended: what is removed meanwhile is not
// reached, what is added may be missed, and everything else comes exactly once.
func (t *table) walk(visit func(*entry) bool) {
	batch := make([]*entry, 0, walkBatch+defaultVariants)
	for i := range t.shards {
		if batch = t.shards[i].walk(batch, visit); batch == nil {
			return
		}
	}
}

// walk returns the emptied batch, nil where visit returned false. Its lock is
// not released by defer: visit is called without it.
func (s *shard) walk(batch []*entry, visit func(*entry) bool) []*entry {
	s.mu.RLock()
	for _, chain := range s.mu.chains {
		for e := chain; e != nil; e = e.next {
			batch = append(batch, e)
		}
		if len(batch) < walkBatch {
			continue
		}
		s.mu.RUnlock()
		if batch = drain(batch, visit); batch == nil {
			return nil
		}
		s.mu.RLock()
	}
	s.mu.RUnlock()
	return drain(batch, visit)
}

// drain visits what is in batch and returns it empty, nil where visit returned
// false.
func drain(batch []*entry, visit func(*entry) bool) []*entry {
	for _, e := range batch {
		if !visit(e) {
			return nil
		}
	}
	clear(batch) // what leaves the store meanwhile must not be kept alive
	return batch[:0]
}
