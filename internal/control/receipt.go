package control

import (
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Receipt says what became of a purge on this node. Its slices are shared and
// must not be changed.
type Receipt struct {
	ID        purge.ID
	Service   string
	Selectors []purge.Selector
	Effect    purge.Effect // in normal form
	Note      string
	Actor     string
	Dialect   string
	Node      string     // that accepted it
	Entry     journal.ID // in which other nodes learn of it

	Accepted time.Time
	Took     time.Duration  // from Accepted until it was in force
	Saved    time.Duration  // from Accepted until it was on this node's disk; 0: another node accepted it
	Position field.Position // the node's, with this purge

	// Count is the number of objects withdrawn or made stale on this node. It
	// is known for purges by URL alone: others find their objects as they are
	// asked for.
	Count      int
	CountKnown bool

	Reverted *Reverted // nil while the purge stands

	// Replayed says that this is the receipt of an earlier request with the same
	// idempotency key, and that nothing was purged now.
	Replayed bool

	everything bool // took the whole service
}

// Reverted says that a purge was taken back.
type Reverted struct {
	ID      purge.ID // of the purge
	Outcome purge.Undo
	Actor   string
	Time    time.Time
	Entry   EntryID // of this node, in which others learn of it; none: another node took it back
}

// need returns the scope that taking the purge back needs: that of making it.
func (r Receipt) need() Scope { return marks{everything: r.everything}.need() }

// event returns the record of an applied purge.
func (r Receipt) event(addr netip.Addr) event.Purged {
	e := event.Purged{
		Time: r.Accepted, ID: r.ID.String(), Service: r.Service,
		Mode: r.Effect.Mode.String(), Actor: r.Actor, Addr: addr, Dialect: r.Dialect, Note: r.Note,
		Took: r.Took, Count: r.Count, CountKnown: r.CountKnown,
	}
	shown := r.Selectors[:min(len(r.Selectors), event.MaxSelectors)]
	e.Omitted = len(r.Selectors) - len(shown)
	for _, s := range shown {
		value := s.String()
		e.Selectors = append(e.Selectors, event.Selector{
			Kind: s.Kind.String(), Value: value[:min(len(value), event.MaxSelectorBytes)],
		})
	}
	return e
}

// Heard is a purge that another node accepted. It is to be looked at and not kept:
// of thousands a second, most are counted and no more.
type Heard struct{ r *Receipt }

// Service returns the id of its service.
func (h Heard) Service() string { return h.r.Service }

// Mode returns "hard" or "soft".
func (h Heard) Mode() string { return h.r.Effect.Mode.String() }

// Kind returns the kind of its selectors; "" if they are not of one kind.
func (h Heard) Kind() string {
	kind := h.r.Selectors[0].Kind
	for i := range h.r.Selectors {
		if h.r.Selectors[i].Kind != kind {
			return ""
		}
	}
	return kind.String()
}

// Event returns its record. How long it took is for the node that accepted it to
// say: this one's clock is another.
func (h Heard) Event() event.Purged {
	e := h.r.event(netip.Addr{})
	e.Node = h.r.Node
	return e
}

// revertedElsewhere returns the record of a revert that another node accepted.
func (c *Control) revertedElsewhere(rev Reverted) event.Reverted {
	r, _ := c.ledger.get(rev.ID)
	return event.Reverted{
		Time: rev.Time, ID: rev.ID.String(), Service: r.Service, Outcome: rev.Outcome.String(), Actor: rev.Actor, Elsewhere: true,
	}
}

// bytes estimates what keeping the receipt takes.
func (r Receipt) bytes() int {
	n := 512 + len(r.Note)
	for _, s := range r.Selectors {
		n += 192 + len(s.Key) + len(s.Ban) + len(s.Header.Name) + len(s.Header.Value) + len(s.Target.Host) + len(s.Target.Path) + len(s.Target.Query)
	}
	return n
}
