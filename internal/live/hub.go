package live

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/event"
)

// MaxTails is how many may listen at once. Each has every request tested, on the
// goroutine that answered it: a handful of people and a
// script or two.
const MaxTails = 16

var (
	// ErrTooMany is returned by Listen while MaxTails listen.
	ErrTooMany = errors.New("live: too many listeners")
	// ErrClosed is returned by Listen and by Tail.Next after Hub.Close.
	ErrClosed = errors.New("live: closed")
)

// Hub hands the lines of a log to those who listen at the moment. The zero Hub
// is ready for use. Its methods may be called from many goroutines at once.
type Hub struct {
	tails atomic.Pointer[[]*Tail] // nil: nobody listens

	mu struct {
		sync.Mutex
		closed bool
	}
}

// Publish offers a request to those who listen. Where there is nobody it costs
// one atomic load; it never waits for a reader. The line is made by calling
// write at most once, and only if somebody takes the request; write appends it
// to a buffer, without a line end, and may use r, which nobody keeps.
func (h *Hub) Publish(r *event.Request, write func(to []byte, r *event.Request) []byte) {
	if tails := h.tails.Load(); tails != nil {
		publish(*tails, r, write)
	}
}

// Listening tells whether anybody listens, so that a caller need not put
// together what nobody will see.
func (h *Hub) Listening() bool { return h.tails.Load() != nil }

func publish(tails []*Tail, r *event.Request, write func([]byte, *event.Request) []byte) {
	var line []byte
	for _, t := range tails {
		if t.takes != nil && !t.takes(r) {
			continue
		}
		if line == nil {
			line = write(make([]byte, 0, usualLine), r)
		}
		t.put(line)
	}
}

// usualLine is the capacity that most lines fit into, in bytes.
const usualLine = 512

// Listen begins to collect the requests that takes is true for; nil takes all,
// and a Filter's Match fits. It is called where requests end, from many
// goroutines at once, and keeps nothing of them. Whoever calls Listen closes the
// Tail.
func (h *Hub) Listen(takes func(r *event.Request) bool) (*Tail, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.closed {
		return nil, ErrClosed
	}
	list := h.listLocked()
	if len(list) >= MaxTails {
		return nil, ErrTooMany
	}
	t := newTail(h, takes)
	h.setLocked(append(slices.Clone(list), t))
	return t, nil
}

// Close ends every Tail: its Next returns what is still there, then ErrClosed.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.closed = true
	for _, t := range h.listLocked() {
		t.end()
	}
	h.setLocked(nil)
}

func (h *Hub) remove(t *Tail) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := slices.Clone(h.listLocked())
	h.setLocked(slices.DeleteFunc(list, func(other *Tail) bool { return other == t }))
}

func (h *Hub) listLocked() []*Tail {
	if list := h.tails.Load(); list != nil {
		return *list
	}
	return nil
}

func (h *Hub) setLocked(list []*Tail) {
	if len(list) == 0 {
		h.tails.Store(nil)
		return
	}
	h.tails.Store(&list)
}
