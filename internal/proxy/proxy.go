package proxy

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/stripe"
)

// Proxy is the http.Handler of the data plane.
type Proxy struct {
	now   atomic.Pointer[current]
	pool  sync.Pool
	parts atomic.Uint32 // gives each exchange its part of every counter
	stats Stats

	compressor *compressor
}

// current is a configuration with what is derived from it. Requests under way
// keep the one they began with.
type current struct {
	Config
	routes   *routes
	servedBy string
	via      string
	viaValue string // of the field

	active  stripe.Counter // exchanges that use it
	retired atomic.Bool    // it was replaced
	once    sync.Once
	unused  chan struct{} // closed once it was replaced and nobody uses it or one before
	next    *current      // what replaced it, held until nobody uses this one
}

// hold takes the current configuration for one exchange, which counts in a part
// of its own and releases it there.
//
// Where active sums up to nothing after retired is set, nobody uses it or ever
// will: whoever held it then is still counted in the part that they count in,
// and whoever comes later sees that it was replaced and leaves.
func (p *Proxy) hold(part uint32) *current {
	for {
		c := p.now.Load()
		c.active.Add(part, 1)
		if p.now.Load() == c {
			return c
		}
		c.release(part) // replaced in between: it may be unused already
	}
}

func (c *current) release(part uint32) {
	c.active.Add(part, -1)
	if c.retired.Load() {
		c.settle()
	}
}

func (c *current) settle() {
	if c.retired.Load() && c.active.Load() == 0 {
		c.once.Do(func() {
			close(c.unused)
			c.next.release(0)
		})
	}
}

// Stats count requests by how they were answered. An exchange counts in one part
// all its life, and its pool keeps it on one core most of the time.
type Stats struct {
	Requests, Hits, Stale, Misses, Passes, Errors, Purges stripe.Counter
}

// New returns a Proxy.
func New(cfg Config) *Proxy {
	p := &Proxy{compressor: newCompressor()}
	p.pool.New = func() any { return &exchange{stripe: p.parts.Add(1)} }
	p.Reconfigure(cfg)
	return p
}

// Reconfigure replaces the configuration for requests to come. The channel is
// closed once no request uses the one before, or any older one: they may have
// services in common. Calls must not overlap.
func (p *Proxy) Reconfigure(cfg Config) (unused <-chan struct{}) {
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = DefaultWriteTimeout
	}
	next := &current{
		Config: cfg, routes: newRoutes(cfg.Services), unused: make(chan struct{}),
		servedBy: servedBy(cfg.Node, cfg.POP), via: pseudonym(cfg.Node),
		viaValue: "1.1 " + pseudonym(cfg.Node),
	}
	old := p.now.Load()
	if old == nil {
		p.now.Store(next)
		return nil
	}
	next.active.Add(0, 1)
	old.next = next
	p.now.Store(next)
	old.retired.Store(true)
	old.settle()
	return old.unused
}

// Close waits for what the proxy does behind its clients' backs. No request may
// be under way.
func (p *Proxy) Close() { p.compressor.close() }

// Stats returns the live counters.
func (p *Proxy) Stats() *Stats { return &p.stats }

// ServiceOf returns the ID of the service that answers for a host name.
func (p *Proxy) ServiceOf(hostname string) (id string, ok bool) {
	if s := p.now.Load().routes.match(hostname); s != nil {
		return s.ID, true
	}
	return "", false
}

// ServeHTTP answers one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.serve(w, r, nil) }

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request, from *edge) {
	x := p.pool.Get().(*exchange)
	x.begin(p, w, r)
	x.edge = from
	x.run()
}

// run takes the exchange from its first state to its last.
func (x *exchange) run() {
	finished := false
	defer func() {
		x.deadline() // for what net/http still has to write
		x.report(finished)
		x.end()
	}()
	for s := stateRecv; s != stateDone; {
		s = x.step(s)
	}
	finished = x.plain == nil || x.plain.End(x.trailer) == nil
}

// Client returns the address that a request came from, by the connection or by
// a trusted proxy's word, and whether it carries forwarding fields that nobody
// trusted vouches for: such a request gets nothing for coming from loopback.
func (p *Proxy) Client(r *http.Request) (addr netip.Addr, forwarded bool) {
	var trusted []netip.Prefix
	if host, ok := field.NormalHost("", r.Host); ok {
		if s := p.now.Load().routes.match(field.Hostname(host)); s != nil {
			trusted = s.TrustedProxies
		}
	}
	a := askOf(r, nil)
	c := a.client(trusted)
	return c.addr, c.forwarded
}

func (x *exchange) begin(p *Proxy, w http.ResponseWriter, r *http.Request) {
	x.p, x.cfg, x.w, x.r = p, p.hold(x.stripe), w, r
	x.control, x.ctx = *http.NewResponseController(w), r.Context()
	x.start = time.Now()
}

// end gives back what the exchange holds. It also runs when a broken response
// unwinds the handler.
func (x *exchange) end() {
	if x.upload != nil {
		x.upload.end()
	}
	if x.answer != nil {
		x.answer.Close()
	}
	x.object.Release()
	x.form.Release()
	x.cfg.release(x.stripe)
	p := x.p
	x.clear()
	p.pool.Put(x)
}

// clear makes the exchange ready for another request, with the room that it
// has. What its slices point to must not be kept alive, nor anything point to
// what the store may have freed. The fields of a request that the server read
// itself by HTTP/1 lie in a buffer that stays anyway.
func (x *exchange) clear() {
	clear(x.content)
	x.text, x.head, x.content = kept(x.text), kept(x.head), x.content[:0]
	if x.stored && x.ask.major == 1 {
		x.fields, x.out, x.record.Keys = x.fields[:0], x.out[:0], nil
	} else {
		x.fields, x.out, x.raw = emptied(x.fields), emptied(x.out), emptied(x.raw)
		x.record = event.Request{}
	}
	x.turn = turn{}
}

// kept keeps the room for what is usual.
func kept(b []byte) []byte {
	if cap(b) > mostKept {
		return nil
	}
	return b[:0]
}

// mostKept is more than usual heads take: a rare long one is not worth keeping
// its memory.
const mostKept = 16 << 10

func emptied(f field.Fields) field.Fields {
	clear(f[:cap(f)])
	return f[:0]
}
