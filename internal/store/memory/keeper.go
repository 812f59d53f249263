package memory

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/slab"
)

// JudgeOf implements store.Keeper.
func (s *Store) JudgeOf(r *store.Record) store.Judge { return s.judges.at(recordOf(r).judge) }

// ContentOf implements store.Keeper.
func (s *Store) ContentOf(r *store.Record) store.Content {
	return store.ContentAt(s.pool, recordOf(r).Group())
}

// CostOf implements store.Keeper.
func (s *Store) CostOf(r *store.Record) int64 { return int64(s.pool.Size(recordOf(r).self)) }

// Free implements store.Keeper.
func (s *Store) Free(r *store.Record) {
	s.ContentOf(r).Release()
	at := recordOf(r)
	s.judges.drop(at.judge)
	s.pool.Free(at.self)
}

// AppendClasses appends what each size of slot has in use, for those who watch
// the memory; the index comes last.
func (s *Store) AppendClasses(dst []slab.Class) []slab.Class { return s.pool.AppendClasses(dst) }

// growTable gives a shard room for more buckets. Without, its chains only grow
// longer. The room is taken under no lock, so two may do the same.
func (s *Store) growTable(sh *shard) (ok bool) {
	return s.grow(&sh.mu.buckets, &sh.mu)
}

// growURLs is growTable for the index of URLs.
func (s *Store) growURLs(p *urlPart) (ok bool) {
	return s.grow(&p.mu.buckets, &p.mu)
}

func (s *Store) grow(b *buckets, mu sync.Locker) (ok bool) {
	r, ok := s.take(s.pool.AllocPinned)
	if !ok {
		return false
	}
	segment := newSegment(s.pool, r)
	mu.Lock()
	full := b.full()
	if full {
		b.add(segment)
	}
	mu.Unlock()
	if !full {
		s.pool.Free(r)
	}
	return true
}
