package control

import (
	"sync"
	"sync/atomic"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Invalidate withdraws targets because a request with an unsafe method
// succeeded on them (RFC 9111 section 4.4): each with all its variants, in any
// spelling and under both schemes. Targets on hosts of other services are left
// alone. It is in force when Invalidate returns. It is counted and leaves no
// receipt: anybody who may POST causes it, and a busy shop's would push an
// operator's own purges out of the receipts.
func (c *Control) Invalidate(serviceID string, targets []field.Target) {
	st := c.state.Load()
	svc := st.services[serviceID]
	if svc == nil {
		return // a reload took the service away; nothing of it is served
	}
	selectors := st.selectorsFor(svc, targets)
	for len(selectors) > 0 {
		batch := selectors[:min(len(selectors), purge.MaxKeys)]
		selectors = selectors[len(batch):]
		c.invalidate(svc, batch)
	}
}

func (st *state) selectorsFor(svc *service, targets []field.Target) []purge.Selector {
	seen := make(map[field.Target]bool, len(targets))
	var selectors []purge.Selector
	for _, t := range targets {
		t.Scheme = ""
		if owner, err := st.serviceOfHost(t.Host); err != nil || owner != svc.ID || seen[t] {
			continue
		}
		seen[t] = true
		selectors = append(selectors, purge.Selector{Kind: purge.ByURL, Target: t})
	}
	return selectors
}

func (c *Control) invalidate(svc *service, selectors []purge.Selector) {
	m, now := marksOf(c.parts.Hasher, svc, selectors), c.parts.Now()
	if c.parts.Cluster != nil {
		// Before it is in force: whoever finds it in force must find it unspread too.
		c.unsafe.add(svc.ID, selectors, func(s purge.Selector) field.Tag { return s.Tag(c.parts.Hasher, svc.ID, svc.Query) })
	}
	apply := func(at field.Position) {
		c.parts.Engine.Apply(now.UnixNano(), purge.Purge{
			ID: purge.NewID(now.UnixMilli()), Service: svc.ID, Tags: m.tags, Effect: purge.Effect{At: now.UnixNano()},
			All: m.everything, Position: at,
		})
	}
	if c.parts.Journal.Advance(apply) != nil {
		apply(0) // the journal is closing, or its disk takes nothing
	}
	c.counts.invalidations.Add(1)
}

// dialectHTTP marks what an unsafe method caused.
const dialectHTTP = "http"

// maxUnsafe bounds the URLs of a service that wait to be told to other nodes.
// Anybody who may POST adds to them, so past it they are left out: each node that
// such a request passes through withdraws its own.
const maxUnsafe = 4 * purge.MaxKeys

// unsafe are URLs that unsafe methods changed. They are withdrawn here at once, and
// told to other nodes together, a few times a second, and nobody waits for that:
// requests that cost nothing to send must not become broadcasts one by one.
type unsafe struct {
	mu struct {
		sync.Mutex
		pending   map[string]*invalidated // by service
		spreading map[string]*invalidated // taken from pending, and not all entries of the journal yet
	}
	some atomic.Bool   // there are such: cheap to ask for every request to the origin
	left atomic.Uint64 // URLs left out
}

// invalidated are URLs and keys of one service.
type invalidated struct {
	selectors map[purge.Selector]struct{}
	urls      map[field.Tag]struct{} // of those that are URLs
	keys      bool                   // there are others
}

func (u *unsafe) add(service string, selectors []purge.Selector, tag func(purge.Selector) field.Tag) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mu.pending == nil {
		u.mu.pending = make(map[string]*invalidated)
	}
	waiting := u.mu.pending[service]
	if waiting == nil {
		waiting = &invalidated{selectors: make(map[purge.Selector]struct{}), urls: make(map[field.Tag]struct{})}
		u.mu.pending[service] = waiting
	}
	u.some.Store(true)
	for _, s := range selectors {
		if len(waiting.selectors) >= maxUnsafe {
			u.left.Add(1)
			continue
		}
		waiting.selectors[s] = struct{}{}
		if s.Kind == purge.ByURL {
			waiting.urls[tag(s)] = struct{}{}
		} else {
			waiting.keys = true
		}
	}
}

func (u *unsafe) take() map[string]*invalidated {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.spreading, u.mu.pending = u.mu.pending, nil
	return u.mu.spreading
}

// spread notes that what was taken last is in the journal.
func (u *unsafe) spread() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.spreading = nil
	u.some.Store(len(u.mu.pending) > 0)
}

func (u *unsafe) has(service string, url field.Tag) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, all := range [...]map[string]*invalidated{u.mu.pending, u.mu.spreading} {
		if one := all[service]; one != nil {
			if _, ok := one.urls[url]; ok || one.keys {
				return true
			}
		}
	}
	return false
}

// Unspread tells whether an unsafe method has changed something that a target may
// be, and other nodes cannot have been told yet: it is in force here, and not in
// the journal. What is left out of being told, because there is too much of it, is
// not in it any more.
func (c *Control) Unspread(serviceID string, target field.Target) bool {
	if !c.unsafe.some.Load() {
		return false
	}
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return false
	}
	target.Scheme = ""
	url := purge.Selector{Kind: purge.ByURL, Target: target}
	return c.unsafe.has(svc.ID, url.Tag(c.parts.Hasher, svc.ID, svc.Query))
}

// maxUnsafeBytes bounds the text of the URLs in one entry, so that long ones do
// not make it one that cannot be passed on, and take the others with it.
const maxUnsafeBytes = journal.MaxBody / 4

// SpreadInvalidations tells other nodes what unsafe methods changed since the
// last call. What cannot be passed on now is left out.
func (c *Control) SpreadInvalidations() {
	defer c.unsafe.spread()
	for service, all := range c.unsafe.take() {
		var batch []purge.Selector
		bytes := 0
		for s := range all.selectors {
			size := len(s.Key) + len(s.Target.Host) + len(s.Target.Path) + len(s.Target.Query)
			if len(batch) > 0 && (len(batch) == purge.MaxKeys || bytes+size > maxUnsafeBytes) {
				c.spreadInvalidation(service, batch)
				batch, bytes = nil, 0
			}
			batch, bytes = append(batch, s), bytes+size
		}
		c.spreadInvalidation(service, batch)
	}
}

func (c *Control) spreadInvalidation(service string, batch []purge.Selector) {
	now := c.parts.Now()
	r := Receipt{
		ID: purge.NewID(now.UnixMilli()), Service: service, Selectors: batch, Actor: ActorUnsafeMethod, Dialect: dialectHTTP,
		Accepted: now, Effect: purge.Effect{At: now.UnixNano()}, Node: c.parts.Node,
	}
	if _, err := c.append(journal.Draft{Kind: journal.KindPurge, Same: c.same(&r), Body: appendPurge(nil, &r)}); err != nil {
		c.unsafe.left.Add(uint64(len(batch)))
	}
}

// InvalidateKeys withdraws what carries surrogate keys because the origin's
// answer to a request with an unsafe method said so (RFC 9875 section 3). In all
// else it is like Invalidate. Keys that no object can carry are left out.
func (c *Control) InvalidateKeys(serviceID string, keys []string) {
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return
	}
	var selectors []purge.Selector
	for _, key := range keys[:min(len(keys), purge.MaxKeys)] {
		if s, err := purge.Key(key); err == nil {
			selectors = append(selectors, s)
		}
	}
	if len(selectors) > 0 {
		c.invalidate(svc, selectors)
	}
}
