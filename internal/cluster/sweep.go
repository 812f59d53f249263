package cluster

import (
	"maps"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

const (
	// sweepRetry lies between two attempts to ask a member that did not answer.
	sweepRetry = time.Second
	// sweepPatience is how long, and sweepTries how often at least, a live member
	// is asked in vain until it counts as one that cannot be reached. What is
	// conceded costs all that is stored; a member that restarts its network, or
	// is busy, answers within this time.
	sweepPatience = 30 * time.Second
	sweepTries    = 3
)

// sweep asks everybody whether they can supply what somebody cannot. Only an
// answer counts: that the member's floor is above what lacks, or that it knows no
// more than this node.
type sweep struct {
	gone   map[journal.Incarnation]journal.Spans
	newest journal.Vector
	asked  map[wire.ID]bool     // have answered, or are given up
	silent map[wire.ID]*silence // have not
}

// silence is what is known of a member that does not answer.
type silence struct {
	since time.Duration
	tries int
}

// missing begins to ask everybody for what a member knows and cannot supply.
func (c *Cluster) missing(from wire.ID, got pulled) {
	r := &c.rounds
	r.mu.Lock()
	fresh := r.mu.sweep == nil
	if fresh {
		r.mu.sweep = &sweep{
			gone: map[journal.Incarnation]journal.Spans{}, newest: journal.Vector{},
			asked: map[wire.ID]bool{}, silent: map[wire.ID]*silence{},
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
	for _, p := range c.view.Load().peers {
		if p.id != from {
			r.ask(p.id)
		}
	}
}

// swept takes note of how asking a member ended. Once everybody who is alive has
// answered, what is still missing is given up.
func (c *Cluster) swept(id wire.ID, failed bool) {
	r := &c.rounds
	peers := c.view.Load().peers
	r.mu.Lock()
	s, again := r.mu.sweep, false
	if s != nil {
		if again = failed && s.waits(id, c.now()); !again {
			s.asked[id] = true
			delete(s.silent, id)
		}
		for _, p := range peers {
			if !s.asked[p.id] {
				s = nil
				break
			}
		}
		if s != nil {
			r.mu.sweep = nil
		}
	}
	r.mu.Unlock()
	if again {
		c.wg.Go(func() {
			if c.pause(sweepRetry) {
				r.retry(id)
			}
		})
	}
	if s != nil {
		c.concede(s)
	}
}

// waits tells whether a member that did not answer is to be asked again.
func (s *sweep) waits(id wire.ID, now time.Duration) bool {
	if s.asked[id] {
		return false
	}
	silent := s.silent[id]
	if silent == nil {
		silent = &silence{since: now}
		s.silent[id] = silent
	}
	silent.tries++
	return silent.tries < sweepTries || now-silent.since < sweepPatience
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
	if err := c.cfg.Journal.Concede(gap, s.newest); err != nil {
		if c.says.concede.failed() {
			c.log.Error("entries that nobody can supply could not be given up", "error", err)
		}
		return
	}
	c.says.concede.worked()
	c.stats.gaps.Add(1)
	c.log.Warn("no member can supply some entries any more; what was stored is dropped",
		"entries", journal.CountOf(gap), "incarnations", len(gap))
	for _, p := range c.view.Load().peers {
		c.rounds.ask(p.id) // now that nothing stands in the way
	}
}
