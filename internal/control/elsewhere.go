package control

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rescind-edge/rescind/internal/purge"
)

// AcceptedElsewhere calls visit with the receipts of purges that other nodes
// accepted through a dialect after an instant, newest arrival first, as far as
// receipts are kept. visit must not change them, nor call back.
func (c *Control) AcceptedElsewhere(dialect string, after time.Time, visit func(*Receipt)) {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	for i := len(c.ledger.mu.order) - 1; i >= 0; i-- {
		if r := c.ledger.mu.order[i]; r.Dialect == dialect && r.Node != c.parts.Node && r.Accepted.After(after) {
			visit(r)
		}
	}
}

// A node that was down when a purge was accepted has no receipt of it: nothing
// that it has stored is that old, so the purge does not come to it any more.
// Whoever asks such a node is told what the others know.

// Fields of a receipt that one node shows another.
const (
	shownPurge       protowire.Number = 1 // as in an entry
	shownIncarnation protowire.Number = 2
	shownSequence    protowire.Number = 3
	shownRevert      protowire.Number = 4 // as in an entry; absent: the purge stands
	shownOutcome     protowire.Number = 5 // of the revert
)

// Show encodes the receipt of a purge for another node; nil: there is none.
func (c *Control) Show(id purge.ID) []byte {
	r, ok := c.ledger.get(id)
	if !ok {
		return nil
	}
	b := appendBytes(nil, shownPurge, appendPurge(nil, &r))
	b = appendBytes(b, shownIncarnation, r.Entry.Incarnation[:])
	b = appendInt(b, shownSequence, int64(r.Entry.Seq))
	if r.Reverted != nil {
		b = appendBytes(b, shownRevert, appendRevert(nil, r.Reverted))
		b = appendInt(b, shownOutcome, int64(r.Reverted.Outcome))
	}
	return b
}

// parseShown reads what Show wrote on another node. The position, how long it
// took and how many objects it hit are that node's own business. The error wraps
// errBadBody.
func parseShown(b []byte) (Receipt, error) {
	var r Receipt
	var rev *Reverted
	outcome := purge.Undone
	err := eachField(b, func(n protowire.Number, v int64, data []byte) (err error) {
		switch n {
		case shownPurge:
			entry := r.Entry
			r, err = parsePurge(data, new(words))
			r.Entry = entry
		case shownIncarnation:
			if copy(r.Entry.Incarnation[:], data) != len(data) {
				err = fmt.Errorf("%w: the incarnation has %d bytes", errBadBody, len(data))
			}
		case shownSequence:
			r.Entry.Seq = uint64(v)
		case shownRevert:
			var done Reverted
			done, err = parseRevert(data)
			rev = &done
		case shownOutcome:
			if v == int64(purge.UndoneInPart) {
				outcome = purge.UndoneInPart
			}
		}
		return err
	})
	if err == nil && r.ID.IsZero() {
		err = fmt.Errorf("%w: no purge", errBadBody)
	}
	if rev != nil {
		rev.Outcome = outcome
		r.Reverted = rev
	}
	return r, err
}

// Find returns the receipt of a purge, if need be from another node. The error
// wraps ErrUnknownPurge, or ErrBusy while too many ask.
func (r Reader) Find(ctx context.Context, id purge.ID) (Receipt, error) {
	receipt, err := r.Receipt(id)
	if err == nil || r.c.parts.Elsewhere == nil || r.c.ledger.has(id) {
		return receipt, err
	}
	shown, failed := r.c.parts.Elsewhere(ctx, id)
	if failed != nil {
		return Receipt{}, fmt.Errorf("%w; %w", err, failed)
	}
	if receipt, failed = parseShown(shown); failed != nil || receipt.ID != id || !r.May(receipt.Service) {
		return Receipt{}, err
	}
	return receipt, nil
}
