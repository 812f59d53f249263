package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rescind-edge/rescind/internal/journal/state"
)

var (
	// ErrNotRecorded is returned by Leave if no other member could be told. The
	// node counts as absent then: forget it elsewhere, or leave again.
	ErrNotRecorded = errors.New("no other member could record that this node leaves")
	// ErrAlive is returned by Forget for a member that is alive: it should leave.
	ErrAlive = errors.New("the member is alive; have it leave instead")
	// ErrUnknownMember is returned by Forget for a name that is not in the
	// roster.
	ErrUnknownMember = errors.New("no member has this name")
)

// tellFirst is how many members are told at once of a change of the roster; the
// others hear of it by comparison within seconds.
const tellFirst = 3

// leaveTimeout is how long membership has to pass a farewell on.
const leaveTimeout = 5 * time.Second

// Leave takes this node out of the roster for good and tells the others. Whatever
// it has stored must not be served from before the call: Ready is false from
// then on. Close is still to be called. The error wraps ErrNotRecorded, or is the
// journal's.
func (c *Cluster) Leave(ctx context.Context) error {
	c.health.leaving.Store(true)
	if err := c.remove(ctx, c.cfg.Name); err != nil && !errors.Is(err, ErrUnknownMember) {
		return err
	}
	peers := c.someone(tellFirst)
	given, err := c.give(ctx, peers)
	if len(c.roster.today().Members) > 1 && given == 0 {
		return errors.Join(ErrNotRecorded, err)
	}
	if err := c.member.list.Leave(leaveTimeout); err != nil {
		c.log.Info("the farewell was not passed on; others will notice", "error", err)
	}
	return nil
}

// Forget takes a member out of the roster that will not come back. The error is
// ErrAlive or ErrUnknownMember, or the journal's.
func (c *Cluster) Forget(ctx context.Context, name string) error {
	if name == c.cfg.Name || c.view.Load().byName(name) != nil {
		return fmt.Errorf("%w: %s", ErrAlive, name)
	}
	if err := c.remove(ctx, name); err != nil {
		return err
	}
	if given, err := c.give(ctx, c.someone(tellFirst)); given == 0 && err != nil {
		c.log.Info("others will hear by comparison that a member was forgotten", "member", name, "error", err)
	}
	return nil
}

// remove records durably that a member is not in the roster any more.
func (c *Cluster) remove(ctx context.Context, name string) error {
	c.roster.writing.Lock()
	m, _ := c.cfg.Journal.State()
	var items []state.Item
	for _, item := range m.Live(state.KindMember) {
		if e, ok := parseEntry(item); ok && e.name == name {
			items = append(items, item.Removal(c.wall()))
		}
	}
	var err error
	if len(items) == 0 {
		err = fmt.Errorf("%w: %s", ErrUnknownMember, name)
	} else {
		err = c.cfg.Journal.PutItems(items...)
	}
	c.roster.writing.Unlock()
	if err != nil {
		return err
	}
	c.stateChanged()
	return c.cfg.Journal.Sync(ctx)
}

// someone returns some live members, in random order.
func (c *Cluster) someone(n int) []*peer {
	peers := append([]*peer(nil), c.view.Load().peers...)
	rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	return peers[:min(n, len(peers))]
}

// StateChanged says that the replicated state was changed by somebody else than
// the cluster.
func (c *Cluster) StateChanged() { c.stateChanged() }
