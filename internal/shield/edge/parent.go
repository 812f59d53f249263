package edge

import (
	"context"
	"crypto/tls"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/shield"
)

// Member is a shield that is alive.
type Member struct {
	Name    string
	Address string // host and port of requests for a shield
}

// Config of a Parent: one service. All but Unspread is needed.
type Config struct {
	Service string
	Name    string                // of this node
	Session func() shield.Session // of this start of it
	// Members returns the shields that are alive now. It is called for every request.
	Members func() []Member
	// Direct is the origin.
	Direct fetch.Origin
	// Applied remembers what this node has applied.
	Applied *Log
	// Unspread tells whether something is in force here for a target that no entry
	// stands for yet; nil: nothing ever is.
	Unspread func(target field.Target) bool
	// InForce tells whether a purge is in force here; nil: none is that a shield has
	// taken back.
	InForce func(shield.Purge) bool
	Query   field.QueryRule // what makes URLs one
	// Pool are the settings of connections to each shield, without its Origins.
	Pool origin.Config
	// TLS makes both sides know who the other is; nil, in tests: they believe it.
	TLS      *tls.Config
	Counters *Counters
	Log      *slog.Logger
}

// Limits.
const (
	// maxTries is how many shields are asked for one request: each that is dead and
	// not known to be costs its client the time to find out.
	maxTries = 3
	// acceptWithin is how long a shield has to answer, or to say that it is at work
	// (102): after that it counts as dead. A connection around the world takes a
	// second at most.
	acceptWithin = 3 * time.Second
	// connectWithin is how long a connection to a shield may take.
	connectWithin = 2 * time.Second
	// keepFor is how long an unused connection to a shield is kept: shields keep
	// theirs for longer.
	keepFor = 90 * time.Second
)

// Why a request went to the origin itself. The set is fixed: it labels metrics.
const (
	NoMember    = "no_member"   // no shield is alive
	Resting     = "resting"     // all have failed a moment ago
	Unreachable = "unreachable" // those that were asked did not answer
	Refusing    = "refusing"    // those that were asked do not act as shields
)

// Whys are all of them.
var Whys = [...]string{NoMember, Resting, Unreachable, Refusing}

// Counters count requests since the start, over changes of the configuration.
type Counters struct {
	answers  [len(shield.Hows)]atomic.Uint64
	directly [len(Whys)]atomic.Uint64
	failures atomic.Uint64
}

// Stats are the values of Counters.
type Stats struct {
	Answers  map[shield.How]uint64 // of shields
	Direct   map[string]uint64     // requests that went to the origin itself, by why
	Failures uint64                // attempts at a shield that got no answer
}

// Stats returns the present values.
func (c *Counters) Stats() Stats {
	s := Stats{Answers: make(map[shield.How]uint64), Direct: make(map[string]uint64), Failures: c.failures.Load()}
	for i, how := range shield.Hows {
		s.Answers[how] = c.answers[i].Load()
	}
	for i, why := range Whys {
		s.Direct[why] = c.directly[i].Load()
	}
	return s
}

func (c *Counters) answered(how shield.How) {
	for i := range shield.Hows {
		if shield.Hows[i] == how {
			c.answers[i].Add(1)
		}
	}
}

func (c *Counters) direct(why string) {
	for i := range Whys {
		if Whys[i] == why {
			c.directly[i].Add(1)
		}
	}
}

// Parent implements fetch.Parent.
type Parent struct {
	cfg     Config
	closing sync.WaitGroup
	mu      struct {
		sync.Mutex
		lines  map[string]*line // by member
		closed bool
	}
	last struct {
		sync.Mutex
		why string // of the last request, if that went to the origin itself
	}
}

// New returns a Parent. It connects to nobody yet.
func New(cfg Config) *Parent {
	cfg.Pool.ConnectTimeout, cfg.Pool.KeepAlive = connectWithin, keepFor
	cfg.Pool.Passive = origin.Passive{Failures: -1} // lines rest by themselves
	cfg.Pool.Retries = 1                            // of a connection that was closed when it was idle
	if cfg.Unspread == nil {
		cfg.Unspread = func(field.Target) bool { return false }
	}
	if cfg.InForce == nil {
		cfg.InForce = func(shield.Purge) bool { return false }
	}
	p := &Parent{cfg: cfg}
	p.mu.lines = make(map[string]*line)
	return p
}

// Close cuts what is under way and waits until nothing is left.
func (p *Parent) Close() {
	p.mu.Lock()
	p.mu.closed = true
	lines := p.mu.lines
	p.mu.lines = make(map[string]*line)
	p.mu.Unlock()
	for _, l := range lines {
		l.pool.Close()
	}
	p.closing.Wait()
}

// Renew opens connections anew, for other secrets. Requests under way end on the
// old ones.
func (p *Parent) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, l := range p.mu.lines {
		delete(p.mu.lines, name)
		p.retireLocked(l)
	}
}

// Do implements fetch.Parent.
func (p *Parent) Do(ctx context.Context, r *origin.Request) (*origin.Response, fetch.Said, error) {
	target := p.cfg.Query.Apply(r.Target)
	why := NoMember
	body := &body{from: r.Body}
	for _, m := range p.candidates(target, &why) {
		l := p.line(m)
		if l == nil {
			break // closed
		}
		t := p.try(ctx, l, r, target, body, false)
		if t.withdrawn {
			t = p.try(ctx, l, r, target, body, true)
		}
		if !t.next || !body.release() {
			return t.resp, t.said, t.err
		}
		why = t.why
	}
	p.went(why)
	resp, err := p.cfg.Direct.Do(ctx, r)
	return resp, fetch.Said{}, err
}

// went counts how a request went, and says in the log when that changes. why is
// empty where a shield answered.
func (p *Parent) went(why string) {
	if why != "" {
		p.cfg.Counters.direct(why)
	}
	p.last.Lock()
	changed := (p.last.why == "") != (why == "")
	p.last.why = why
	p.last.Unlock()
	switch {
	case !changed:
	case why == "":
		p.cfg.Log.Info("requests go through the shield again", "service", p.cfg.Service)
	default:
		p.cfg.Log.Warn("requests go to the origin without the shield", "service", p.cfg.Service, "reason", why)
	}
}

// Stats returns what has been counted for the service.
func (p *Parent) Stats() Stats { return p.cfg.Counters.Stats() }

// Last returns why the last request went to the origin itself; empty: it did not.
func (p *Parent) Last() string {
	p.last.Lock()
	defer p.last.Unlock()
	return p.last.why
}

// State is how a shield is seen from here.
type State struct {
	Member
	Resting   bool // it failed a moment ago and is left alone
	Confirmed bool // it has said, since it was started, that it knows what this node knew
}

// States returns the shields that are alive.
func (p *Parent) States() (list []State) {
	now := time.Now()
	for _, m := range p.cfg.Members() {
		p.mu.Lock()
		l := p.mu.lines[m.Name]
		p.mu.Unlock()
		s := State{Member: m}
		if l != nil {
			session, _ := l.known()
			s.Resting, s.Confirmed = l.resting(now), session != shield.Session{}
		}
		list = append(list, s)
	}
	return list
}

// Choose returns the shield that a target belongs to, by name; empty: none is alive.
func (p *Parent) Choose(target field.Target) string {
	if all := ranked(p.cfg.Members(), p.cfg.Service, p.cfg.Query.Apply(target)); len(all) > 0 {
		return all[0].Name
	}
	return ""
}
