package control

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Engine makes purges take effect on this node. A purge is in force when Apply
// returns. Its methods may be called from many goroutines.
type Engine interface {
	// Room tells how long a purge by headers or bans has to wait until the engine
	// has room for it; 0: it has. An error wraps purge.ErrBadSelector.
	Room(now int64, service string, more []*purge.Predicate) (time.Duration, error)
	Apply(now int64, p purge.Purge) purge.Applied
	Revert(now int64, id purge.ID) purge.Undo
	// Foresee returns what Revert would.
	Foresee(now int64, id purge.ID) purge.Undo
}

// Counter counts the stored objects of a URL that the purge with an id, already
// applied, withdrew or made stale. The URL is given as its tag without scheme,
// which is the first that field.Hasher.AppendTags gives an object; whether the
// purge was for one scheme alone is for its marks to say. It may be called from
// many goroutines.
type Counter interface {
	Touched(service string, url field.Tag, id purge.ID) int
}

// Sink receives what happened. Its methods are called from many goroutines and
// before a caller has its answer, so they must not wait for anything.
type Sink interface {
	Purged(event.Purged)
	Reverted(event.Reverted)
	Denied(event.Denied)
}

// Parts are what a Control works with. Engine and Hasher are required.
type Parts struct {
	Engine  Engine
	Hasher  *field.Hasher    // the one that gave the stored objects their tags
	Counter Counter          // nil: no purge is counted
	Sink    Sink             // nil: events are dropped
	Now     func() time.Time // nil: time.Now

	// Journal records what is done, on disk where it has a directory, and brings
	// what other nodes did. It is opened with Items, and started by New. nil: one
	// in memory.
	Journal *durable.Journal
	// Cluster passes on what is done here; nil: the node is alone.
	Cluster Cluster
	// Node is this node's name, which receipts show on other nodes.
	Node string
	// KeepTokens says that tokens created at run time are kept, by the journal's
	// directory or by other nodes. Without it none can be created.
	KeepTokens bool
	// TokensKnown tells whether this node knows which tokens are good now: one
	// that has just started may not have heard yet that some were revoked. Until
	// then tokens created at run time are refused. nil: it always does.
	TokensKnown func() bool
	// Elsewhere asks other nodes for the receipt of a purge of which this one has
	// none, and returns what Show gives on one of them. The error says who did not
	// answer or does not know it. nil: the node is alone.
	Elsewhere func(ctx context.Context, id purge.ID) ([]byte, error)
	// Received is told of purges that other nodes accepted and this one has
	// applied, ReceivedRevert of theirs taken back; nil: events are dropped. They
	// are called in the middle of everything that this node applies: they must
	// neither wait, not for an output either, nor call the Control.
	Received       func(Heard)
	ReceivedRevert func(event.Reverted)
	// Applied is told of every purge that is about to take effect on this node,
	// under the journal's lock and in the order of positions, so that whoever sees
	// its position has been told before; nil: nobody is.
	Applied Applied
	// TokenChanged is told of tokens that were created or revoked, like a Sink;
	// nil: events are dropped.
	TokenChanged func(event.TokenChanged)
}

// Applied follows what a node applies. Its methods are called in the middle of
// that: they must be quick and must not call the Control.
type Applied interface {
	// Purge is about to be in force for a service.
	Purge(service string, at field.Position, id journal.ID)
	// Reverted is told that a purge of a service is about to be taken back; the
	// service is empty where the purge has not come yet.
	Reverted(service string, id purge.ID)
	// Everything stored is about to be withdrawn, for want of knowing what was
	// asked for; or what came before the node began is known, as of a position.
	Everything(at field.Position)
}

type nobody struct{}

func (nobody) Purge(string, field.Position, journal.ID) {}
func (nobody) Reverted(string, purge.ID)                {}
func (nobody) Everything(field.Position)                {}

// Control carries out purges and reverts. Its methods may be called from many
// goroutines.
type Control struct {
	parts   Parts
	state   atomic.Pointer[state]
	ledger  ledger
	repeats repeats
	tokens  tokens
	unsafe  unsafe
	denied  *rate.Limiter
	counts  counts

	local, admitted account // of callers without a token

	// reverting makes a revert and its entry in the receipt one step: of two
	// reverts at once, the second must find what the first did.
	reverting sync.Mutex
	seed      maphash.Seed
	words     words // of the last entry, under the journal's lock
	// configuring keeps two reloads from taking over one state's limits.
	configuring sync.Mutex
}

