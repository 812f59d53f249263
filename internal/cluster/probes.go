package cluster

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// probeTable holds the probes that are not answered: at most maxPulls.
type probeTable struct {
	mu struct {
		sync.Mutex
		open map[uint64]chan wire.ProbeReply
	}
}

func (t *probeTable) init() { t.mu.open = make(map[uint64]chan wire.ProbeReply) }

// begin returns a nonce that cannot be guessed, so that no old answer passes
// for a new one, and where its answer comes.
func (t *probeTable) begin(random io.Reader) (uint64, <-chan wire.ProbeReply) {
	var b [8]byte
	// A source that fails gives zeros, and an answer that may be mistaken for
	// another; the sources in use do not fail.
	_, _ = io.ReadFull(random, b[:])
	nonce, answer := binary.BigEndian.Uint64(b[:]), make(chan wire.ProbeReply, 1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.open[nonce] = answer
	return nonce, answer
}

func (t *probeTable) end(nonce uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.open, nonce)
}

func (t *probeTable) answer(p wire.ProbeReply) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case t.mu.open[p.Nonce] <- p: // never if there is none
	default:
	}
}

// probe asks in a packet whether a member knows the same as this node. If so its
// heartbeat counts.
func (c *Cluster) probe(p *peer) bool {
	asked := c.cfg.Clock()
	digests := c.cfg.Journal.Known().Digests()
	nonce, answer := c.probes.begin(c.cfg.Random)
	defer c.probes.end(nonce)
	c.sendOne(wire.AppendProbe(nil, &wire.Probe{Nonce: nonce, Vector: digests.Whole, State: c.stateDigest()}), p)
	ctx, cancel := context.WithTimeout(c.ctx, 2*c.rtt(p.id)+graceTime)
	defer cancel()
	select {
	case got := <-answer:
		if !got.SameVector || !got.SameState {
			return false
		}
		c.countBeats(asked, p.id, got.Beats)
		c.compared(asked, p.id)
		return true
	case <-ctx.Done():
		return false
	}
}

// answerProbe says whether this node knows what the asker knows.
func (c *Cluster) answerProbe(p wire.Probe, src source) {
	if src.origin == nil {
		return
	}
	c.news.hear(src.origin.id, p.State)
	beats := c.beats() // before the digest, which must have what they promise
	digests := c.cfg.Journal.Known().Digests()
	reply := wire.ProbeReply{
		Nonce: p.Nonce, SameVector: digests.Whole == p.Vector, SameState: c.stateDigest() == p.State, Beats: beats,
	}
	c.sendOne(wire.AppendProbeReply(nil, &reply, seal.MaxContent), src.origin)
}

// stateTime is for how long a digest of the replicated state is good enough: it
// takes a copy of the state to compute, and comparisons come once a second.
const stateTime = 500 * time.Millisecond

// stateCache holds the digest of the replicated state for a short time.
type stateCache struct {
	mu struct {
		sync.Mutex
		digest [16]byte
		until  time.Duration
	}
}

func (c *Cluster) stateDigest() [16]byte {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	if now := c.now(); now >= c.state.mu.until {
		m, _ := c.cfg.Journal.State()
		c.state.mu.digest, c.state.mu.until = m.Digest(), now+stateTime
	}
	return c.state.mu.digest
}

// stateChanged takes over a change of the replicated state, and passes it on.
func (c *Cluster) stateChanged() {
	c.stateTouched()
	c.refreshRoster()
}

// stateTouched says that the digest of the state is another, and tells others.
func (c *Cluster) stateTouched() {
	c.stateStale()
	c.news.tell()
}

// stateStale has the digest of the state computed anew.
func (c *Cluster) stateStale() {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.mu.until = 0
}
