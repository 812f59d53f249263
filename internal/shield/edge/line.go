package edge

import (
	"context"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/shield"
)

// line is what this node has to do with one shield, for one service.
type line struct {
	member  string
	address string
	pool    *origin.Pool
	mu      struct {
		sync.Mutex
		session   shield.Session // that has confirmed
		confirmed field.Position // this node's
		fails     int            // in a row
		until     time.Time      // it rests
		probing   time.Time      // until then, one request is finding out whether it is back
	}
}

// Times of rest after failures: each in a row doubles it.
const (
	firstRest = time.Second
	mostRest  = 30 * time.Second
)

// retireWithin is how long requests may go on over connections that are used no
// more.
const retireWithin = 5 * time.Minute

// line returns what there is with a member, made where there is nothing; nil: the
// Parent is closed.
func (p *Parent) line(m Member) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		return nil
	}
	l := p.mu.lines[m.Name]
	if l != nil && l.address == m.Address {
		return l
	}
	if l != nil {
		p.retireLocked(l)
	}
	p.forgetLocked()
	cfg := p.cfg.Pool
	cfg.Origins = []origin.Endpoint{{URL: "http://" + m.Address}}
	if p.cfg.TLS != nil {
		cfg.Origins = []origin.Endpoint{{URL: "https://" + m.Address, TLS: p.cfg.TLS}}
	}
	pool, err := origin.New(cfg)
	if err != nil {
		p.cfg.Log.Error("a shield cannot be used", "member", m.Name, "address", m.Address, "error", err)
		return nil
	}
	l = &line{member: m.Name, address: m.Address, pool: pool}
	p.mu.lines[m.Name] = l
	return l
}

// forgetLocked retires lines to members that are gone.
func (p *Parent) forgetLocked() {
	alive := make(map[string]bool)
	for _, m := range p.cfg.Members() {
		alive[m.Name] = true
	}
	for name, l := range p.mu.lines {
		if !alive[name] {
			delete(p.mu.lines, name)
			p.retireLocked(l)
		}
	}
}

func (p *Parent) retireLocked(l *line) {
	p.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), retireWithin)
		defer cancel()
		_ = l.pool.Shutdown(ctx) // what had to be cut says so by itself
	})
}

func (l *line) resting(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return now.Before(l.mu.until)
}

// claim tells whether a request may be sent to the member. After a rest, one goes
// ahead of the others.
func (l *line) claim(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.mu.until) || now.Before(l.mu.probing) {
		return false
	}
	if l.mu.fails > 0 {
		l.mu.probing = now.Add(acceptWithin)
	}
	return true
}

// failed lets the member rest. Of many requests that fail together, the first
// counts.
func (l *line) failed(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Before(l.mu.until) {
		return
	}
	l.mu.until = now.Add(min(firstRest<<min(l.mu.fails, 8), mostRest))
	l.mu.fails++
}

// answered notes that the member is alive and, where it has confirmed something,
// what: no more than it was asked about, whatever it says. It would not be told of
// purges to come.
func (l *line) answered(w *shield.Word, asked field.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.fails, l.mu.until, l.mu.probing = 0, time.Time{}, time.Time{}
	if !w.Confirms || w.Confirmed > asked {
		return
	}
	if l.mu.session != w.Session {
		l.mu.session, l.mu.confirmed = w.Session, 0
	}
	l.mu.confirmed = max(l.mu.confirmed, w.Confirmed)
}

// known returns what the member has confirmed.
func (l *line) known() (shield.Session, field.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.session, l.mu.confirmed
}
