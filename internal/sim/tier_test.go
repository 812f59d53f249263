package sim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/proxy"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/shield"
	"github.com/rescind-edge/rescind/internal/shield/catch"
	"github.com/rescind-edge/rescind/internal/shield/edge"
	"github.com/rescind-edge/rescind/internal/store"
)

var tierRuns = flag.Int("sim.tier", 12, "how many runs with a shield")

// tier is a run of a cluster in which edges fetch through a shield POP. Nodes have
// the real proxies, fetches and pools beside what all nodes of this package have;
// the origin is simulated. The model knows which purges each node has applied, from
// outside, and what the origin answered when.
type tier struct {
	rng     *rand.Rand // of the plan
	chances *rand.Rand // of the origin
	noting  sync.Mutex
	net     *simnet.Net
	fronts  []*front // shields first
	doing   sync.WaitGroup
	broken  tierFault
	mu      sync.Mutex
	pages   [6]int // versions at the origin
	purges  []*tierPurge
	wrong   []string
	events  []string
	counts  struct{ requests, purges, posts, crashes int }
	answers map[string]uint64
	held    [catch.CaughtUp + 1]uint64
}

// tierFault says what is left out, to see that a run finds it.
type tierFault uint8

const (
	nothingBroken  tierFault = iota
	shieldsBelieve           // shields do not look whether they know what edges know
	edgesForget              // edges do not say what unsafe methods did
	boundsIgnored            // edges do not take over when a response ends
	revertsIgnored           // edges do not look whether what a shield has taken back is in force with them
)

// tierPurge is a purge or an unsafe request, as the model knows it.
type tierPurge struct {
	number   int
	id       purge.ID
	pages    [6]bool
	least    [6]int // the versions that answers must have
	from     time.Time
	applied  map[*front]time.Time
	reverted bool
}

const shieldPort = 7950

// front is what stands before one machine's node.
type front struct {
	*Machine
	tier    *tier
	shield  bool
	fetcher *fetch.Fetcher
	proxy   *proxy.Proxy
	parent  *edge.Parent
	catcher *catch.Catcher
	counts  *edge.Counters
	server  *http.Server
	stop    chan struct{}
	serving sync.WaitGroup
	life    int
}

// applies follows what an engine applies.
type applies struct {
	control.Engine
	f    *front
	life int
}

func (a applies) Apply(now int64, p purge.Purge) purge.Applied {
	done := a.Engine.Apply(now, p)
	t := a.f.tier
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.purges {
		if known.id == p.ID && a.f.life == a.life {
			known.applied[a.f] = time.Now()
		}
	}
	return done
}

