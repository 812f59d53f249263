package memory

import "github.com/rescind-edge/rescind/internal/store"

const (
	// judged is how many objects are asked for a verdict before a live one is
	// evicted: a few microseconds, little beside the fetch whose response wants
	// the room. Dead objects further away are left to the sweeper, which walks
	// the whole store after a purge; a full scan here would make one purge cost
	// every response that follows.
	judged = 32

	// leastFreed is what an eviction gives back at least: the fixed part of an
	// object's cost.
	leastFreed = 512

	// vainEvictions is how many evictions beyond those that n bytes can need may
	// bring nothing back at once, because readers still hold the bodies or
	// others took the room first. A store that is held by its readers is not
	// emptied of everything else for one response.
	vainEvictions = 256
)

// makeRoom takes n bytes, evicting where it must. It fails where n is more than
// half the budget, because no one response is worth most of the store, where
// nothing is left to evict, and where too much was evicted in vain.
func (s *Store) makeRoom(n int64) bool {
	if n > s.budget.limit/2 {
		return false
	}
	reaping := true
	for range vainEvictions + n/leastFreed {
		if s.budget.take(n) {
			return true
		}
		if reaping = reaping && s.reap(); reaping {
			continue
		}
		e := s.queue.victim()
		if e == nil {
			return s.budget.take(n)
		}
		s.drop(e.object, store.Evicted)
	}
	return s.budget.take(n)
}

// fate is what eviction makes of an object.
type fate uint8

const (
	keep    fate = iota // it leaves in the queue's turn
	spare               // withdrawn, but an undo could still bring it back
	expired             // past every time for which it was of use
	dead                // withdrawn for good
)

// reap removes, of the next few objects in the queue, those that are dead or
// expired; where there are none, the first that is spare. It tells whether any
// was found.
//
// Judges are asked under no lock, and without a reference: a verdict reads the
// Head only, which outlives its removal, and a reference would hold back the
// bytes of what somebody else evicts meanwhile.
func (s *Store) reap() bool {
	var room [judged]*entry
	now := s.now()
	var firstSpare *store.Object
	found := false
	for _, e := range s.queue.window(room[:0], judged) {
		switch o := e.object; fateOf(o, now) {
		case dead:
			o.Withdraw()
			s.drop(o, store.Swept)
			found = true
		case expired:
			s.drop(o, store.Expired)
			found = true
		case spare:
			if firstSpare == nil {
				firstSpare = o
			}
		}
	}
	if found || firstSpare == nil {
		return found
	}
	// No undo finds it any more, so nobody may use it even if they hold it. It
	// counts as evicted: without the need for space it might have come back.
	firstSpare.Withdraw()
	s.drop(firstSpare, store.Evicted)
	return true
}

func fateOf(o *store.Object, now int64) fate {
	verdict := o.Judge.Judge(o)
	times := o.Times()
	switch verdict.State {
	case store.Dead:
		return dead
	case store.Spare:
		return spare
	case store.Soft:
		times = times.Min(verdict.Times)
	}
	if times.Keep < now {
		return expired
	}
	return keep
}
