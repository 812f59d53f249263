package cluster

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/spread"
)

// PropagationBounds are the upper bounds of the propagation histogram's buckets.
var PropagationBounds = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 75 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond,
	200 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
	5 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour,
}

// Histogram counts how long own entries took until they were applied and
// durable on members of a POP.
type Histogram struct {
	Counts [len(PropagationBounds) + 1]uint64 // by bucket; the last has no bound
	Sum    time.Duration
}

// maxPOPs bounds how many POPs have a histogram of their own; the rest share
// that of the empty name. A POP's name comes from others.
const maxPOPs = 1024

// counters count since the start.
type counters struct {
	packets         [seal.Refusals]atomic.Uint64
	malformed       atomic.Uint64
	unknownFrames   atomic.Uint64
	copies          atomic.Uint64
	passedOn        atomic.Uint64
	sentPackets     atomic.Uint64
	sentBytes       atomic.Uint64
	sendErrors      atomic.Uint64
	receiveErrors   atomic.Uint64
	streamErrors    atomic.Uint64
	streamsRefused  atomic.Uint64
	streamSeals     atomic.Uint64
	memberSeals     atomic.Uint64
	refusedRequests atomic.Uint64
	supplied        atomic.Uint64
	repaired        atomic.Uint64
	exchanges       atomic.Uint64
	exchangeErrors  atomic.Uint64
	pushesDropped   atomic.Uint64
	gaps            atomic.Uint64
	namesRefused    atomic.Uint64
	joinErrors      atomic.Uint64
	lookupErrors    atomic.Uint64
	linesLeft       atomic.Uint64 // of memberlist, since the last one that was logged
	answering       atomic.Int64
	propagation     struct {
		sync.Mutex
		pops map[string]*Histogram
	}
}

func (s *counters) observe(pop string, took time.Duration) {
	p := &s.propagation
	p.Lock()
	defer p.Unlock()
	if p.pops == nil {
		p.pops = make(map[string]*Histogram)
	}
	h := p.pops[pop]
	if h == nil {
		if len(p.pops) >= maxPOPs {
			pop = ""
		}
		if h = p.pops[pop]; h == nil {
			h = &Histogram{}
			p.pops[pop] = h
		}
	}
	bucket := 0
	for bucket < len(PropagationBounds) && took > PropagationBounds[bucket] {
		bucket++
	}
	h.Counts[bucket]++
	h.Sum += took
}

func (s *counters) refuseStream(err error) {
	if errors.Is(err, seal.ErrRefused) {
		s.streamSeals.Add(1)
		return
	}
	s.streamsRefused.Add(1)
}

// Stats are counts since the start and present sizes, for metrics.
type Stats struct {
	Packets        map[string]uint64 // received, by what became of them: seal.Refusal
	Malformed      uint64            // packets, frames and descriptions that no member writes
	UnknownFrames  uint64            // of a later version
	Copies         uint64            // batches that had come before
	PassedOn       uint64            // packets, as a relay
	SentPackets    uint64
	SentBytes      uint64
	SendErrors     uint64
	ReceiveErrors  uint64            // batches that the journal did not take
	Streams        map[string]uint64 // refused, by reason
	Supplied       uint64            // entries, to who lacked them
	Repaired       uint64            // entries fetched by comparison
	Exchanges      uint64
	ExchangeErrors uint64
	PushesDropped  uint64 // large or late entries left to comparison
	Gaps           uint64 // times that entries were given up
	NamesRefused   uint64 // nodes with the name of another
	JoinErrors     uint64
	LookupErrors   uint64
	Backlog        int // bytes of own entries that wait to be sent
	Spread         spread.Counters
	Propagation    map[string]Histogram // by POP
}

// Stats returns the present counts.
func (c *Cluster) Stats() Stats {
	s := &c.stats
	out := Stats{
		Packets: make(map[string]uint64), Malformed: s.malformed.Load(), UnknownFrames: s.unknownFrames.Load(),
		Copies: s.copies.Load(), PassedOn: s.passedOn.Load(),
		SentPackets: s.sentPackets.Load(), SentBytes: s.sentBytes.Load(), SendErrors: s.sendErrors.Load(),
		ReceiveErrors: s.receiveErrors.Load(),
		Streams: map[string]uint64{
			"open":       s.streamErrors.Load(),
			"limit":      s.streamsRefused.Load(),
			"seal":       s.streamSeals.Load(),
			"membership": s.memberSeals.Load(),
			"request":    s.refusedRequests.Load(),
		},
		Supplied: s.supplied.Load(), Repaired: s.repaired.Load(), Exchanges: s.exchanges.Load(),
		ExchangeErrors: s.exchangeErrors.Load(), PushesDropped: s.pushesDropped.Load(), Gaps: s.gaps.Load(),
		NamesRefused: s.namesRefused.Load(), JoinErrors: s.joinErrors.Load(), LookupErrors: s.lookupErrors.Load(),
		Propagation: make(map[string]Histogram),
	}
	for r := range seal.Refusals {
		out.Packets[r.String()] = s.packets[r].Load()
	}
	c.core.Lock()
	out.Backlog, out.Spread = c.core.Backlog(), c.core.Counters()
	c.core.Unlock()
	s.propagation.Lock()
	defer s.propagation.Unlock()
	for pop, h := range s.propagation.pops {
		out.Propagation[pop] = *h
	}
	return out
}
