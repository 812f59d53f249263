package cluster

import (
	"maps"
	"slices"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// sweep asks everybody whether they can supply what somebody cannot.
type sweep struct {
	gone   map[journal.Incarnation]journal.Spans
	newest journal.Vector
	left   map[wire.ID]bool
}

// missing begins to ask everybody for what a member knows and cannot supply.
func (c *Cluster) missing(from wire.ID, got pulled) {
	r := &c.rounds
	peers := c.view.Load().peers
	r.mu.Lock()
	fresh := r.mu.sweep == nil
	if fresh {
		r.mu.sweep = &sweep{
			gone: map[journal.Incarnation]journal.Spans{}, newest: journal.Vector{}, left: map[wire.ID]bool{},
		}
		for _, p := range peers {
			r.mu.sweep.left[p.id] = true
		}
	}
	for _, part := range got.gone {
		s := r.mu.sweep
		s.gone[part.Incarnation] = s.gone[part.Incarnation].Union(part.Spans)
		s.newest[part.Incarnation] = s.newest[part.Incarnation].Merge(got.vector[part.Incarnation])
	}
	r.mu.Unlock()
	if !fresh {
		return
	}
	for _, p := range peers {
		if p.id != from {
			r.ask(p.id)
		}
	}
}

// swept takes note that a member has been asked, with or without an answer: who
// does not answer cannot be reached. Once everybody has, what is still missing
// is given up.
func (c *Cluster) swept(id wire.ID, got pulled) {
	r := &c.rounds
	alive := c.view.Load().byID
	r.mu.Lock()
	s := r.mu.sweep
	if s != nil {
		delete(s.left, id)
		for left := range s.left {
			if alive[left] == nil {
				delete(s.left, left)
			}
		}
		if len(s.left) > 0 {
			s = nil
		} else {
			r.mu.sweep = nil
		}
	}
	r.mu.Unlock()
	if s != nil {
		c.concede(s)
	}
}

func (c *Cluster) concede(s *sweep) {
	known := c.cfg.Journal.Known()
	var gap []journal.Range
	for _, inc := range slices.SortedFunc(maps.Keys(s.gone), journal.Incarnation.Compare) {
		if spans := s.gone[inc].Minus(known[inc].Known()); len(spans) > 0 {
			gap = append(gap, journal.Range{Incarnation: inc, Spans: spans})
		}
	}
	if len(gap) == 0 {
		return
	}
	c.stats.gaps.Add(1)
	c.log.Warn("no member can supply some entries any more; what was stored is dropped",
		"entries", journal.CountOf(gap), "incarnations", len(gap))
	if err := c.cfg.Journal.Concede(gap, s.newest); err != nil {
		c.log.Error("entries that nobody can supply could not be given up", "error", err)
		return
	}
	for _, p := range c.view.Load().peers {
		c.rounds.ask(p.id) // now that nothing stands in the way
	}
}
