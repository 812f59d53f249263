package origin

import (
	"sync"
	"time"
)

// Active asks each backend for a page of its own accord.
type Active struct {
	// Path is requested with GET; a query may follow. Empty: no checks.
	Path string
	// Host is the Host of the check, where the origin has none of its own.
	// Empty: that of the origin's URL.
	Host string
	// Interval is the time from one check to the next, varied by a tenth so
	// that many nodes do not fall into step. 0 is 5 s.
	Interval time.Duration
	// Timeout bounds one check from connecting to the end of the body. 0 is
	// 2 s, or Interval where that is less.
	Timeout time.Duration
	// Healthy is the number of checks in a row that must pass before a backend
	// that failed is used again. 0 is 2.
	Healthy int
	// Unhealthy is the number of checks in a row that must fail before a
	// backend is avoided. 0 is 3.
	Unhealthy int
	// ExpectedStatus passes the check. 0 is 200.
	ExpectedStatus int
}

func (a Active) withDefaults() Active {
	setDefault(&a.Interval, 5*time.Second)
	setDefault(&a.Timeout, min(2*time.Second, a.Interval))
	setDefault(&a.Healthy, 2)
	setDefault(&a.Unhealthy, 3)
	setDefault(&a.ExpectedStatus, 200)
	return a
}

// Passive judges each backend by the exchanges it was used for.
type Passive struct {
	// Failures is the number of failed exchanges in a row that eject a
	// backend. 0 is 5, negative never ejects.
	Failures int
	// Ejection is how long the first ejection lasts; each further one without
	// a success in between lasts twice as long. 0 is 10 s.
	Ejection time.Duration
	// MaxEjection is the longest ejection. 0 is 5 min.
	MaxEjection time.Duration
}

func (p Passive) withDefaults() Passive {
	setDefault(&p.Failures, 5)
	setDefault(&p.Ejection, 10*time.Second)
	setDefault(&p.MaxEjection, 5*time.Minute)
	return p
}

// State is a backend's health.
type State uint8

const (
	StateHealthy State = iota // used
	StateTrial                // used; an ejection has run out, and the next exchange decides
	StateEjected              // avoided: too many exchanges failed
	StateDown                 // avoided: too many checks failed
)

// String returns the state in lower case.
func (s State) String() string {
	return [...]string{"healthy", "trial", "ejected", "down"}[s&3]
}

// Usable tells whether requests go to such a backend while others are usable.
func (s State) Usable() bool { return s == StateHealthy || s == StateTrial }

// health is the state machine of one backend: outcomes in, state out. It does
// no I/O and reads no clock.
type health struct {
	active  Active
	passive Passive

	mu struct {
		sync.Mutex
		down         bool // by checks
		passed       int  // checks in a row
		failed       int  // checks in a row
		failures     int  // exchanges in a row
		ejections    int  // without a success in between
		ejectedUntil time.Time
		why          string // the last failure that counted
	}
}

// verdict is a backend's health at one time.
type verdict struct {
	State        State
	Why          string // the last failure; empty in StateHealthy
	EjectedUntil time.Time
}

func (h *health) verdict(now time.Time) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.verdictLocked(now)
}

func (h *health) verdictLocked(now time.Time) verdict {
	v := verdict{Why: h.mu.why}
	switch {
	case h.mu.down:
		v.State = StateDown
	case now.Before(h.mu.ejectedUntil):
		v.State, v.EjectedUntil = StateEjected, h.mu.ejectedUntil
	case h.mu.ejections > 0:
		v.State = StateTrial
	default:
		v.Why = ""
	}
	return v
}

// exchanged records how an exchange ended. changed tells that the backend was
// ejected, or has proved itself after an ejection.
func (h *health) exchanged(now time.Time, err error) (v verdict, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		changed = h.mu.ejections > 0
		h.mu.failures, h.mu.ejections, h.mu.ejectedUntil = 0, 0, time.Time{}
		return h.verdictLocked(now), changed
	}
	h.mu.why = err.Error()
	h.mu.failures++
	ejected := now.Before(h.mu.ejectedUntil)
	if h.passive.Failures < 0 || h.mu.failures < h.passive.Failures || ejected {
		return h.verdictLocked(now), false
	}
	h.mu.ejectedUntil = now.Add(h.ejectionLocked())
	h.mu.ejections++
	// One more failure after this ejection is enough for the next.
	h.mu.failures = h.passive.Failures - 1
	return h.verdictLocked(now), true
}

func (h *health) ejectionLocked() time.Duration {
	d := h.passive.Ejection
	for range h.mu.ejections {
		if d >= h.passive.MaxEjection/2 {
			return h.passive.MaxEjection
		}
		d *= 2
	}
	return min(d, h.passive.MaxEjection)
}

// checked records how a check ended. changed tells that the backend went down
// or came up by it.
func (h *health) checked(now time.Time, err error) (v verdict, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.mu.passed, h.mu.failed = h.mu.passed+1, 0
		changed = h.mu.down && h.mu.passed >= h.active.Healthy
		if changed {
			h.mu.down = false
		}
		return h.verdictLocked(now), changed
	}
	h.mu.passed, h.mu.failed = 0, h.mu.failed+1
	h.mu.why = err.Error()
	changed = !h.mu.down && h.mu.failed >= h.active.Unhealthy
	if changed {
		h.mu.down = true
	}
	return h.verdictLocked(now), changed
}