func (f *front) start() error {
	f.tier.mu.Lock()
	f.life++
	life := f.life
	f.tier.mu.Unlock()
	f.Settings.Engine = func(e control.Engine) control.Engine { return applies{e, f, life} }
	if err := f.Machine.Start(); err != nil {
		return err
	}
	n, t := f.Node(), f.tier
	policy := &httpcache.Policy{DefaultKeep: time.Minute}
	cfg := fetch.Config{
		Service: Service, Store: n.Store, Judge: n.judge, Hasher: n.Hasher, Origin: t, Policy: policy, Log: slog.New(slog.DiscardHandler),
	}
	if !f.shield {
		f.parent = edge.New(edge.Config{
			Service: Service, Name: f.Name, Session: func() shield.Session { return shield.Session(n.Cluster.Session()) },
			Members: func() (list []edge.Member) {
				for _, s := range n.Cluster.Shields("fra1") {
					list = append(list, edge.Member{Name: s.Name, Address: s.Addr.String()})
				}
				return list
			},
			Direct: t, Applied: &n.Applied, Counters: f.counts, Log: slog.New(slog.DiscardHandler),
			InForce:  func(id shield.Purge) bool { return t.broken != revertsIgnored && n.Control.InForce(purge.ID(id)) },
			Unspread: func(target field.Target) bool { return t.broken != edgesForget && n.Control.Unspread(Service, target) },
			Pool: origin.Config{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
				return f.Host.Dial(ctx, netip.MustParseAddrPort(address))
			}},
		})
		cfg.Parent = f.parent
		if t.broken == boundsIgnored {
			cfg.Parent = unbounded{f.parent}
		}
	}
	f.fetcher = fetch.New(cfg)
	f.catcher = catch.New(shield.Session(n.Cluster.Session()), n.Journal, tierPeers{n}, slog.New(slog.DiscardHandler))
	takenBack := func(service string, id purge.ID) { f.catcher.TakenBack(service, shield.Purge(id)) }
	n.TakenBack.Store(&takenBack)
	var catcher proxy.Catcher = f.catcher
	if t.broken == shieldsBelieve {
		catcher = believing{f.catcher}
	}
	f.proxy = proxy.New(proxy.Config{
		Node: f.Name, POP: f.POP, Store: n.Store, Hasher: n.Hasher, Catcher: catcher, Log: slog.New(slog.DiscardHandler),
		Invalidate: func(_ string, targets []field.Target) { n.Control.Invalidate(Service, targets) },
		Services: []*proxy.Service{{
			ID: Service, Domains: []string{Host}, Fetcher: f.fetcher, Judge: n.judge, Policy: policy, Shields: f.shield,
		}},
	})
	f.stop = make(chan struct{})
	stop := f.stop
	f.serving.Go(func() {
		for tick := time.NewTicker(250 * time.Millisecond); ; {
			select {
			case <-tick.C:
				n.Control.SpreadInvalidations()
			case <-stop:
				tick.Stop()
				return
			}
		}
	})
	if !f.shield {
		return nil
	}
	l, err := f.Host.Listen(netip.AddrPortFrom(f.Host.Addr(), shieldPort))
	if err != nil {
		return err
	}
	f.server = &http.Server{Handler: f.proxy.Edges(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	server := f.server
	f.serving.Go(func() { _ = server.Serve(l) })
	return nil
}

// end takes down what stands before the node; whoever ends the node does so before.
func (f *front) end() {
	close(f.stop)
	if f.server != nil {
		f.server.Close()
	}
	f.serving.Wait()
	f.fetcher.Close()
	if f.parent != nil {
		f.parent.Close()
	}
	st := f.catcher.Stats()
	f.tier.held[catch.Covered] += st.Covered
	f.tier.held[catch.CaughtUp] += st.CaughtUp
	f.tier.held[catch.NotCovered] += st.Behind
	f.catcher.Close()
	f.server, f.parent = nil, nil
}

type tierPeers struct{ n *Node }

func (p tierPeers) SessionOf(name string) (shield.Session, bool) {
	s, ok := p.n.Cluster.SessionOf(name)
	return shield.Session(s), ok
}

func (p tierPeers) Fetch(ctx context.Context, name string, entries []journal.Range) error {
	return p.n.Cluster.Fetch(ctx, name, entries)
}

func (p tierPeers) CatchUp(ctx context.Context, name string) error {
	return p.n.Cluster.CatchUp(ctx, name)
}

// believing says of everything that it is known.
type believing struct{ *catch.Catcher }

func (believing) Covers(context.Context, *shield.Ask) catch.Covering { return catch.Covered }
func (believing) Confirms(*shield.Ask) bool                          { return true }

// unbounded forgets what a shield says of a response's times.
type unbounded struct{ *edge.Parent }

func (u unbounded) Do(ctx context.Context, r *origin.Request) (*origin.Response, fetch.Said, error) {
	resp, said, err := u.Parent.Do(ctx, r)
	said.Bounded = false
	return resp, said, err
}

// Do is the origin: it answers with the version that a page has at some moment
// between the arrival of a request and that of its response.
func (t *tier) Do(ctx context.Context, r *origin.Request) (*origin.Response, error) {
	var i int
	if _, err := fmt.Sscanf(r.Target.Path, "/p%d", &i); err != nil {
		return nil, err
	}
	t.mu.Lock()
	before, after := randomTime(t.chances, 0, 60*time.Millisecond), randomTime(t.chances, 0, 200*time.Millisecond)
	t.mu.Unlock()
	if err := waitFor(ctx, before); err != nil {
		return nil, err
	}
	t.mu.Lock()
	j := (i + 1) % len(t.pages) // of which a POST says that it changes it, too
	if r.Method == http.MethodPost {
		t.pages[i]++
		t.pages[j]++
	}
	version, other := t.pages[i], t.pages[j]
	t.mu.Unlock()
	if err := waitFor(ctx, after); err != nil {
		return nil, err
	}
	body, status := strconv.Itoa(version), 200
	etag := `"` + body + `"`
	if match, _ := r.Fields.Get("If-None-Match"); match == etag {
		body, status = "", 304
	}
	resp := &origin.Response{Status: status, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	resp.Fields = resp.Fields.Add("Date", time.Now().UTC().Format(http.TimeFormat)).Add("ETag", etag).
		Add("Cache-Control", "max-age=600").Add("Surrogate-Key", fmt.Sprintf("k%d all-pages", i%3))
	if r.Method == http.MethodPost {
		resp.Fields = resp.Fields.Add("Content-Location", fmt.Sprintf("/p%d", j)).Add("X-Other", strconv.Itoa(other))
	}
	return resp, nil
}

func waitFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &origin.Error{Kind: origin.KindCanceled, Err: context.Cause(ctx)}
	}
}

