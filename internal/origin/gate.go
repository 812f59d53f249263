package origin

import "sync"

// gate counts what is in progress and can be shut: nothing enters a shut gate,
// and idle tells when the last one inside has left. The zero gate must not be
// used.
//
// sync.WaitGroup does not do: Add must not run concurrently with Wait, and
// here both are driven by other goroutines.
type gate struct {
	idle chan struct{} // closed once shut and empty
	mu   struct {
		sync.Mutex
		inside int
		shut   bool
	}
}

func newGate() *gate { return &gate{idle: make(chan struct{})} }

// enter admits one, who owes a leave, or tells that the gate is shut.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.shut {
		return false
	}
	g.mu.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.inside--
	g.closeIfIdleLocked()
}

// shut admits nobody from now on. It may be called again.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.shut {
		return
	}
	g.mu.shut = true
	g.closeIfIdleLocked()
}

func (g *gate) closeIfIdleLocked() {
	if g.mu.shut && g.mu.inside == 0 {
		close(g.idle)
	}
}
