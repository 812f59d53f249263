package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
)

const second = time.Second

// Config says what a run is like. What is zero is drawn by the seed.
type Config struct {
	Seed  uint64
	Steps int
	Nodes int // at the beginning
	// Often is what happens besides in every third step, to look for something.
	Often []func(*World)
	// What follows breaks nodes, to show that a run finds out.
	Wraps
	Liar  bool // disks say that they have synced, and have not
	Stale bool // disks show an older content after a crash
}

// Result is what came of a run.
type Result struct {
	Broken []string // promises; empty: none
	Events []string // what happened, in order
	Counts Counts
}

// Counts say how much a run has shown.
type Counts struct {
	Purges, Bursts, Relayed, Reverts, Crashes, Wipes, Served, Fetched, Confirmed, Gaps, Lost int
}

// World is one run.
type World struct {
	cfg     Config
	rng     *rand.Rand // of the plan: only the goroutine that runs it draws
	net     *simnet.Net
	began   time.Time
	ticks   atomic.Int64
	pages   []page
	base    Settings
	link    simnet.Link // of all pairs, but for the delay
	delays  map[[2]netip.Addr]time.Duration
	relayed bool        // most are in one POP, so that some of them pass packets on
	symm    bool        // all have the same list to join by, the first too
	fixed   atomic.Bool // nobody has joined, left or been forgotten yet
	same    atomic.Bool // the same, from the first start on
	doing   sync.WaitGroup

	mu struct {
		sync.Mutex
		hosts    []*host
		promises []*promise
		passes   []*pass
		events   []string
		broken   []string
		blamed   map[string]int // by check
		counts   Counts
	}
}

// Run carries a run out. It is to be called in a bubble of testing/synctest, and
// returns when all that it started has ended.
func Run(cfg Config) Result {
	w := newWorld(cfg)
	late := w.begin()
	if w.until(2*time.Minute, w.allReady) {
		w.fixed.Store(!late)
		w.same.Store(!late)
		for range w.steps() {
			w.step()
			w.checkStep()
			if cfg.Stale {
				w.age()
			}
		}
		w.settle()
	} else {
		w.blame("the nodes did not become ready")
	}
	for _, h := range w.all() {
		if err := h.Stop(); err != nil {
			w.note("%s stops: %v", h.Name, err)
		}
	}
	w.doing.Wait()
	time.Sleep(time.Minute) // memberlist's timers outlive it
	w.mu.Lock()
	defer w.mu.Unlock()
	return Result{Broken: w.mu.broken, Events: w.mu.events, Counts: w.mu.counts}
}

func newWorld(cfg Config) *World {
	w := &World{
		cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 2)), began: time.Now(),
		pages: makePages(), delays: make(map[[2]netip.Addr]time.Duration),
	}
	w.mu.blamed = make(map[string]int)
	w.net = simnet.New(cfg.Seed, nil)
	w.base = Settings{UndoWindow: randomTime(w.rng, second, 6*second), Wraps: cfg.Wraps}
	if w.rng.IntN(3) == 0 {
		w.base.Retention = randomTime(w.rng, 5*second, 40*second)
	}
	w.base.Isolation = cluster.Isolation{
		Policy: []cluster.Policy{cluster.PolicyServe, cluster.PolicyRevalidate, cluster.PolicyRefuse}[w.rng.IntN(3)],
		After:  randomTime(w.rng, 2*second, 10*second),
	}
	nodes := 3 + w.rng.IntN(3)
	if w.rng.IntN(3) == 0 {
		w.base.RelayFrom, w.relayed = 3, true
		nodes += w.rng.IntN(3)
	}
	if cfg.Nodes > 0 {
		nodes, w.base.RelayFrom = cfg.Nodes, 0
	}
	w.symm = w.rng.IntN(3) == 0
	for range nodes {
		w.add(w.anyDisk())
	}
	if w.rng.IntN(5) == 0 {
		witness := w.all()[w.rng.IntN(nodes)]
		witness.Settings.Witness = true
		w.note("%s is a witness", witness.Name)
	}
	w.connect()
	w.note("seed %d: %d nodes, isolation %v after %v, retention %v, undo %v, relays from %d, one list %v",
		cfg.Seed, len(w.all()), w.base.Isolation.Policy, w.base.Isolation.After, w.base.Retention, w.base.UndoWindow, w.base.RelayFrom, w.symm)
	return w
}

// begin starts the nodes at one moment, and has clients purge while they find each
// other. Where all have one list to join by, one may be left out, and come late.
func (w *World) begin() (late bool) {
	w.same.Store(true)
	late = w.symm && w.rng.IntN(3) == 0
	all := w.all()
	for i, h := range all {
		if !late || i < len(all)-1 {
			h.start()
		}
	}
	for range w.rng.IntN(6) {
		time.Sleep(randomTime(w.rng, 0, 300*time.Millisecond))
		w.purge()
		w.checkStarts()
	}
	return late
}

// all returns all hosts, also those that have left.
func (w *World) all() []*host {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.hosts
}

// some returns hosts for which keep is true.
func (w *World) some(keep func(*host) bool) (out []*host) {
	for _, h := range w.all() {
		if keep(h) {
			out = append(out, h)
		}
	}
	return out
}

func (w *World) up() []*host { return w.some((*host).running) }

// oneOf draws a host for which keep is true; nil: there is none.
func (w *World) oneOf(keep func(*host) bool) *host {
	all := w.some(keep)
	if len(all) == 0 {
		return nil
	}
	return all[w.rng.IntN(len(all))]
}

// allReady tells whether the nodes that run are ready and know of each other.
func (w *World) allReady() bool {
	w.checkStarts()
	up := w.up()
	for _, h := range up {
		if !h.Node().Cluster.Ready() || h.Node().Cluster.Health().Roster < len(up) {
			return false
		}
	}
	return true
}

// until waits for a condition, and tells whether it came true.
func (w *World) until(limit time.Duration, cond func() bool) bool {
	for began := time.Now(); !cond(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > limit {
			return false
		}
	}
	return true
}

// note writes down what happens.
func (w *World) note(format string, args ...any) {
	line := fmt.Sprintf("%8.3fs %5d  ", time.Since(w.began).Seconds(), w.ticks.Load()) + fmt.Sprintf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.events = append(w.mu.events, line)
}

// maxBroken bounds what is told of one run by one check: the first is what matters.
const maxBroken = 5

// blame writes down that a promise is broken.
func (w *World) blame(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.mu.Lock()
	enough := slices.Contains(w.mu.broken, text) || w.mu.blamed[format] == maxBroken
	if !enough {
		w.mu.broken = append(w.mu.broken, text)
		w.mu.blamed[format]++
	}
	w.mu.Unlock()
	if !enough {
		w.note("BROKEN: %s", text)
	}
}

func randomTime(rng *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(rng.Int64N(int64(to-from)+1))
}

func (c *Counts) add(o Counts) {
	c.Purges += o.Purges
	c.Bursts += o.Bursts
	c.Relayed += o.Relayed
	c.Reverts += o.Reverts
	c.Crashes += o.Crashes
	c.Wipes += o.Wipes
	c.Served += o.Served
	c.Fetched += o.Fetched
	c.Confirmed += o.Confirmed
	c.Gaps += o.Gaps
	c.Lost += o.Lost
}
