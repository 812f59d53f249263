package durable

import (
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Own returns the incarnation that issues now, and how many entries it has.
func (j *Journal) Own() (inc journal.Incarnation, issued uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.set.Own()
}

// Position returns the last position used.
func (j *Journal) Position() field.Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.position
}

// Known returns a copy of the vector of all that is in force: what to compare
// with peers.
func (j *Journal) Known() journal.Vector {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.set.Vector()
}

// Digests returns the digests of Known.
func (j *Journal) Digests() journal.Digests { return j.Known().Digests() }

// Durable returns a copy of the vector of what would survive a crash: the only
// one to acknowledge by.
func (j *Journal) Durable() journal.Vector {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cfg.FS == nil {
		return j.mu.set.Vector()
	}
	return j.mu.durable.Clone()
}

// DurableRow is Durable for one incarnation.
func (j *Journal) DurableRow(inc journal.Incarnation) journal.Row {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cfg.FS == nil {
		row, _ := j.mu.set.Row(inc)
		return row
	}
	return j.mu.durable[inc]
}

// Knows tells whether an entry is in force.
func (j *Journal) Knows(id journal.ID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.set.Knows(id)
}

// Compare says what this node and a peer owe each other. theirs is the peer's
// vector as far as it belongs to some parts.
func (j *Journal) Compare(theirs journal.Vector, parts journal.BucketSet) journal.Difference {
	j.mu.Lock()
	mine, horizon := j.mu.set.Vector(), j.mu.set.Horizon(j.now())
	j.mu.Unlock()
	return journal.Compare(mine.In(parts), theirs.In(parts), horizon)
}

// Plan says from which of some peers to fetch what this node lacks.
func (j *Journal) Plan(peers []journal.Vector) journal.Plan {
	j.mu.Lock()
	mine, horizon := j.mu.set.Vector(), j.mu.set.Horizon(j.now())
	j.mu.Unlock()
	return journal.NewPlan(mine, peers, horizon)
}

// Supply returns kept entries: see journal.Set.Supply. Entries never change, so
// they may be used after the call.
func (j *Journal) Supply(r journal.Request) journal.Supply {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.set.Supply(r)
}

// State returns a copy of the replicated state.
func (j *Journal) State() *state.Map {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.state.Clone()
}

// Item returns what stands in the state under a key.
func (j *Journal) Item(key state.Key) (state.Item, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.state.Get(key)
}

// Complete tells whether the state is all that the cluster has, as far as this
// node could know: it was received whole, or this node began it. Until then
// what is not in it may be for want of having been told.
func (j *Journal) Complete() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.mu.complete
}

// Stats are a journal's sizes and troubles.
type Stats struct {
	journal.Usage
	Position field.Position
	Items    int   // of the state, removals included
	Pending  int   // bytes that wait for the disk
	Failing  error // of the last commit; nil: it succeeded
	// Ancient counts entries of others that were refused for their age since the
	// start: the clock of who issued them, or this one's, is wrong by weeks, and
	// what they asked for is not in force here.
	Ancient uint64
}

// Stats returns the present sizes.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Stats{
		Usage: j.mu.set.Usage(), Position: j.mu.position, Items: j.mu.state.Len(),
		Pending: j.mu.next.bytes, Failing: j.mu.failing, Ancient: j.mu.ancient,
	}
}

// Lacking returns those of some entries that are not in force.
func (j *Journal) Lacking(entries []journal.Range) (lacking []journal.Range) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, part := range entries {
		row, _ := j.mu.set.Row(part.Incarnation)
		if spans := part.Spans.Minus(row.Known()); len(spans) > 0 {
			lacking = append(lacking, journal.Range{Incarnation: part.Incarnation, Spans: spans})
		}
	}
	return lacking
}
