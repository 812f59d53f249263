package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// whirlPhase is a kind of object, of which most are asked for during one phase
// of a churn.
type whirlPhase struct {
	set         string // "+N": with N keys more
	least, most int    // bytes of bodies
	rate        int    // requests a second
}

// whirlPhases follow each other. Their rates are low: this is about what time
// does, not speed, and it should run beside other work.
var whirlPhases = [...]whirlPhase{
	{"tiny", 100, 1000, 2000},
	{"pages+12", 2 << 10, 32 << 10, 800},
	{"small+3", 300, 4 << 10, 2000},
	{"large+1", 64 << 10, maxObjectBytes, 40},
	{"any+30", 100, 512 << 10, 150},
}

const (
	phaseTime = 3 * time.Minute
	// newShare is the part of requests that ask for an object for the first time.
	newShare = 0.5
	// whirlWindow is how many of the newest objects the others choose from.
	whirlWindow = 100_000
	// whirlClients are the connections.
	whirlClients = 32
	whirlTick    = 10 * time.Millisecond
)

// whirl asks for objects that come and go, and purges them.
type whirl struct {
	server *server
	began  time.Time
	next   [len(whirlPhases)]atomic.Int64 // number of the next new object

	requests, hits, purges, reverts, verified atomic.Int64

	mu struct {
		sync.Mutex
		requests int       // since take
		delays   []float64 // of hits in µs, since take
	}
}

// errChurned is why a churn ends when its time is up.
var errChurned = errors.New("churned for long enough")

func newWhirl(s *server) *whirl { return &whirl{server: s, began: time.Now()} }

// run starts the clients and the purges. They end with the context, or fail.
func (w *whirl) run(ctx context.Context, fail func(error), all *sync.WaitGroup) {
	wanted := make(chan object, whirlClients)
	start := func(f func() error) {
		all.Go(func() {
			if err := f(); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	start(func() error { return w.want(ctx, wanted) })
	for range whirlClients {
		start(func() error { return w.fetchAll(ctx, wanted) })
	}
	start(func() error { return w.withdraw(ctx) })
}

func (w *whirl) phaseNumber() int {
	return int(time.Since(w.began)/phaseTime) % len(whirlPhases)
}

func (w *whirl) phase() whirlPhase { return whirlPhases[w.phaseNumber()] }

// want sends what is to be asked for, at the rate of the phase.
func (w *whirl) want(ctx context.Context, wanted chan<- object) error {
	defer close(wanted)
	beat := time.NewTicker(whirlTick)
	defer beat.Stop()
	for due := 0.0; ; {
		select {
		case <-beat.C:
		case <-ctx.Done():
			return nil
		}
		n := w.phaseNumber()
		for due += float64(whirlPhases[n].rate) * whirlTick.Seconds(); due >= 1; due-- {
			select {
			case wanted <- w.pick(n):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// pick returns a new object of a phase, or an old one, of which newer ones are
// the more popular.
func (w *whirl) pick(phase int) object {
	if rand.Float64() < newShare {
		return whirlPhases[phase].object(w.next[phase].Add(1) - 1)
	}
	return w.old(phase)
}

func (w *whirl) old(phase int) object {
	n := w.next[phase].Load()
	back := int64(math.Pow(rand.Float64(), 3) * float64(min(n, whirlWindow)))
	return whirlPhases[phase].object(max(n-1-back, 0))
}

// object returns object i of a phase. Its size is one between the bounds, small
// ones being the more frequent.
func (p whirlPhase) object(i int64) object {
	at := float64(uint64(i)*0x9e3779b97f4a7c15>>11) / (1 << 53)
	size := float64(p.least) * math.Pow(float64(p.most)/float64(p.least), at)
	return object{set: p.set, size: int(size), number: int(i)}
}

func (w *whirl) fetchAll(ctx context.Context, wanted <-chan object) error {
	c, err := dial(w.server.http)
	if err != nil {
		return err
	}
	defer c.Close()
	for o := range wanted {
		began := time.Now()
		_, a, err := c.fetch(o)
		if err != nil {
			return err
		}
		w.requests.Add(1)
		if a.cached {
			w.hits.Add(1)
		}
		w.note(a.cached, time.Since(began))
	}
	return nil
}

func (w *whirl) note(hit bool, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.requests++
	if hit {
		w.mu.delays = append(w.mu.delays, float64(took.Nanoseconds())/1e3)
	}
}

// take returns the delays of hits, and the number of all requests, since it was
// last called.
func (w *whirl) take() (delays []float64, requests int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delays, requests = w.mu.delays, w.mu.requests
	w.mu.delays, w.mu.requests = nil, 0
	return delays, requests
}

// verify fetches an object that was withdrawn when the origin had sent so many,
// and checks that its answer is a later one.
func (w *whirl) verify(c *conn, o object, sent uint64) error {
	got, _, err := c.fetch(o)
	if err != nil {
		return err
	}
	if got <= sent {
		return fmt.Errorf("%s is answer %d of the origin, which had sent %d before its purge", o.path(), got, sent)
	}
	w.verified.Add(1)
	return nil
}
