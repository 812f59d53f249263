package memory

import "github.com/rescind-edge/rescind/internal/store"

// judged is how many objects are asked for a verdict before a live one is
// evicted: a few microseconds, little beside the fetch whose response wants the
// room. Dead objects further away are left to the sweeper, which walks the whole
// store after a purge; a full scan here would make one purge cost every response
// that follows.
const judged = 32

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
// was found. Judges are asked under no lock.
func (s *Store) reap() bool {
	var room [judged]*record
	now := s.now()
	var firstSpare *record
	found := false
	window := s.queue.window(room[:0], judged)
	for _, r := range window {
		switch o := s.hold(r); fateOf(o, now) {
		case dead:
			o.Withdraw()
			s.drop(r, store.Swept)
			found = true
		case expired:
			s.drop(r, store.Expired)
			found = true
		case spare:
			if firstSpare == nil {
				firstSpare = r
			}
		}
	}
	if !found && firstSpare != nil {
		// No undo finds it any more, so nobody may use it even if they hold it.
		// It counts as evicted: without the need for space it might have come
		// back.
		s.hold(firstSpare).Withdraw()
		s.drop(firstSpare, store.Evicted)
		found = true
	}
	for _, r := range window {
		s.release(r)
	}
	return found
}

func fateOf(o store.Object, now int64) fate {
	verdict := o.Judge().Judge(o)
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
