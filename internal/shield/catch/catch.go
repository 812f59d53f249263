// Package catch brings a shield up to what an edge knows before it looks anything
// up for it: Catcher says within a bounded time whether every purge that an edge
// asks about is in force here. It decides nothing of what then becomes of the
// request, and knows the cluster only by the interface Peers.
package catch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/shield"
)

// Peers are the other members of the cluster. Its methods may be called by
// several goroutines.
type Peers interface {
	// SessionOf returns the session of a live member.
	SessionOf(member string) (shield.Session, bool)
	// Fetch takes entries over from a member; when it returns nil, those that it
	// supplied are in force here.
	Fetch(ctx context.Context, member string, entries []journal.Range) error
	// CatchUp takes over all that a member knows. When it returns nil, everything
	// that the member knew when CatchUp was called is in force here.
	CatchUp(ctx context.Context, member string) error
}

// Journal is what this node knows.
type Journal interface {
	// Lacking returns those of some entries that are not in force here. It is
	// called for nearly every request.
	Lacking([]journal.Range) []journal.Range
}

// Times.
const (
	// Patience is how long a request waits for what this node lacks: longer than
	// two round trips on a continent, and not so long that going to the origin at
	// once would have been better.
	Patience = 50 * time.Millisecond
	// runTimeout bounds an attempt to catch up. It goes on when nobody waits any
	// more, so that the next requests of a distant edge need not.
	runTimeout = 10 * time.Second
	// rest is how long an edge that could not be caught up with is not tried again:
	// its requests would each wait in vain.
	rest = time.Second
)

// Limits.
const (
	// maxEdges bounds the edges that are remembered: as many as members.
	maxEdges = 4096
	// maxRuns bounds the attempts to catch up that are under way at a time. Requests
	// of other edges go to the origin meanwhile.
	maxRuns = 64
)

// Covering says whether a request may be answered from what is stored here.
type Covering uint8

const (
	// NotCovered: something that the edge knows may not be in force here.
	NotCovered Covering = iota
	// Covered: all of it was in force.
	Covered
	// CaughtUp: all of it is in force now.
	CaughtUp
)

// Stats count requests of edges since the start, by what became of them here.
type Stats struct{ Covered, CaughtUp, Behind, Failed uint64 }

// Catcher knows what edges know. Make it with New. Its methods may be called by
// several goroutines.
type Catcher struct {
	own     shield.Session
	journal Journal
	peers   Peers
	log     *slog.Logger
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	runs    atomic.Int64
	undone  undone
	counts  struct{ covered, caught, behind, failed atomic.Uint64 }
	mu      struct {
		sync.Mutex
		edges  map[shield.Session]*edge
		closed bool
	}
}

// edge is one start of another node.
type edge struct {
	upTo  field.Position // all that it had applied up to there is in force here
	run   *run           // under way; nil: none is
	until time.Time      // it is not tried again before
}

// run is one attempt to catch up with an edge.
type run struct {
	done chan struct{}
	err  error // set before done is closed
}

// New returns a Catcher of a node, whose session is own.
func New(own shield.Session, j Journal, peers Peers, log *slog.Logger) *Catcher {
	c := &Catcher{own: own, journal: j, peers: peers, log: log}
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.mu.edges = make(map[shield.Session]*edge)
	return c
}

// Close gives up what is under way and waits for it.
func (c *Catcher) Close() {
	c.stop()
	c.mu.Lock()
	c.mu.closed = true
	c.mu.Unlock()
	c.running.Wait()
}

// Own returns this node's session.
func (c *Catcher) Own() shield.Session { return c.own }

// Stats returns what has been counted.
func (c *Catcher) Stats() Stats {
	return Stats{
		Covered: c.counts.covered.Load(), CaughtUp: c.counts.caught.Load(),
		Behind: c.counts.behind.Load(), Failed: c.counts.failed.Load(),
	}
}

// Covers tells whether every purge that an edge's request must not be answered
// without is in force here, and catches up with the edge first where it is not,
// for at most Patience.
func (c *Catcher) Covers(ctx context.Context, a *shield.Ask) Covering {
	switch {
	case a.Fresh:
	case c.covers(a):
		c.counts.covered.Add(1)
		return Covered
	case c.catchUp(ctx, a):
		c.counts.caught.Add(1)
		return CaughtUp
	}
	c.counts.behind.Add(1)
	return NotCovered
}

