package app

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Questions that members ask each other about a purge.
const (
	// topicReceipt asks the node that accepted a purge who has applied it.
	topicReceipt = "receipt"
	// topicPurge asks any member for the receipt itself.
	topicPurge = "purge"
	// topicApplied asks any member whether it has an entry on disk.
	topicApplied = "applied"
)

// askTimeout bounds how long somebody who looks at a receipt waits for members
// that do not answer.
const askTimeout = 2 * time.Second

// confirmations says who has applied a purge, wherever it was accepted; nil
// where there are no others. The node that accepted it knows most. Where that is
// gone, every member is asked for itself.
func (a *App) confirmations(ctx context.Context, r control.Receipt) *api.Confirmations {
	if a.cluster == nil || r.Entry.Seq == 0 {
		return nil
	}
	if p, ok := a.control.Progress(r); ok {
		return a.ownConfirmations(r, p)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, answer := range a.cluster.Query(ctx, cluster.To{Member: r.Node}, topicReceipt, []byte(r.ID.String())) {
		var c api.Confirmations
		if answer.Err == nil && json.Unmarshal(answer.Body, &c) == nil {
			return &c
		}
	}
	return a.gatherConfirmations(ctx, r.Entry)
}

// ownConfirmations says who has applied a purge that this node accepted.
func (a *App) ownConfirmations(r control.Receipt, p control.Progress) *api.Confirmations {
	disk := a.began.Node.DataDir != ""
	own := api.Confirmation{Member: a.began.Node.Name, POP: a.began.Node.POP, Applied: p.Saved, Disk: &disk}
	if p.Saved && r.Saved > 0 {
		own.AppliedIn, own.Took = duration(r.Took), duration(r.Saved)
	}
	c := &api.Confirmations{Members: []api.Confirmation{own}, Partial: p.Partial, Confirmed: []api.WaitLevel{}}
	if own.Applied {
		c.Applied++
	}
	var slowest time.Duration
	for _, m := range p.Members {
		one := api.Confirmation{Member: m.Member, POP: m.POP, Applied: m.Applied, Disk: &m.Disk}
		if m.Applied {
			c.Applied++
		}
		if m.Applied && m.Took >= 0 {
			one.Took = duration(m.Took)
			shown := m.Took
			if m.InForce >= 0 {
				one.AppliedIn, shown = duration(m.InForce), m.InForce
			}
			if shown >= slowest {
				slowest, c.Slowest = shown, m.Member
			}
		}
		c.Members = append(c.Members, one)
	}
	a.judge(c, r, p.Members)
	return c
}

// judge says which levels are reached now, and who is waited for.
func (a *App) judge(c *api.Confirmations, r control.Receipt, others []control.Confirmation) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	for _, level := range [...]control.Level{control.WaitPeer, control.WaitPOP, control.WaitAll} {
		missing, err := a.control.Wait(now, r, level)
		if level == control.WaitPeer && a.began.Cluster.DurableOn > 1 && !slices.ContainsFunc(others, control.Confirmation.OnDisk) {
			continue // nobody to wait for is no second disk
		}
		if err == nil && len(missing) == 0 {
			c.Confirmed = append(c.Confirmed, api.WaitLevel(level))
		}
		if level == control.WaitAll {
			c.Missing = missing
		}
	}
}

// gatherConfirmations asks every member whether it has an entry. No level is
// said to be reached: who the members were at the time is not known here.
func (a *App) gatherConfirmations(ctx context.Context, id journal.ID) *api.Confirmations {
	answers := make(map[string]bool)
	for _, answer := range a.cluster.Query(ctx, cluster.To{}, topicApplied, appendEntryID(nil, id)) {
		answers[answer.Member] = answer.Err == nil && string(answer.Body) == appliedYes
	}
	answers[a.began.Node.Name] = a.journal.DurableRow(id.Incarnation).Knows(id.Seq)
	c := &api.Confirmations{Partial: true, Confirmed: []api.WaitLevel{}, Members: []api.Confirmation{}}
	for _, m := range a.cluster.Members() {
		one := api.Confirmation{Member: m.Name, POP: m.POP, Applied: answers[m.Name], Disk: &m.Disk}
		if one.Applied {
			c.Applied++
		} else {
			c.Missing = append(c.Missing, m.Name)
		}
		c.Members = append(c.Members, one)
	}
	return c
}

// answerReceipt answers a member that asks about a purge of this node's.
func (a *App) answerReceipt(body []byte) ([]byte, error) {
	id, err := purge.ParseID(string(body))
	if err != nil {
		return nil, err
	}
	r, ok := a.control.Known(id)
	if !ok {
		return nil, control.ErrUnknownPurge
	}
	p, ok := a.control.Progress(r)
	if !ok {
		return nil, control.ErrUnknownPurge
	}
	return json.Marshal(a.ownConfirmations(r, p))
}

// Answers to topicApplied.
const (
	appliedYes = "yes"
	appliedNo  = "no"
)

// errBadQuestion is returned for a question that this version cannot read.
var errBadQuestion = errors.New("the question cannot be read")

func (a *App) answerApplied(body []byte) ([]byte, error) {
	id, ok := parseEntryID(body)
	if !ok {
		return nil, errBadQuestion
	}
	if a.journal.DurableRow(id.Incarnation).Knows(id.Seq) {
		return []byte(appliedYes), nil
	}
	return []byte(appliedNo), nil
}

func appendEntryID(b []byte, id journal.ID) []byte {
	return binary.BigEndian.AppendUint64(append(b, id.Incarnation[:]...), id.Seq)
}

func parseEntryID(b []byte) (id journal.ID, ok bool) {
	n := copy(id.Incarnation[:], b)
	if len(b) != n+8 {
		return journal.ID{}, false
	}
	id.Seq = binary.BigEndian.Uint64(b[n:])
	return id, true
}

func duration(d time.Duration) *api.Duration {
	out := api.Duration(d)
	return &out
}
