package cluster

import (
	"context"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Level says for whom to wait.
type Level = proof.Level

// Levels.
const (
	WaitNone = proof.None
	WaitPeer = proof.Peer // one other member that has a disk
	WaitPOP  = proof.POP  // all members of this node's POP
	WaitAll  = proof.All  // the roster, and who is alive and not enlisted yet
)

// ErrTooManyWait is returned by WaitFor if too many wait already.
var ErrTooManyWait = proof.ErrTooManyWait

// WaitFor waits until those whom level names have applied an own entry and made
// it durable, have left, are provably fenced (their policy is to refuse, and they
// must be isolated by now), or have vanished and were provably never ready. The roster is that of when the entry was issued,
// with whoever was alive then and not enlisted yet. It returns the names still
// missing when the context ends, in order; for WaitPeer they are those any of
// whom would do, and with nobody else in the roster there is nobody to wait for. If
// no other member has a disk, it returns the names of all at once.
// Until this node knows who is in the roster, nothing counts as confirmed: what
// is missing are the members that it knows of, or else the addresses to join.
// The error is ErrTooManyWait.
func (c *Cluster) WaitFor(ctx context.Context, id journal.ID, level Level) (missing []string, err error) {
	known := level != WaitNone && c.waitTold(ctx)
	now, today := c.cfg.Clock(), c.expected()
	c.proof.Lock()
	if known {
		c.proof.Settle(id, today)
	}
	w, err := c.proof.Wait(now, id, level, today)
	c.proof.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-w.Done():
	case <-ctx.Done():
	case <-c.ctx.Done():
	}
	c.proof.Lock()
	defer c.proof.Unlock()
	if missing = c.proof.End(w); !known && level != WaitNone && len(missing) == 0 {
		missing = slices.Clone(c.cfg.Join)
	}
	return missing, nil
}

// lookTold is how often a waiter looks whether the roster is known by now, which
// takes a few round trips after a start.
const lookTold = 20 * time.Millisecond

// knowsRoster tells whether this node knows who is in the roster: it has asked
// everybody whom it can reach since its start, since what its disk has of the
// roster is of before, and has had company.
func (c *Cluster) knowsRoster() bool { return c.health.informed.Load() && c.metCompany() }

// metCompany tells whether this node has had somebody else in its roster since its
// start, or has nobody to join. Without company one that is to join others does
// not know the roster: whoever told it may know as little. If it has had some and
// is alone now, they have left or were forgotten, which is on record.
func (c *Cluster) metCompany() bool {
	return c.roster.company.Load() || len(c.cfg.Join) == 0 || c.member.onlySelf.Load()
}

// waitTold waits until this node knows who is in the roster.
func (c *Cluster) waitTold(ctx context.Context) bool {
	if c.knowsRoster() {
		return true
	}
	ticker := time.NewTicker(lookTold)
	defer ticker.Stop()
	for !c.knowsRoster() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		case <-c.ctx.Done():
			return false
		}
	}
	return true
}

// Progress is what is known of who has applied an entry.
type Progress = proof.Progress

// Confirmation is what is known of one member and one entry.
type Confirmation = proof.Confirmation

// Progress returns what is known of who has applied an own entry.
func (c *Cluster) Progress(id journal.ID) Progress {
	known, today := c.knowsRoster(), c.expected() // in this order: what is known is then in it
	c.proof.Lock()
	defer c.proof.Unlock()
	if known {
		c.proof.Settle(id, today)
	}
	return c.proof.Progress(id, today)
}
