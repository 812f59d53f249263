package cluster

import (
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

const (
	// tellNews is how many members are told at once that the state has changed.
	// Each passes it on once it has taken it over, so that a thousand have it
	// after three steps.
	tellNews = 16
	// tellTimes is how often they are told: packets are lost.
	tellTimes = 2
	// newsRest lies between two looks at the news, so that changes that come
	// together, as when many nodes start, are told and asked for together.
	newsRest = 50 * time.Millisecond
	// maxNews is of how many members it is remembered that they have other news;
	// of the others one hears by comparison.
	maxNews = 64
)

// news makes changes of the replicated state spread at once. There is no message
// for it: a member that has changed sends a probe, which shows the digest of its
// state, and whoever has another asks it.
type news struct {
	mu struct {
		sync.Mutex
		tell  int                  // how often it is still to be told
		heard map[wire.ID][16]byte // digests of others
	}
	more chan struct{}
}

func (n *news) init() {
	n.mu.heard = make(map[wire.ID][16]byte)
	n.more = make(chan struct{}, 1)
}

// tell has others hear that this node's state has changed.
func (n *news) tell() {
	n.mu.Lock()
	n.mu.tell = tellTimes
	n.mu.Unlock()
	n.signal()
}

// hear takes note of a member's digest.
func (n *news) hear(from wire.ID, digest [16]byte) {
	n.mu.Lock()
	if _, known := n.mu.heard[from]; known || len(n.mu.heard) < maxNews {
		n.mu.heard[from] = digest
	}
	n.mu.Unlock()
	n.signal()
}

func (n *news) signal() {
	select {
	case n.more <- struct{}{}:
	default:
	}
}

// next returns whether others are to be told, and one member that has another
// digest than own or, if wanted says so, any; more says that there is still
// something to do.
func (n *news) next(own [16]byte, wanted bool) (tell bool, ask wire.ID, found, more bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if tell = n.mu.tell > 0; tell {
		n.mu.tell--
	}
	for id, digest := range n.mu.heard {
		delete(n.mu.heard, id)
		if digest != own || wanted {
			ask, found = id, true
			break
		}
	}
	return tell, ask, found, n.mu.tell > 0 || len(n.mu.heard) > 0
}

// runNews tells and hears of changes of the state. Of several members that have
// other news one is asked at a time: it may have those of the rest.
func (c *Cluster) runNews() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.news.more:
		}
		tell, ask, found, more := c.news.next(c.stateDigest(), !c.complete())
		if tell {
			c.tellState()
		}
		if found {
			c.rounds.retry(ask)
		}
		if more {
			c.news.signal()
		}
		if !c.pause(newsRest) {
			return
		}
	}
}

// tellState sends probes to some members. The answers have a number that nobody
// waits for.
func (c *Cluster) tellState() {
	probe := wire.Probe{Vector: c.cfg.Journal.Known().Digests().Whole, State: c.stateDigest()}
	content := wire.AppendProbe(nil, &probe)
	for _, p := range c.someone(tellNews) {
		c.sendOne(content, p)
	}
}