var _ store.Judge = (*fetch.Judge)(nil)

func (t *tier) note(format string, args ...any) {
	t.noting.Lock()
	defer t.noting.Unlock()
	t.events = append(t.events, fmt.Sprintf("%v ", time.Now().Format("05.000"))+fmt.Sprintf(format, args...))
}

// undoneAt tells whether a purge has been taken back as a node knows it. One whose
// receipt the node does not have may have been.
func (p *tierPurge) undoneAt(n *Node) bool {
	if !p.reverted {
		return false
	}
	r, known := n.Control.Known(p.id)
	return !known || r.Reverted != nil
}

// request has a client ask a node for a page, and holds the answer against every
// purge that the node had applied before the request began.
func (t *tier) request(f *front, i int, method string) { t.requestOf(f, f.proxy, f.life, i, method) }

func (t *tier) requestOf(f *front, p *proxy.Proxy, life, i int, method string) {
	began, n := time.Now(), f.Node()
	t.mu.Lock()
	t.counts.requests++
	least, by := 0, 0
	for _, one := range t.purges {
		at, applied := one.applied[f]
		if applied && !at.After(began) && one.pages[i] && !one.undoneAt(n) && !began.Before(one.from) && one.least[i] > least {
			least, by = one.least[i], one.number
		}
	}
	t.mu.Unlock()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), method, "http://"+Host+"/", nil)
	r.RequestURI = fmt.Sprintf("/p%d", i)
	cut := func() (cut bool) {
		defer func() { cut = recover() != nil }()
		p.ServeHTTP(finalOnly{w}, r)
		return false
	}()
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.life != life || cut || w.Code != 200 {
		if f.life == life {
			t.note("%s: %s page %d gets %d %s", f.Name, method, i, w.Code, strings.TrimSpace(w.Body.String()))
		}
		return
	}
	version, _ := strconv.Atoi(w.Body.String())
	t.note("%s: %s page %d, version %d, %s", f.Name, method, i, version, strings.Join(w.Header().Values("Cache-Status"), ", "))
	if method == http.MethodPost {
		one := &tierPurge{number: len(t.purges), applied: map[*front]time.Time{f: time.Now()}}
		one.pages[i], one.least[i] = true, version
		j := (i + 1) % len(t.pages)
		one.pages[j] = true
		one.least[j], _ = strconv.Atoi(w.Header().Get("X-Other"))
		t.purges = append(t.purges, one)
		t.counts.posts++
		return
	}
	if version < least {
		// A purge that has been taken back here meanwhile does not count.
		if one := t.purges[by]; !one.undoneAt(n) {
			t.wrong = append(t.wrong, fmt.Sprintf("%s answers with version %d of page %d, and had applied purge %d, which wants %d, when asked at %v",
				f.Name, version, i, by, least, began.Format("05.000")))
			t.note("WRONG: %s", t.wrong[len(t.wrong)-1])
		}
	}
}

// finalOnly lets informational responses pass.
type finalOnly struct{ *httptest.ResponseRecorder }

func (f finalOnly) WriteHeader(code int) {
	if code >= 200 {
		f.ResponseRecorder.WriteHeader(code)
	}
}

