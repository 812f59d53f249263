package memory

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/store"
)

// mostJudges bounds the judges of what is stored at one time: there is one a
// service and configuration of it.
const mostJudges = 1 << 16

// judges numbers the Judges of stored objects, since records hold no pointers.
// A number is free again once no object has it.
type judges struct {
	list atomic.Pointer[[]store.Judge] // replaced, never changed

	mu struct {
		sync.Mutex
		number map[store.Judge]uint32
		uses   []int
	}
}

// add returns the number of j for one object more; false: there are too many.
func (j *judges) add(judge store.Judge) (uint32, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i, ok := j.mu.number[judge]; ok {
		j.mu.uses[i]++
		return i, true
	}
	i := slices.Index(j.mu.uses, 0)
	if i < 0 {
		i = len(j.mu.uses)
		if i == mostJudges {
			return 0, false
		}
		j.mu.uses = append(j.mu.uses, 0)
	}
	j.setLocked(uint32(i), judge)
	if j.mu.number == nil {
		j.mu.number = make(map[store.Judge]uint32)
	}
	j.mu.number[judge], j.mu.uses[i] = uint32(i), 1
	return uint32(i), true
}

// drop takes back one use of a number.
func (j *judges) drop(i uint32) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.uses[i]--; j.mu.uses[i] == 0 {
		delete(j.mu.number, j.at(i))
		j.setLocked(i, nil)
	}
}

func (j *judges) setLocked(i uint32, judge store.Judge) {
	var list []store.Judge
	if old := j.list.Load(); old != nil {
		list = *old
	}
	next := make([]store.Judge, max(len(list), int(i)+1))
	copy(next, list)
	next[i] = judge
	j.list.Store(&next)
}

// at returns the judge of a number that is in use.
func (j *judges) at(i uint32) store.Judge { return (*j.list.Load())[i] }
