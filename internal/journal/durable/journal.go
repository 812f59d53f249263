package durable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Journal is a node's journal and replicated state. Make it with Open; then
// call Start. Its methods may be called from many goroutines.
type Journal struct {
	cfg       Config
	lock      io.Closer // of the directory; nil in memory
	recovered Recovered
	// maxPending is the constant of that name; tests lower it.
	maxPending int

	// writing is held by the one who writes to the disk: what is below it, and
	// the order of files, are his. It is taken before mu.
	writing    chan struct{}
	w          writer
	segments   []segment // oldest first; the last is the one being written
	snapshotAt field.Position

	mu struct {
		sync.Mutex
		set      *journal.Set
		durable  journal.Vector
		state    *state.Map
		complete bool // the state has been received or founded
		position field.Position
		ceiling  field.Position // positions up to it are reserved on disk
		asked    field.Position // the reservation that waits for the disk
		apply    Apply
		replay   []Step
		steps    []Step        // of the last Receive, empty: its memory is used again
		offered  journal.Entry // that is being taken
		next     *commit       // what waits for the disk
		spare    *commit       // one that is written, empty: its memory is used again
		current  *commit       // what is being written; nil: nothing
		rewrite  bool          // next was too much: all that there is must be written
		failing  error         // of the last commit
		closed   bool
		ancient  uint64 // entries refused for their age
	}
}

// segment is a file of the log.
type segment struct {
	number   uint64
	arrivals uint64         // kept entries up to this one are in it or before it
	position field.Position // so are positions
}

// Recovered returns what Open found. The snapshot is given up by Start.
func (j *Journal) Recovered() Recovered {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.recovered
}

// Start hands over what was read back and is not in the snapshot, in one call of
// apply, then whatever comes. It is called once, before anything is appended or
// received.
func (j *Journal) Start(apply Apply) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.apply = apply
	if len(j.mu.replay) > 0 {
		apply(j.mu.replay)
	}
	j.mu.replay, j.recovered.Snapshot = nil, nil
}

// readyLocked tells whether entries can be taken.
func (j *Journal) readyLocked() error {
	switch {
	case j.mu.closed:
		return ErrClosed
	case j.mu.apply == nil:
		return errNotStarted
	}
	return nil
}

// Append issues an entry of this node. When it returns, the entry is in force
// here and may be sent to others; it is durable when the ticket says so. The
// error wraps journal.ErrBadEntry or ErrPositions, or is ErrClosed or
// journal.ErrFull; nothing was issued then.
func (j *Journal) Append(d journal.Draft) (Step, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.readyLocked(); err != nil {
		return Step{}, Ticket{}, err
	}
	step, err := j.issueLocked(j.now(), d)
	if err != nil {
		return Step{}, Ticket{}, err
	}
	j.mu.apply([]Step{step})
	return step, j.ticketLocked(), nil
}

func (j *Journal) issueLocked(now int64, d journal.Draft) (Step, error) {
	if err := j.roomLocked(1); err != nil {
		return Step{}, err
	}
	e, err := j.mu.set.Issue(now, d)
	if err != nil {
		return Step{}, err
	}
	step := j.stepLocked(now, &e, journal.Accepted)
	step.Own = true
	return step, nil
}

// positionSlack is left unused at the end of a reservation, for what one batch
// causes beyond its own entries.
const positionSlack = Reserve / 16

// roomLocked makes sure of positions for some steps, and asks for more in time.
func (j *Journal) roomLocked(n int) error {
	end := j.mu.position + field.Position(n)
	if end+Reserve/2 > j.mu.ceiling && j.mu.asked == j.mu.ceiling {
		j.mu.asked = max(j.mu.ceiling, end) + Reserve
		j.mu.next.number(recCeiling, uint64(j.mu.asked))
	}
	if end+positionSlack > j.mu.ceiling {
		if j.mu.failing != nil {
			return fmt.Errorf("%w: %w", ErrPositions, j.mu.failing)
		}
		return ErrPositions // a commit is under way, or nobody has asked for one
	}
	return nil
}

// stepLocked gives an entry that the set has taken a position, notes it for the
// disk, and carries its items into the state.
func (j *Journal) stepLocked(now int64, e *journal.Entry, o journal.Outcome) Step {
	j.mu.position++
	s := Step{Position: j.mu.position, Entry: *e, Outcome: o, Arrived: now}
	j.noteLocked(now, e)
	s.Changed = j.putLocked(j.cfg.Items(e))
	return s
}

func (j *Journal) noteLocked(now int64, e *journal.Entry) {
	if j.cfg.FS == nil {
		return
	}
	j.mu.next.entry(j.mu.position, now, e)
}

// putLocked joins items to the state and returns those that changed it. One
// that is not valid could not be read back, and is left out.
func (j *Journal) putLocked(items []state.Item) []state.Item {
	var changed []state.Item
	for i := range items {
		if items[i].Validate() == nil && j.mu.state.Put(items[i]) == state.Changed {
			j.mu.next.item(&items[i])
			changed = append(changed, items[i])
		}
	}
	return changed
}

// Advance uses up a position for something that is not journalled, in order
// with all else: fn, called under the journal's lock, makes it take effect. The
// error wraps ErrPositions or is ErrClosed.
func (j *Journal) Advance(fn func(field.Position)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.readyLocked(); err != nil {
		return err
	}
	if err := j.roomLocked(1); err != nil {
		return err
	}
	j.mu.position++
	fn(j.mu.position)
	return nil
}

func (j *Journal) now() int64 { return j.cfg.Now().UnixMilli() }

// Close writes what waits, and gives the directory up. Nothing may be called
// after it but methods that only look. The error is that of the last commit.
func (j *Journal) Close() error {
	err := j.Sync(context.Background())
	j.writing <- struct{}{}
	defer func() { <-j.writing }()
	j.mu.Lock()
	again := j.mu.closed
	j.mu.closed = true
	j.mu.Unlock()
	if again || j.cfg.FS == nil {
		return nil
	}
	return errors.Join(err, j.w.close(), j.lock.Close())
}