// purge changes some pages at the origin and purges them at a node. The model takes
// the purge as applied there once it is answered, and elsewhere once the engine of
// that node has it.
func (t *tier) purge(f *front, changes bool) {
	i := t.rng.IntN(len(t.pages))
	var s purge.Selector
	one := &tierPurge{applied: map[*front]time.Time{}}
	switch t.rng.IntN(4) {
	case 0:
		s, _ = purge.Key(fmt.Sprintf("k%d", i%3))
		for j := range t.pages {
			one.pages[j] = j%3 == i%3
		}
	case 1:
		s = purge.All()
		for j := range t.pages {
			one.pages[j] = true
		}
	default:
		s, _ = purge.URL(fmt.Sprintf("http://%s/p%d", Host, i))
		one.pages[i] = true
	}
	effect := purge.Effect{}
	if t.rng.IntN(3) == 0 {
		effect = purge.SoftEffect()
		if t.rng.IntN(2) == 0 {
			effect.TTL = randomTime(t.rng, time.Second, 5*time.Second)
		}
	}
	t.mu.Lock()
	for j := range t.pages {
		if one.pages[j] && changes {
			t.pages[j]++
		}
		one.least[j] = t.pages[j]
	}
	one.from = time.Now().Add(effect.TTL)
	t.mu.Unlock()
	n, life := f.Node(), f.life
	r, err := n.Control.Purge(Local(), control.Request{Service: Service, Selectors: []purge.Selector{s}, Effect: effect, Dialect: "sim"})
	if err != nil || f.life != life {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	one.number, one.id = len(t.purges), r.ID
	one.applied[f] = time.Now()
	t.purges = append(t.purges, one)
	t.counts.purges++
	t.note("%s: purge %d of %v, %v %v", f.Name, one.number, s, effect.Mode, effect.TTL)
}

func (t *tier) revert(f *front) {
	t.mu.Lock()
	var one *tierPurge
	if n := len(t.purges); n > 0 {
		one = t.purges[n-1-t.rng.IntN(min(n, 4))]
	}
	if one == nil || one.id == (purge.ID{}) {
		t.mu.Unlock()
		return
	}
	one.reverted = true // it may be from now on
	t.mu.Unlock()
	n := f.Node()
	t.doing.Go(func() {
		n.atDesk(func() { _, _ = n.Control.Revert(Local(), one.id) })
		t.mu.Lock()
		defer t.mu.Unlock()
		t.note("%s: revert of purge %d", f.Name, one.number)
	})
}

func runTier(seed uint64, broken tierFault) *tier {
	t := &tier{rng: rand.New(rand.NewPCG(seed, 3)), chances: rand.New(rand.NewPCG(seed, 4)), broken: broken}
	t.net = simnet.New(seed, func(netip.Addr, netip.Addr) simnet.Link { return simnet.Link{Delay: 5 * time.Millisecond} })
	began := time.Now()
	for i := range 4 {
		f := &front{tier: t, shield: i < 2, counts: new(edge.Counters), Machine: &Machine{
			Name: fmt.Sprintf("n%d", i), POP: "fra1", Host: t.net.Host(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)})),
			Clock: &Clock{}, Began: began, Random: t.rng.Uint64(), ShieldPort: shieldPort,
			Settings: Settings{UndoWindow: randomTime(t.rng, time.Second, 6*time.Second)},
		}}
		if !f.shield {
			f.POP, f.ShieldPort = fmt.Sprintf("pop%d", i), 0
		}
		if t.rng.IntN(2) == 0 {
			f.Disk = NewDisk()
		}
		t.fronts = append(t.fronts, f)
	}
	for _, f := range t.fronts {
		for _, o := range t.fronts {
			if o != f {
				f.Join = append(f.Join, Address(o.Host))
			}
		}
		if err := f.start(); err != nil {
			t.wrong = append(t.wrong, err.Error())
		}
	}
	for range 600 {
		if !slices.ContainsFunc(t.fronts, func(f *front) bool { return !f.Node().Cluster.Ready() || len(f.Node().Cluster.Members()) < 4 }) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for range 60 {
		t.step()
	}
	t.net.Partition(t.addrs(t.fronts[:2]), t.addrs(t.fronts[2:]), false)
	t.doing.Wait()
	for _, f := range t.fronts {
		t.halt(f, false)
	}
	time.Sleep(2 * time.Minute) // what net/http and memberlist leave behind
	t.answers = map[string]uint64{}
	for _, f := range t.fronts {
		st := f.counts.Stats()
		for how, n := range st.Answers {
			t.answers[string(how)] += n
		}
		for why, n := range st.Direct {
			t.answers["past: "+why] += n
		}
	}
	return t
}