// Confirms tells, once an answer is there, whether all that the edge knew is in
// force by now. It waits for nothing.
func (c *Catcher) Confirms(a *shield.Ask) bool { return c.covers(a) }

// covers compares. A comparison with the edge as a whole is worth more than a list
// of entries: what this node then lacks of the list, the edge cannot have applied.
func (c *Catcher) covers(a *shield.Ask) bool {
	based := a.Shield == c.own
	if !based || len(a.Entries) > 0 {
		upTo := c.upTo(a.Session)
		if upTo >= a.At {
			return true
		}
		based = based || upTo >= a.Since
	}
	return based && (len(a.Entries) == 0 || len(c.journal.Lacking(a.Entries)) == 0)
}

func (c *Catcher) upTo(session shield.Session) field.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.mu.edges[session]; e != nil {
		return e.upTo
	}
	return 0
}

// catchUp waits until this node covers a request. A run that had begun before the
// request may not have asked for what it needs, so the next one is waited for too.
func (c *Catcher) catchUp(ctx context.Context, a *shield.Ask) bool {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		r, fresh := c.join(a)
		if r == nil {
			return false
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return c.covers(a) // by other ways, meanwhile
		}
		if c.covers(a) {
			return true
		}
		if fresh || r.err != nil {
			return false
		}
	}
}

// join returns the run under way for an edge, or a new one; nil: there is none and
// may be none.
func (c *Catcher) join(a *shield.Ask) (r *run, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.edgeLocked(a.Session)
	switch {
	case e.run != nil:
		return e.run, false
	case c.mu.closed || time.Now().Before(e.until):
		return nil, false
	case c.runs.Add(1) > maxRuns:
		c.runs.Add(-1)
		return nil, false
	}
	e.run = &run{done: make(chan struct{})}
	c.running.Add(1)
	go c.carryOut(e, e.run, *a)
	return e.run, true
}

// edgeLocked returns what is remembered of an edge. Where there are too many, any
// that is idle is forgotten: it will have to be caught up with once more.
func (c *Catcher) edgeLocked(session shield.Session) *edge {
	if e := c.mu.edges[session]; e != nil {
		return e
	}
	for other, e := range c.mu.edges {
		if len(c.mu.edges) < maxEdges {
			break
		}
		if e.run == nil {
			delete(c.mu.edges, other)
		}
	}
	e := &edge{}
	c.mu.edges[session] = e
	return e
}

// carryOut catches up with an edge.
func (c *Catcher) carryOut(e *edge, r *run, a shield.Ask) {
	defer c.running.Done()
	defer c.runs.Add(-1)
	ctx, cancel := context.WithTimeout(c.ctx, runTimeout)
	defer cancel()
	whole, err := c.attempt(ctx, &a)
	c.mu.Lock()
	if e.run = nil; err != nil {
		e.until = time.Now().Add(rest)
	} else if whole {
		e.upTo = max(e.upTo, a.At)
	}
	c.mu.Unlock()
	if r.err = err; err != nil && c.ctx.Err() == nil {
		c.counts.failed.Add(1)
		c.log.Debug("could not catch up with an edge; its requests go to the origin", "member", a.From, "error", err)
	}
	close(r.done)
}

// attempt fetches the few entries that lack, which takes one round trip, or else
// compares with the edge as a whole, which takes two or more.
func (c *Catcher) attempt(ctx context.Context, a *shield.Ask) (whole bool, err error) {
	if session, alive := c.peers.SessionOf(a.From); !alive || session != a.Session {
		return false, errUnknownEdge
	}
	if a.Shield == c.own {
		if err := c.peers.Fetch(ctx, a.From, c.journal.Lacking(a.Entries)); err != nil {
			return false, err
		}
		if len(c.journal.Lacking(a.Entries)) == 0 {
			return false, nil
		}
	}
	return true, c.peers.CatchUp(ctx, a.From)
}
