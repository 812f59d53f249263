package purge

import (
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
)

// table maps tags to marks. One goroutine at a time writes, under the engine's
// lock; any number read without one. It is split into shards so that growing
// copies a small part and the cost of a purge does not show the number of
// marks that stand.
type table struct {
	shards [tableShards]atomic.Pointer[slots]
}

const tableShards = 64

// slots is an open-addressing hash table with linear probing. A slot's tag,
// once set, stays until the table is rebuilt; a removed mark leaves nil.
type slots struct {
	mask uint64
	used int // tags set; the writer's
	list []slot
}

type slot struct {
	tag  atomic.Uint64 // 0: free. Set after mark, so whoever sees the tag sees a mark.
	mark atomic.Pointer[mark]
}

const fewestSlots = 8

// tagBits keeps 0 for free slots. The two tags that it makes equal purge
// together, as any two colliding tags would.
func tagBits(t field.Tag) uint64 {
	if t == 0 {
		return 1
	}
	return uint64(t)
}

func shardOf(bits uint64) uint64 { return bits >> 58 }

// get returns a tag's mark, or nil.
func (t *table) get(tag field.Tag) *mark {
	bits := tagBits(tag)
	s := t.shards[shardOf(bits)].Load()
	if s == nil {
		return nil
	}
	for i := bits & s.mask; ; i = (i + 1) & s.mask {
		switch s.list[i].tag.Load() {
		case bits:
			return s.list[i].mark.Load()
		case 0:
			return nil
		}
	}
}

// set replaces a tag's mark; nil removes it.
func (t *table) set(tag field.Tag, m *mark) {
	bits := tagBits(tag)
	shard := &t.shards[shardOf(bits)]
	s := shard.Load()
	if s == nil || (s.used+1)*4 > len(s.list)*3 {
		if m == nil && (s == nil || s.find(bits) == nil) {
			return
		}
		s = s.rebuilt()
		shard.Store(s)
	}
	if found := s.find(bits); found != nil {
		found.mark.Store(m)
		return
	}
	if m == nil {
		return
	}
	free := s.free(bits)
	free.mark.Store(m)
	free.tag.Store(bits)
	s.used++
}

func (s *slots) find(bits uint64) *slot {
	for i := bits & s.mask; ; i = (i + 1) & s.mask {
		switch s.list[i].tag.Load() {
		case bits:
			return &s.list[i]
		case 0:
			return nil
		}
	}
}

func (s *slots) free(bits uint64) *slot {
	for i := bits & s.mask; ; i = (i + 1) & s.mask {
		if s.list[i].tag.Load() == 0 {
			return &s.list[i]
		}
	}
}

// rebuilt returns a copy without removed marks, with room to grow.
func (s *slots) rebuilt() *slots {
	live := 0
	if s != nil {
		for i := range s.list {
			if s.list[i].mark.Load() != nil {
				live++
			}
		}
	}
	size := fewestSlots
	for size < (live+1)*2 {
		size *= 2
	}
	next := &slots{mask: uint64(size - 1), list: make([]slot, size)}
	if s == nil {
		return next
	}
	for i := range s.list {
		if m := s.list[i].mark.Load(); m != nil {
			bits := s.list[i].tag.Load()
			free := next.free(bits)
			free.mark.Store(m)
			free.tag.Store(bits)
			next.used++
		}
	}
	return next
}

// count returns the number of marks.
func (t *table) count() int {
	n := 0
	for i := range t.shards {
		if s := t.shards[i].Load(); s != nil {
			for j := range s.list {
				if s.list[j].mark.Load() != nil {
					n++
				}
			}
		}
	}
	return n
}