func (t *tier) addrs(fronts []*front) (list []netip.Addr) {
	for _, f := range fronts {
		list = append(list, f.Host.Addr())
	}
	return list
}

func (t *tier) halt(f *front, crash bool) {
	t.mu.Lock()
	f.life++ // what it answers from now on does not count
	for _, p := range t.purges {
		delete(p.applied, f)
	}
	t.mu.Unlock()
	if crash {
		f.Crash(nil)
	} else if err := f.Machine.Stop(); err != nil {
		t.wrong = append(t.wrong, err.Error())
	}
	f.end()
}

// step lets something happen, and then clients ask.
func (t *tier) step() {
	any := func() *front { return t.fronts[t.rng.IntN(len(t.fronts))] }
	anyEdge := func() *front { return t.fronts[2+t.rng.IntN(2)] }
	switch n := t.rng.IntN(100); {
	case n < 45:
		t.purge(any(), true)
	case n < 50: // more than can be named, or than are remembered
		f := anyEdge()
		for range 40 + t.rng.IntN(1100) {
			t.purge(f, false)
		}
		t.purge(f, true)
	case n < 58:
		f, i := anyEdge(), t.rng.IntN(len(t.pages))
		t.request(f, i, http.MethodPost)
		t.request(f, (i+1)%len(t.pages), http.MethodGet)
	case n < 64:
		t.revert(any())
	case n < 78: // links get worse or better; purges reach nodes in any order
		delays, longest := map[netip.Addr]time.Duration{}, []time.Duration{4, 80}[t.rng.IntN(2)]*time.Millisecond
		for _, f := range t.fronts {
			delays[f.Host.Addr()] = randomTime(t.rng, 0, longest)
		}
		loss := []float64{0, 0, 0.2, 0.9}[t.rng.IntN(4)]
		t.net.SetLink(func(from, to netip.Addr) simnet.Link {
			return simnet.Link{Delay: delays[from], Jitter: 5 * time.Millisecond, Loss: loss, Duplicate: 0.05}
		})
		t.note("links: %v, loss %v", delays, loss)
	case n < 86:
		cut := t.rng.IntN(2) == 0
		some := t.fronts[:1+t.rng.IntN(2)]
		t.net.Partition(t.addrs(some), t.addrs(t.fronts[len(some):]), cut)
		t.note("%d shields are cut off: %v", len(some), cut)
	case n < 92: // a shield, or an edge, starts anew
		f := any()
		t.halt(f, true)
		time.Sleep(randomTime(t.rng, 0, 2*time.Second))
		if err := f.start(); err != nil {
			t.wrong = append(t.wrong, err.Error())
			return
		}
		t.note("%s starts anew", f.Name)
		t.counts.crashes++
	default:
		time.Sleep(randomTime(t.rng, 0, 6*time.Second))
	}
	for range 1 + t.rng.IntN(6) {
		f, i := anyEdge(), t.rng.IntN(len(t.pages))
		if t.rng.IntN(4) == 0 {
			f = any()
		}
		if t.rng.IntN(2) == 0 {
			t.request(f, i, http.MethodGet)
		} else {
			p, life := f.proxy, f.life
			t.doing.Go(func() { t.requestOf(f, p, life, i, http.MethodGet) })
		}
	}
	time.Sleep(randomTime(t.rng, 0, 60*time.Millisecond))
}

func inTier(t *testing.T, seed uint64, broken tierFault) (w *tier) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { w = runTier(seed, broken) })
	return w
}

// TestShieldsGiveNothingThatTheEdgeHasPurged lets random things happen to edges and
// shields.
func TestShieldsGiveNothingThatTheEdgeHasPurged(t *testing.T) {
	for range *tierRuns {
		s := *seed
		if s == 0 {
			s = rand.Uint64()
		}
		w := inTier(t, s, nothingBroken)
		if len(w.wrong) > 0 {
			t.Fatalf("go test ./internal/sim -run %s -sim.seed %d replays this, as far as the order of goroutines allows\n%s\n\n%s",
				t.Name(), s, strings.Join(w.wrong, "\n"), strings.Join(w.events, "\n"))
		}
		t.Logf("seed %d: %+v, answers %v, knowledge %v", s, w.counts, w.answers, w.held)
	}
}