// New returns a Control that has done nothing yet.
func New(parts Parts, cfg Config) (*Control, error) {
	if parts.Engine == nil || parts.Hasher == nil {
		return nil, errors.New("control: needs an engine and a hasher")
	}
	if parts.Sink == nil {
		parts.Sink = discard{}
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	if parts.Journal == nil {
		var err error
		if parts.Journal, err = durable.Open(durable.Config{Items: Items, Now: parts.Now}); err != nil {
			return nil, fmt.Errorf("control: %w", err)
		}
	}
	if parts.Received == nil {
		parts.Received = func(Heard) {}
	}
	if parts.ReceivedRevert == nil {
		parts.ReceivedRevert = func(event.Reverted) {}
	}
	if parts.TokensKnown == nil {
		parts.TokensKnown = func() bool { return true }
	}
	if parts.Applied == nil {
		parts.Applied = nobody{}
	}
	if parts.TokenChanged == nil {
		parts.TokenChanged = func(event.TokenChanged) {}
	}
	c := &Control{parts: parts, seed: maphash.MakeSeed(), denied: rate.NewLimiter(deniedRate, deniedBurst)}
	c.ledger.init()
	c.repeats.init()
	if err := c.Reconfigure(cfg); err != nil {
		return nil, err
	}
	c.begin()
	return c, nil
}

// Reconfigure replaces the configuration. Calls in progress finish under the
// one they began with; receipts stay. On an error nothing changes.
func (c *Control) Reconfigure(cfg Config) error {
	c.configuring.Lock()
	defer c.configuring.Unlock()
	now := c.parts.Now()
	st, err := newState(cfg, c.state.Load(), now)
	if err != nil {
		return err
	}
	c.state.Store(st)
	for _, a := range c.accounts(st) {
		a.reconfigure(st, now)
	}
	return nil
}

func (c *Control) accounts(st *state) []*account {
	all := []*account{&c.local, &c.admitted}
	for _, tokens := range [...][]Token{st.tokens, c.tokens.all()} {
		for i := range tokens {
			all = append(all, tokens[i].account)
		}
	}
	return all
}

// Purge carries out a request and returns its receipt; when it returns, the
// purge is in force on this node and would survive its crash. It takes effect
// even if the caller has gone meanwhile: who does not see the answer must be
// able to assume the worse. The error is one of this package's or wraps
// purge.ErrBadSelector; nothing was applied then, but with ErrNotSaved, which
// says that the purge is in force and would not survive.
func (c *Control) Purge(creds Credentials, r Request) (Receipt, error) {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.authenticate(st, creds, now)
	var receipt Receipt
	if err == nil {
		receipt, err = c.once(st, who, r, now)
	}
	if err != nil {
		return Receipt{}, c.deny(who, attempt{event.DeniedPurge, r.Service, r.Dialect}, err)
	}
	return receipt, nil
}

// purge carries out a request of a caller who is known.
func (c *Control) purge(st *state, who caller, r Request, accepted time.Time) (Receipt, error) {
	svc, m, err := c.admit(st, who, r, accepted)
	if err != nil {
		return Receipt{}, err
	}
	return c.carry(who, r, svc, m, accepted)
}

// carry carries out what was admitted.
func (c *Control) carry(who caller, r Request, svc *service, m marks, accepted time.Time) (Receipt, error) {
	receipt := Receipt{
		Selectors: r.Selectors, Effect: r.Effect, Note: r.Note,
		Actor: who.actor(), Dialect: r.Dialect, Accepted: accepted, Node: c.parts.Node,
	}
	err := c.issue(svc, m, &receipt)
	if err != nil && !errors.Is(err, ErrNotSaved) {
		return Receipt{}, err
	}
	// What could not be saved is in force here and on its way to others: it has a
	// receipt, so that it is seen and can be taken back.
	c.count(&receipt, m)
	kept := receipt
	c.ledger.add(&kept)
	c.counts.purges.Add(1)
	c.parts.Sink.Purged(receipt.event(who.creds.Addr))
	if err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

// admit authorises, limits and validates, in this order: a caller learns about
// limits and mistakes only where it may purge at all.
func (c *Control) admit(st *state, who caller, r Request, now time.Time) (*service, marks, error) {
	if len(r.Selectors) > purge.MaxKeys {
		return nil, marks{}, fmt.Errorf("%w: %d; the limit is %d", ErrTooManyKeys, len(r.Selectors), purge.MaxKeys)
	}
	id, err := st.serviceOf(r, who)
	if err != nil {
		if who.token == nil && !who.creds.local() {
			err = ErrUnauthenticated
		}
		return nil, marks{}, err
	}
	svc := st.services[id]
	if svc == nil {
		return nil, marks{}, who.authorise(id, nil, PurgeSelect)
	}
	m := marksOf(c.parts.Hasher, svc, r.Selectors)
	if err := who.authorise(id, svc, m.need()); err != nil {
		return nil, marks{}, err
	}
	if err := c.checkPredicates(svc, r.Selectors, now); err != nil {
		return nil, marks{}, err
	}
	if err := svc.take(c.accountOf(who), now, m.demand); err != nil {
		c.counts.limited.Add(1)
		return nil, marks{}, err
	}
	return svc, m, st.check(r, id)
}

// count fills in how many objects an applied purge took, where that is known.
func (c *Control) count(r *Receipt, m marks) {
	if len(m.urls) == 0 || c.parts.Counter == nil {
		return
	}
	r.CountKnown = true
	for _, url := range m.urls {
		r.Count += c.parts.Counter.Touched(r.Service, url, r.ID)
	}
}
