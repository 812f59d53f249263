package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Level says whose confirmation a purge waits for.
type Level string

// Levels. Each takes less for granted than the one before.
const (
	WaitNone Level = "none" // this node alone
	WaitPeer Level = "peer" // one other node has it on disk; who has no disk does not count
	WaitPOP  Level = "pop"  // all nodes of this one's POP
	WaitAll  Level = "all"  // all members
)

// ParseLevel returns the level of a word; "" is none. The error wraps
// ErrBadRequest.
func ParseLevel(word string) (Level, error) {
	switch l := Level(word); l {
	case "":
		return WaitNone, nil
	case WaitNone, WaitPeer, WaitPOP, WaitAll:
		return l, nil
	}
	return "", fmt.Errorf("%w: wait is none, peer, pop or all", ErrBadRequest)
}

// Cluster passes entries on to other nodes and knows who has them.
type Cluster interface {
	// Admit returns an error while so much waits to be sent that no more is to be
	// issued, and one that wraps ErrUnavailable where nothing is any more.
	Admit() error
	// Publish sends entries of this node. It waits for nobody.
	Publish([]journal.Entry)
	// Wait waits until those whom level names have applied an own entry and made it
	// durable, or the context ends, and returns the names of those that have not. For
	// WaitPeer, where no other node has a disk, it does so at once.
	Wait(ctx context.Context, id journal.ID, level Level) (missing []string, err error)
	// Progress says who has applied an own entry.
	Progress(id journal.ID) Progress
}

// Progress is what is known of who has applied a purge.
type Progress struct {
	// Partial says that what was known has been forgotten in part, so that times
	// and the members of then are missing.
	Partial bool
	// Saved says that the node that accepted it has it on disk: without that, its
	// crash would undo it there.
	Saved   bool
	Members []Confirmation // all but the node that accepted it
}

// Confirmation is what is known of one member and one purge.
type Confirmation struct {
	Member, POP string
	Applied     bool
	Disk        bool          // what it has applied is on a disk of its own
	Took        time.Duration // from acceptance until it was applied and durable there; negative: not known
	InForce     time.Duration // from acceptance until it was in force there; negative: not known
}

// OnDisk tells whether the member has it on a disk of its own.
func (c Confirmation) OnDisk() bool { return c.Applied && c.Disk }

// EntryID names an entry of the journal, in which other nodes learn of something.
type EntryID = journal.ID

// Entries returns the entries of receipts.
func Entries(receipts ...Receipt) []EntryID {
	ids := make([]EntryID, 0, len(receipts))
	for i := range receipts {
		ids = append(ids, receipts[i].Entry)
	}
	return ids
}

// Wait is WaitFor with the entry of a purge that this node accepted.
func (c *Control) Wait(ctx context.Context, r Receipt, level Level) (missing []string, err error) {
	return c.WaitFor(ctx, r.Entry, level)
}

// WaitFor waits for the confirmation of what this node accepted, and returns the
// names of those that have not confirmed when the time is over. Alone, a node
// waits for nobody. Of what it could not save it is missing itself.
func (c *Control) WaitFor(ctx context.Context, id EntryID, level Level) (missing []string, err error) {
	if c.parts.Cluster == nil || level == WaitNone || level == "" || id.Seq == 0 {
		return nil, nil
	}
	missing, err = c.parts.Cluster.Wait(ctx, id, level)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBusy, err)
	}
	if level != WaitPeer && !c.parts.Journal.DurableRow(id.Incarnation).Knows(id.Seq) {
		missing = append(missing, c.parts.Node)
		slices.Sort(missing)
	}
	return missing, nil
}

// Progress says who has applied a purge that this node accepted.
func (c *Control) Progress(r Receipt) (Progress, bool) {
	if r.Node != c.parts.Node {
		return Progress{}, false
	}
	return c.ProgressOf(r.Entry)
}

// ProgressOf says who has applied an entry of this node.
func (c *Control) ProgressOf(id EntryID) (Progress, bool) {
	if c.parts.Cluster == nil || id.Seq == 0 {
		return Progress{}, false
	}
	p := c.parts.Cluster.Progress(id)
	p.Saved = c.parts.Journal.DurableRow(id.Incarnation).Knows(id.Seq)
	return p, true
}

// Known returns the receipt of a purge, for other nodes: whoever shows it has
// checked that its reader may see the service.
func (c *Control) Known(id purge.ID) (Receipt, bool) { return c.ledger.get(id) }

// InForce tells whether there is a receipt of a purge that was not taken back here.
func (c *Control) InForce(id purge.ID) bool {
	r, known := c.ledger.get(id)
	return known && r.Reverted == nil
}

// Stands tells whether an entry is a purge that has taken effect here and was not
// taken back, as far as is remembered: only such a one may stand for others that
// asked for the same. It is called under the journal's lock.
func (c *Control) Stands(e *journal.Entry) bool {
	if e.Kind != journal.KindPurge || e.By != 0 {
		return false
	}
	r, err := parsePurge(e.Body, new(words))
	if err != nil {
		return false
	}
	kept, known := c.ledger.get(r.ID)
	return known && kept.Reverted == nil
}

// spreadable refuses new entries while the others cannot be kept up with.
func (c *Control) spreadable() error {
	if c.parts.Cluster == nil {
		return nil
	}
	switch err := c.parts.Cluster.Admit(); {
	case errors.Is(err, ErrUnavailable):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return nil
}

// append issues an entry of this node and sends it to the others.
func (c *Control) append(d journal.Draft) (issued, error) {
	if err := c.spreadable(); err != nil {
		return issued{}, err
	}
	step, ticket, err := c.parts.Journal.Append(d)
	if err != nil {
		return issued{}, journalError(err)
	}
	if c.parts.Cluster != nil {
		c.parts.Cluster.Publish([]journal.Entry{step.Entry})
	}
	return issued{step.Position, step.Entry.ID, func() error {
		return journalError(ticket.Wait(context.Background()))
	}}, nil
}

// issued is an entry that is in force and on its way.
type issued struct {
	position field.Position
	id       journal.ID
	durable  func() error // waits until it is on disk
}
