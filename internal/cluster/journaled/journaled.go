// Package journaled lets the cluster carry what package durable keeps. It is
// apart from both, so that neither knows the other.
package journaled

import (
	"context"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/durable"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Journal is a durable.Journal as cluster.Journal wants it: what is received is
// in force when a method returns, and durable after Sync.
type Journal struct{ *durable.Journal }

// State returns a copy of the replicated state, and whether it is complete.
func (j Journal) State() (m *state.Map, complete bool) {
	// In this order: a state that becomes complete in between has only gained.
	complete = j.Complete()
	return j.Journal.State(), complete
}

// Receive takes entries of others and returns those that were issued anew.
func (j Journal) Receive(entries []journal.Entry) ([]journal.Entry, error) {
	got, _, err := j.Journal.Receive(entries)
	return got.Reissued, err
}

// Meet is shown what a peer knows, and returns what was issued anew.
func (j Journal) Meet(peer journal.Vector) ([]journal.Entry, error) {
	reissued, _, err := j.Journal.Meet(peer)
	return reissued, err
}

// Concede gives up entries that nobody can supply.
func (j Journal) Concede(gap []journal.Range, peers ...journal.Vector) error {
	_, _, err := j.Journal.Concede(gap, peers...)
	return err
}

// Adopt takes over a peer's heads as known.
func (j Journal) Adopt(peer journal.Vector) error {
	_, err := j.Journal.Adopt(peer)
	return err
}

// MergeState joins a peer's whole state to this node's.
func (j Journal) MergeState(peer *state.Map, complete bool) ([]state.Item, error) {
	changed, _, err := j.Journal.MergeState(peer, complete)
	return changed, err
}

// PutItems joins items to the replicated state.
func (j Journal) PutItems(items ...state.Item) error {
	_, _, err := j.Journal.PutItems(items...)
	return err
}

// Found says that this node is the first.
func (j Journal) Found() error {
	_, err := j.Journal.Found()
	return err
}

// Sync makes all that is in force durable.
func (j Journal) Sync(ctx context.Context) error { return j.Journal.Sync(ctx) }
