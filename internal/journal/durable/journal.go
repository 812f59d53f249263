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
		next     *commit // what waits for the disk
		current  *commit // what is being written; nil: nothing
		rewrite  bool    // next was too much: all that there is must be written
		failing  error   // of the last commit
		closed   bool
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
		return fmt.Errorf("%w: %w", ErrPositions, j.mu.failing)
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

// putLocked joins items to the state and returns those that changed it.
func (j *Journal) putLocked(items []state.Item) []state.Item {
	var changed []state.Item
	for i := range items {
		if j.mu.state.Put(items[i]) == state.Changed {
			j.mu.next.item(&items[i])
			changed = append(changed, items[i])
		}
	}
	return changed
}

// Received says what became of the entries of a batch.
type Received struct {
	Outcomes []journal.Outcome // by index in the batch
	New      int               // entries taken
	Refused  int
	// Reissued are entries of this node that it issued anew under another
	// incarnation, since its own turned out to be used by somebody else too.
	Reissued []journal.Entry
}

// Receive takes entries that others issued, which must be valid, as those of
// package wire's parsers are. When it returns, those taken are in force; they
// may be acknowledged when the ticket says so. It keeps no memory of the batch.
// The error wraps ErrPositions or is ErrClosed; nothing was taken then.
func (j *Journal) Receive(entries []journal.Entry) (Received, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	got := Received{Outcomes: make([]journal.Outcome, len(entries))}
	err := j.readyLocked()
	if err == nil {
		err = j.roomLocked(len(entries))
	}
	if err != nil {
		return Received{}, Ticket{}, err
	}
	now := j.now()
	steps := make([]Step, 0, len(entries))
	for i := range entries {
		steps = j.acceptLocked(now, &entries[i], &got, i, steps)
	}
	if len(steps) > 0 {
		j.mu.apply(steps)
	}
	return got, j.ticketLocked(), nil
}

func (j *Journal) acceptLocked(now int64, e *journal.Entry, got *Received, i int, steps []Step) []Step {
	o := j.mu.set.Accept(now, e)
	own, _ := j.mu.set.Own()
	if o == journal.OwnAhead || o == journal.Conflict && e.Incarnation == own {
		steps = append(steps, j.retireLocked(now, got)...)
		if o == journal.OwnAhead {
			o = j.mu.set.Accept(now, e)
		}
	}
	got.Outcomes[i] = o
	switch {
	case o.New():
		got.New++
	case o.Refused():
		got.Refused++
	}
	switch {
	case o == journal.Conflict:
		// Its ID is taken, so it cannot be kept; its effect is carried out.
		j.mu.position++
		c := Step{Position: j.mu.position, Entry: *e, Outcome: o, Arrived: now}
		c.Changed = j.putLocked(j.cfg.Items(e))
		steps = append(steps, c)
	case o == journal.Covered:
		j.noteLocked(now, e)
	case o.Apply():
		steps = append(steps, j.stepLocked(now, e, o))
		if j.mu.set.Disputed(e) {
			steps = append(steps, j.retireLocked(now, got)...)
		}
	}
	return steps
}

// retireLocked begins a new incarnation and issues anew what the old one had.
// Where no incarnation can be drawn, or no position is left, the old one goes on
// and the next entry tries again.
func (j *Journal) retireLocked(now int64, got *Received) []Step {
	inc, err := journal.NewIncarnation(j.cfg.Random)
	if err != nil {
		return nil
	}
	var steps []Step
	for _, d := range j.mu.set.Retire(inc) {
		s, err := j.issueLocked(now, d)
		if err != nil {
			break
		}
		steps = append(steps, s)
		got.Reissued = append(got.Reissued, s.Entry)
	}
	return steps
}

// Meet looks at a peer's vector for this node's own incarnation, and retires
// that if the peer knows entries of it that were not issued here: see
// journal.Set.Cloned. It returns what was issued anew.
func (j *Journal) Meet(peer journal.Vector) ([]journal.Entry, Ticket, error) {
	return j.retireIf(func() bool { return j.mu.set.Cloned(peer) })
}

// Retire ends an incarnation that another node was seen to use, in a heartbeat
// for example, if it is this node's own. It returns what was issued anew.
func (j *Journal) Retire(inc journal.Incarnation) ([]journal.Entry, Ticket, error) {
	return j.retireIf(func() bool {
		own, _ := j.mu.set.Own()
		return own == inc
	})
}

func (j *Journal) retireIf(shared func() bool) ([]journal.Entry, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.readyLocked(); err != nil || !shared() {
		return nil, Ticket{}, err
	}
	var got Received
	if steps := j.retireLocked(j.now(), &got); len(steps) > 0 {
		j.mu.apply(steps)
	}
	return got.Reissued, j.ticketLocked(), nil
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

// Adopt takes over a peer's heads as known, for a node that has nothing stored:
// see journal.Set.Adopt.
func (j *Journal) Adopt(peer journal.Vector) (Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.readyLocked(); err != nil {
		return Ticket{}, err
	}
	j.mu.set.Adopt(j.now(), peer)
	rows := journal.Vector{}
	own, _ := j.mu.set.Own()
	for inc := range peer {
		if row, ok := j.mu.set.Row(inc); ok && inc != own {
			rows[inc] = row
		}
	}
	j.mu.next.rows(rows)
	return j.ticketLocked(), nil
}

// Concede gives up entries that nobody can supply: Apply gets a step that is a
// gap, and then they count as known. peers are the vectors that know them. It
// returns what was conceded: see journal.Set.Concede.
func (j *Journal) Concede(gap []journal.Range, peers ...journal.Vector) ([]journal.Range, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.readyLocked()
	if err == nil {
		err = j.roomLocked(1)
	}
	if err != nil {
		return nil, Ticket{}, err
	}
	now := j.now()
	done := j.mu.set.Concede(now, gap, func(inc journal.Incarnation) int64 {
		var newest int64
		for _, v := range peers {
			newest = max(newest, v[inc].Newest)
		}
		return newest
	})
	if len(done) == 0 {
		return nil, Ticket{}, nil
	}
	j.mu.position++
	rows := journal.Vector{}
	for _, r := range done {
		rows[r.Incarnation], _ = j.mu.set.Row(r.Incarnation)
	}
	j.mu.next.number(recGap, uint64(j.mu.position))
	j.mu.next.rows(rows)
	j.mu.apply([]Step{{Position: j.mu.position, Gap: true, Arrived: now}})
	return done, j.ticketLocked(), nil
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
