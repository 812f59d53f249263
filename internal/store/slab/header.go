package slab

import "sync/atomic"

// Ref names a slot. The zero Ref names none.
type Ref uint32

// HeaderBytes is what a Header takes at the beginning of each slot.
const HeaderBytes = 16

// Header is what every slot begins with. It tells who must leave for the slot
// to become free.
type Header struct {
	state atomic.Uint32
	group Ref // while free: the next free slot of the slab
	hash  uint64
}

// States of a slot.
const (
	stateFree    = iota
	stateBusy    // taken, and nobody can be asked to leave it yet
	stateSettled // belongs to a group
)

// Settle says, once, that a slot becomes free when a group leaves: how its owner
// names the group, and a hash by which its owner finds it.
func (p *Pool) Settle(r Ref, group Ref, hash uint64) {
	h := p.Header(r)
	h.group, h.hash = group, hash
	h.state.Store(stateSettled)
	p.slabs[r>>p.slabShift].busy.Add(-1)
}

// Group returns the group that the slot was settled with.
func (h *Header) Group() Ref { return h.group }

// Hash returns the hash that the slot was settled with.
func (h *Header) Hash() uint64 { return h.hash }
