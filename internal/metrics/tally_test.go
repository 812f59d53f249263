package metrics

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/stripe"
)

// Whatever cores the requests come by, and however often somebody reads
// meanwhile, each is counted once and the sums agree with those of one counter.
func TestCountsOfAllCoresAddUp(t *testing.T) {
	const writers, each = 8, 5000
	seed := rand.Uint64()
	m, model := New(Config{Services: []string{"shop"}}), counts{}
	scrape := make(chan struct{})
	var reading, writing sync.WaitGroup
	reading.Go(func() {
		for last := uint64(0); ; {
			select {
			case <-scrape:
				return
			default:
			}
			sum := m.traffic.Load().of("shop").sum()
			if sum.received < last {
				t.Errorf("a counter went from %d to %d", last, sum.received)
			}
			last = sum.received
		}
	})
	var sent int64
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		list := make([]Served, each)
		for i := range list {
			list[i] = Served{
				Service: "shop", Outcome: outcomes[random.IntN(len(outcomes))], Status: random.IntN(700), Sent: random.Int64N(1000),
				Received: random.Int64N(9), Duration: time.Duration(random.Int64N(1 << 36)), Cut: random.IntN(3) == 0,
			}
			model.count(&list[i])
			sent += list[i].Sent
		}
		writing.Go(func() {
			for _, s := range list {
				m.Observe(s)
			}
		})
	}
	writing.Wait()
	close(scrape)
	reading.Wait()
	sum := m.traffic.Load().of("shop").sum()
	for i := range sum.rows {
		got, want := &sum.rows[i].seconds, &model.rows[i].seconds
		if diff := *got - *want; diff > 1e-3 || diff < -1e-3 {
			t.Errorf("seed %d: %s: %v seconds, want %v", seed, outcomes[i], *got, *want)
		}
		*got, *want = 0, 0 // they are added in another order
	}
	if sum != model || m.Sent() != sent {
		t.Errorf("seed %d: sent %d, want %d; got %v, want %v", seed, m.Sent(), sent, sum, model)
	}
}

func TestWhoMeetsSomebodyMovesOn(t *testing.T) {
	m := New(Config{Services: []string{"shop"}})
	at := m.stripes.get()
	if at.stripe != 0 {
		t.Fatalf("began at stripe %d", at.stripe)
	}
	seen := map[uint32]bool{}
	for range stripe.Parts {
		m.stripes.move(at)
		seen[at.stripe] = true
	}
	if len(seen) != stripe.Parts {
		t.Errorf("moved over %d stripes of %d", len(seen), stripe.Parts)
	}
}

// A bound belongs to its own bucket, as the label le says.
func TestBucketsIncludeTheirBounds(t *testing.T) {
	for i, bound := range requestBuckets {
		at := time.Duration(bound * 1e9)
		if a, b := bucketIndex(at.Seconds()), bucketIndex((at + 1).Seconds()); a != i || b != i+1 {
			t.Errorf("%v is in bucket %d, a nanosecond more in %d", at, a, b)
		}
	}
	if i := bucketIndex(-1); i != 0 {
		t.Errorf("less than nothing is in bucket %d", i)
	}
}
