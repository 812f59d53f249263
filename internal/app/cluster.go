package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/journaled"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// newCluster makes this node's part of the cluster; nil where it is alone. It
// comes after control, which knows what the node issued before it was restarted.
func (a *App) newCluster(cfg *config.Config) (*cluster.Cluster, error) {
	c := &cfg.Cluster
	if !c.Enabled() {
		return nil, nil
	}
	settings := cluster.Config{
		Name: cfg.Node.Name, POP: cfg.Node.POP, Identity: [16]byte(a.journal.Recovered().Node), Version: clip(a.opts.Version, 32),
		Join: c.Join, Secrets: secrets(c.Secret), Journal: journaled.Journal{Journal: a.journal},
		Isolation: cluster.Isolation{After: c.Isolation.After, Policy: clusterPolicy(c.Isolation.Policy)},
		Empty:     true, // what is stored is in memory: at a start there is nothing
		HoldsBack: c.Isolation.AtStart != config.IsolationServe,
		MayCover:  a.mayCover, Handle: a.answerMember, Log: a.log, Issuers: a.earlier(),
	}
	if cfg.Node.DataDir == "" {
		settings.Identity = [16]byte{}
	}
	if c.Role == config.RoleWitness {
		settings.Roles = []string{string(c.Role)}
	}
	settings.Bind, _ = netip.ParseAddrPort(c.Bind) // checked by config
	if at, err := netip.ParseAddrPort(cfg.Listen.Shield); err == nil {
		settings.ShieldPort = at.Port()
	}
	if c.Advertise != "" {
		settings.Advertise, _ = netip.ParseAddrPort(c.Advertise)
	}
	made, err := cluster.New(settings)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return made, nil
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

func secrets(list []string) (all [][]byte) {
	for _, s := range list {
		all = append(all, []byte(s))
	}
	return all
}

func clusterPolicy(p config.IsolationPolicy) cluster.Policy {
	switch p {
	case config.IsolationRevalidate:
		return cluster.PolicyRevalidate
	case config.IsolationRefuse:
		return cluster.PolicyRefuse
	}
	return cluster.PolicyServe
}

func trustOf(p config.IsolationPolicy) proxy.Trust {
	switch p {
	case config.IsolationRevalidate:
		return proxy.TrustOrigin
	case config.IsolationRefuse:
		return proxy.TrustNobody
	}
	return proxy.TrustStored
}

// trusts says what may be done with what is stored. It is asked for every
// request. The settings are those of the start, which other members know.
func (a *App) trusts() proxy.Trust {
	if a.cluster == nil {
		return proxy.TrustStored
	}
	isolation := &a.began.Cluster.Isolation
	now := proxy.TrustStored
	if a.cluster.Isolated() {
		now = trustOf(isolation.Policy)
	}
	if !a.cluster.Ready() {
		now = max(now, trustOf(isolation.AtStart))
	}
	if a.leaving.Load() || a.cluster.Refused() != nil {
		now = max(now, proxy.TrustOrigin) // whatever is set: purges do not come here any more
	}
	return now
}

// trust returns trusts for the data plane; nil where the node is alone.
func (a *App) trust() func() proxy.Trust {
	if a.cluster == nil {
		return nil
	}
	return a.trusts
}

// tokensKnown tells whether this node has heard, since its start, which tokens
// are good.
func (a *App) tokensKnown() bool { return a.cluster == nil || a.cluster.Informed() }

// mayCover tells which entries may stand for earlier ones that they repeat: those
// of which the effect is final, so that no revert can take it away, nor has.
func (a *App) mayCover(e *journal.Entry) bool {
	return time.Since(time.UnixMilli(e.Time)) > final && a.control.Stands(e)
}

// final is the age from which on nobody can take a purge back: a node may apply
// it as late as entries are kept, and its undo window begins then. An hour more is
// for clocks that differ.
const final = journal.DefaultRetention + config.MaxUndoWindow + time.Hour

// clusterReady says why traffic had better go elsewhere: the node would ask the
// origin for everything, or answer nothing.
func (a *App) clusterReady() error {
	if a.cluster == nil {
		return nil
	}
	isolation := &a.began.Cluster.Isolation
	h := a.cluster.Health()
	switch {
	case h.Refused != nil:
		return h.Refused
	case a.leaving.Load():
		return errLeft
	case h.Alone != nil && isolation.AtStart != config.IsolationServe:
		return fmt.Errorf("%v: %w", h.Readiness, h.Alone)
	case h.Readiness != cluster.Ready && isolation.AtStart != config.IsolationServe:
		return fmt.Errorf("%v: %d of %d members heard, %d needed", h.Readiness, h.Fresh, h.Roster, h.Majority)
	case h.Isolated && isolation.Policy != config.IsolationServe:
		return fmt.Errorf("isolated: %d of %d members heard, %d needed", h.Fresh, h.Roster, h.Majority)
	}
	return a.fewDisks()
}

// errFewDisks is the reason of a node that is to have purges on more disks than its
// cluster has.
var errFewDisks = errors.New("too few disks")

// fewDisks says that no purge can be answered as complete, because too few members
// have a disk; nil: enough have, or it is not asked for, or this node does not know
// yet who they are. Members that are down count:
// nothing but settings, a leave or a forget makes it come true.
func (a *App) fewDisks() error {
	want := a.began.Cluster.DurableOn
	if want < 2 || !a.cluster.Ready() {
		return nil
	}
	n, without := a.cluster.Disks()
	switch {
	case n >= want:
		return nil
	case len(without) == 0:
		return fmt.Errorf("%w: cluster.durable_on is %d, and this node is the only member: start a second one that has node.data_dir, or set durable_on: 1 and restart", errFewDisks, want)
	}
	return fmt.Errorf("%w: cluster.durable_on is %d, and no other member has a disk: set node.data_dir on one of these and restart it, or set durable_on: 1 and restart: %s",
		errFewDisks, want, strings.Join(without, ", "))
}

// errUnknownTopic answers members that ask for what this version does not know.
var errUnknownTopic = errors.New("this member does not know what that is")

// answerMember answers what other members ask.
func (a *App) answerMember(ctx context.Context, q cluster.Question) ([]byte, error) {
	switch q.Topic {
	case topicReceipt:
		return a.answerReceipt(q.Body)
	case topicPurge:
		return a.answerPurge(q.Body)
	case topicApplied:
		return a.answerApplied(q.Body)
	case topicKeys:
		return a.answerKeys()
	}
	return nil, errUnknownTopic
}

// spreadEvery is how often invalidations by unsafe methods are told to others.
const spreadEvery = 250 * time.Millisecond

func (a *App) spreadInvalidations(ctx context.Context) {
	ticker := time.NewTicker(spreadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			a.control.SpreadInvalidations()
		case <-ctx.Done():
			a.control.SpreadInvalidations() // no request adds to them any more
			return
		}
	}
}

// aloneAfter is when a node that has met nobody says so: others may start later.
const aloneAfter = 10 * time.Second

// watchCluster says in the log how the node stands to the cluster. That it is
// isolated the cluster says itself.
func (a *App) watchCluster(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var was cluster.Health
	said, few := false, false
	for {
		h := a.cluster.Health()
		if h.Readiness != was.Readiness {
			a.log.Info("cluster", "state", h.Readiness.String(), "roster", h.Roster)
		}
		if h.Refused != nil && was.Refused == nil {
			a.log.Error("the cluster keeps this node out; it serves nothing that it has stored", "error", h.Refused)
		}
		if h.Alone != nil && !said && time.Since(a.started) > aloneAfter {
			said = true
			a.log.Error("this node has not joined its cluster", "error", h.Alone)
		}
		err := a.fewDisks()
		switch {
		case err != nil && !few:
			a.log.Error("no purge is answered as complete", "error", err)
		case err == nil && few:
			a.log.Info("enough members have a disk")
		}
		few = err != nil
		was = h
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
