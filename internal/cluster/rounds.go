package cluster

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

const (
	// roundEvery is how often a random member is asked, at most.
	roundEvery = time.Second
	// roundsIn is how often a member is asked within the time after which it
	// would be isolated: heartbeats need some ten rounds to cross a thousand
	// members.
	roundsIn = 20
	// minRound bounds the rate where isolation is quick.
	minRound = 100 * time.Millisecond
	// maxPulls is how many exchanges run at a time.
	maxPulls = 8
	// failedAfter is how often in a row a member is asked in vain until it counts
	// as one that cannot be reached.
	failedAfter = 3
	// streamEvery is every how manieth round goes by stream without asking in a
	// packet first: where packets do not get through, streams may.
	streamEvery = 5
)

// rounds decides whom to ask next.
type rounds struct {
	mu struct {
		sync.Mutex
		urgent  map[wire.ID]bool // to be asked at once
		late    []wire.ID        // to be asked as soon as there is room
		running map[wire.ID]bool
		since   map[wire.ID]bool // have answered in full since the start
		failed  map[wire.ID]int  // how often in a row they have been asked in vain
		knows   map[wire.ID]bool // have this node in their roster
		met     map[wire.ID]bool // have answered in full since they had it
		sweep   *sweep
	}
	more chan struct{}
}

func (r *rounds) init() {
	r.mu.urgent = make(map[wire.ID]bool)
	r.mu.running = make(map[wire.ID]bool)
	r.mu.since = make(map[wire.ID]bool)
	r.mu.failed = make(map[wire.ID]int)
	r.mu.knows, r.mu.met = make(map[wire.ID]bool), make(map[wire.ID]bool)
	r.more = make(chan struct{}, 1)
}

// ask makes a member be asked at once.
func (r *rounds) ask(id wire.ID) {
	r.mu.Lock()
	r.mu.urgent[id] = true
	delete(r.mu.failed, id)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// next returns a member that is to be asked at once, if one more may be.
func (r *rounds) next() (wire.ID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.mu.running) >= maxPulls {
		return 0, false
	}
	for id := range r.mu.urgent {
		if !r.mu.running[id] {
			delete(r.mu.urgent, id)
			r.mu.running[id] = true
			return id, true
		}
	}
	for len(r.mu.late) > 0 && len(r.mu.running) < maxLatePulls {
		id := r.mu.late[0]
		if r.mu.late = r.mu.late[1:]; !r.mu.running[id] {
			r.mu.running[id] = true
			return id, true
		}
	}
	return 0, false
}

// askLate makes members be asked that are late to acknowledge.
func (r *rounds) askLate(ids []wire.ID) {
	r.mu.Lock()
	for _, id := range ids {
		if !slices.Contains(r.mu.late, id) {
			r.mu.late = append(r.mu.late, id)
		}
	}
	r.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// begin tells whether a member may be asked in its turn.
func (r *rounds) begin(id wire.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.running[id] || len(r.mu.running) >= maxPulls {
		return false
	}
	r.mu.running[id] = true
	return true
}

func (r *rounds) end(id wire.ID, complete, failed bool) {
	r.mu.Lock()
	if len(r.mu.since)+len(r.mu.failed) > 4*maxMembers {
		clear(r.mu.since) // members come and go; nothing is lost but a few questions
		clear(r.mu.failed)
	}
	delete(r.mu.running, id)
	if complete {
		r.mu.since[id] = true
		delete(r.mu.failed, id)
	}
	again := false
	if failed {
		r.mu.failed[id]++
		again = !r.mu.since[id] && r.mu.failed[id] < failedAfter
	}
	r.mu.Unlock()
	if again {
		r.retry(id)
		return
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// retry makes a member be asked once more, without forgetting how often it was
// asked in vain.
func (r *rounds) retry(id wire.ID) {
	r.mu.Lock()
	r.mu.urgent[id] = true
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// runRounds asks random members what they know, about once a second, and some
// at once.
func (c *Cluster) runRounds() {
	every := min(roundEvery, max(minRound, c.cfg.Isolation.After/roundsIn))
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 1; ; n++ {
		jittered := every*3/4 + time.Duration(rand.Int64N(int64(every/2)))
		timer := time.NewTimer(jittered)
		for waiting := true; waiting; {
			for id, ok := c.rounds.next(); ok; id, ok = c.rounds.next() {
				wg.Go(func() { c.pullUrgent(id) })
			}
			select {
			case <-c.ctx.Done():
				timer.Stop()
				return
			case <-c.rounds.more:
			case <-timer.C:
				waiting = false
			}
		}
		if p := c.randomPeer(); p != nil && c.rounds.begin(p.id) {
			wg.Go(func() { c.pullInTurn(p, n%streamEvery == 0) })
		}
	}
}

// randomPeer returns one who has not answered since the start, as long as there
// are such, else anybody.
func (c *Cluster) randomPeer() *peer {
	peers := c.view.Load().peers
	if len(peers) == 0 {
		return nil
	}
	c.rounds.mu.Lock()
	defer c.rounds.mu.Unlock()
	var unasked []*peer
	for _, p := range peers {
		if !c.rounds.mu.since[p.id] {
			unasked = append(unasked, p)
		}
	}
	if len(unasked) > 0 && rand.IntN(2) == 0 {
		peers = unasked
	}
	return peers[rand.IntN(len(peers))]
}

func (c *Cluster) pullUrgent(id wire.ID) {
	p := c.view.Load().byID[id]
	if p == nil {
		c.rounds.end(id, false, false)
		return
	}
	c.finishPull(p, true)
}

func (c *Cluster) pullInTurn(p *peer, stream bool) {
	if !stream && c.complete() && c.probe(p) {
		c.rounds.end(p.id, true, false)
		c.swept(p.id, false)
		c.assess()
		return
	}
	c.finishPull(p, false)
}

// finishPull asks a member and draws the consequences.
func (c *Cluster) finishPull(p *peer, hurry bool) {
	knew := c.rounds.known(p.id)
	got, err := c.pull(c.ctx, p, hurry)
	if got.complete && (knew || got.knew) && !c.health.joined() {
		c.rounds.meet(p.id)
	}
	c.rounds.end(p.id, got.complete, err != nil)
	if err != nil {
		if c.ctx.Err() == nil {
			c.stats.exchangeErrors.Add(1)
			c.log.Debug("comparison with a member failed", "member", p.name, "error", err)
		}
		c.swept(p.id, true)
		return
	}
	c.compared(got.asked, p.id)
	if len(got.gone) > 0 {
		c.missing(p.id, got)
	}
	c.swept(p.id, false)
	c.assess()
	if !c.health.joined() {
		// Not with the next second: a node that begins is to be in everybody's
		// roster, and ready, within a few round trips.
		c.settle()
		c.refreshRoster()
		c.assess()
	}
}
