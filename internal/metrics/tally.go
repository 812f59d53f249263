package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/stripe"
)

// traffic is what is counted of one service's requests, in stripes of which
// each is for those who come by one core: counters that all cores share cost a
// busy node more than all else that is done with a finished request.
type traffic struct {
	service string
	began   time.Time // of its series

	// Not a stripe.Of, because each takes 1.5 KiB, and only where many cores are
	// busy with a service are there more than one. nil: nothing counted there.
	stripes [stripe.Parts]atomic.Pointer[tally]
}

func newTraffic(service string) *traffic {
	return &traffic{service: service, began: time.Now()}
}

// tally returns the tally of a stripe.
func (t *traffic) tally(stripe uint32) *tally {
	if c := t.stripes[stripe].Load(); c != nil {
		return c
	}
	t.stripes[stripe].CompareAndSwap(nil, new(tally))
	return t.stripes[stripe].Load()
}

// sum adds the stripes up. What is counted meanwhile is in this sum or in the
// next, whole.
func (t *traffic) sum() (sum counts) {
	for i := range t.stripes {
		if c := t.stripes[i].Load(); c != nil {
			c.mu.Lock()
			sum.add(&c.counts)
			c.mu.Unlock()
		}
	}
	return sum
}

// tally is counts under a lock that hardly anybody else wants. It is held for
// some additions, and costs less than as many atomic ones.
type tally struct {
	mu sync.Mutex
	counts
}

// counts are the counters of one service.
type counts struct {
	rows          [len(outcomes)]row
	received, cut uint64
}

// row is what is counted of one outcome.
type row struct {
	requests [len(classes)]uint64
	buckets  [len(requestBuckets) + 1]uint64 // of each alone; the last is beyond all bounds
	seconds  float64                         // of all requests together
	sent     uint64
}

// count counts a request.
func (c *counts) count(s *Served) {
	r := &c.rows[outcomeIndex(s.Outcome)]
	r.requests[classIndex(s.Status)]++
	seconds := s.Duration.Seconds()
	r.buckets[bucketIndex(seconds)]++
	r.seconds += seconds
	r.sent += uint64(max(s.Sent, 0))
	c.received += uint64(max(s.Received, 0))
	if s.Cut {
		c.cut++
	}
}

func (c *counts) add(d *counts) {
	for i := range c.rows {
		to, from := &c.rows[i], &d.rows[i]
		for j := range to.requests {
			to.requests[j] += from.requests[j]
		}
		for j := range to.buckets {
			to.buckets[j] += from.buckets[j]
		}
		to.seconds += from.seconds
		to.sent += from.sent
	}
	c.received += d.received
	c.cut += d.cut
}
