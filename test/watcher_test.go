//go:build e2e

package test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// watcher keeps changing and purging pages at any member, and keeps asking every
// member for them. It notes each answer that was older than allowed: once a
// member has confirmed a purge, no request that begins afterwards at that member
// may get a version from before it.
type watcher struct {
	t       *testing.T
	origin  *versions
	members []*watched
	purged  atomic.Int64 // accepted
	failed  atomic.Int64 // purges that met nobody
	stop    context.CancelFunc
	running sync.WaitGroup

	mu struct {
		sync.Mutex
		wrong []string
	}
}

// watched is a member with what is known of it.
type watched struct {
	*member
	floor    [pageCount]atomic.Int64 // least version it may show
	away     atomic.Bool             // it is down: no purges are sent there
	isolated atomic.Bool             // it says so, and nobody has healed the cut: it asks the origin
	hits     atomic.Int64
	misses   atomic.Int64
	down     atomic.Int64

	publishing sync.RWMutex // held while a purge is made there and noted

	mu struct {
		sync.Mutex
		pending map[string]pending // purges it has not confirmed, by id
		since   time.Time          // of its return; it need not have receipts of purges from before
	}
}

// pending is a purge that somebody accepted.
type pending struct {
	by      *watched
	page    int
	version int64
}

// Paces: the machine of the tests has few cores, which the members need too.
const (
	purgeEvery = 15 * time.Millisecond
	visitEvery = 3 * time.Millisecond
	askEvery   = 25 * time.Millisecond
)

func watch(t *testing.T, origin *versions, members []*member) *watcher {
	w := &watcher{t: t, origin: origin}
	for _, m := range members {
		x := &watched{member: m}
		x.mu.pending = map[string]pending{}
		w.members = append(w.members, x)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop = cancel
	t.Cleanup(w.end)
	every := func(d time.Duration, do func()) {
		w.running.Go(func() {
			tick := time.NewTicker(d)
			defer tick.Stop()
			for ctx.Err() == nil {
				do()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	for range 2 {
		every(purgeEvery, func() { w.publish(ctx) })
	}
	for _, m := range w.members {
		visitor := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}
		t.Cleanup(visitor.CloseIdleConnections)
		for range 2 {
			every(visitEvery, func() { w.visit(ctx, m, visitor) })
		}
		every(askEvery, func() { w.ask(ctx, m) })
	}
	return w
}

// end stops asking and purging.
func (w *watcher) end() {
	w.stop()
	w.running.Wait()
}

// publish changes a page and purges it at some member.
func (w *watcher) publish(ctx context.Context) {
	at := w.members[rand.IntN(len(w.members))]
	at.publishing.RLock()
	defer at.publishing.RUnlock()
	if at.away.Load() {
		return
	}
	began, page := time.Now(), rand.IntN(pageCount)
	version := w.origin.change(page)
	p := api.Purge{Service: "shop", Keys: []string{pageKey(page)}}
	if rand.IntN(2) == 0 {
		p = api.Purge{Service: "shop", Paths: []string{pagePath(page)}}
	}
	receipt, err := at.client.Purge(ctx, p)
	if err != nil {
		w.failed.Add(1)
		return
	}
	w.purged.Add(1)
	raise(&at.floor[page], version)
	for _, m := range w.members {
		if m != at {
			m.owes(receipt.ID, began, pending{at, page, version})
		}
	}
}

func raise(floor *atomic.Int64, to int64) {
	for old := floor.Load(); old < to && !floor.CompareAndSwap(old, to); old = floor.Load() {
	}
}

// visit asks a member for a page and checks the answer.
func (w *watcher) visit(ctx context.Context, m *watched, visitor *http.Client) {
	page := rand.IntN(pageCount)
	least, why := m.floor[page].Load(), "its purge was confirmed"
	if m.isolated.Load() {
		if v := w.origin.settled(page); v > least {
			least, why = v, "the member was isolated"
		}
	}
	began := time.Now()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, m.site()+pagePath(page), nil)
	if err != nil {
		w.complain("%v", err)
		return
	}
	resp, err := visitor.Do(r)
	if err != nil {
		m.down.Add(1)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusServiceUnavailable {
		m.down.Add(1)
		return
	}
	version, err := strconv.ParseInt(string(body), 10, 64)
	switch cache := resp.Header.Get("X-Cache"); {
	case err != nil || resp.StatusCode != http.StatusOK:
		w.complain("%s: %s: %d %q", m.name, pagePath(page), resp.StatusCode, body)
	case version < least:
		w.complain("%s at %s: %s version %d (%s), though %s of version %d", m.name, began.Format("05.000"), pagePath(page), version, resp.Header.Get("Cache-Status"), why, least)
	case strings.HasSuffix(cache, "HIT"): // behind a shield, its word comes first
		m.hits.Add(1)
	default:
		m.misses.Add(1)
	}
}

// maxWrong bounds what is told of answers that are wrong.
const maxWrong = 20

func (w *watcher) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.mu.wrong) < maxWrong {
		w.mu.wrong = append(w.mu.wrong, fmt.Sprintf(format, args...))
	}
}

// ask has a member say which purges it has applied.
func (w *watcher) ask(ctx context.Context, m *watched) {
	if m.away.Load() || m.unconfirmed() == 0 {
		return
	}
	recent, _ := m.client.Receipts(ctx, 50) // none where it is about to go
	for i := range recent {
		m.confirm(recent[i].ID)
	}
	for _, id := range m.some(20) { // what may be past the end of the list
		if _, err := m.client.Receipt(ctx, id); err == nil {
			m.confirm(id)
		}
	}
}

// owes takes note of a purge that the member has not confirmed.
func (m *watched) owes(id string, began time.Time, p pending) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if began.After(m.mu.since) {
		m.mu.pending[id] = p
	}
}

func (m *watched) confirm(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p, ok := m.mu.pending[id]; ok {
		raise(&m.floor[p.page], p.version)
		delete(m.mu.pending, id)
	}
}

func (m *watched) unconfirmed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mu.pending)
}

// some returns a few purges that the member has not confirmed.
func (m *watched) some(n int) (ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id := range m.mu.pending {
		if ids = append(ids, id); len(ids) == n {
			break
		}
	}
	return ids
}

// left takes note that a member is going: what it accepted is lost unless it has
// a disk, or another member knows it already.
func (w *watcher) left(m *watched, disk bool) {
	m.away.Store(true)
	if disk {
		return
	}
	m.publishing.Lock() // what is under way there is to be lost with the rest
	defer m.publishing.Unlock()
	for _, other := range w.members {
		other.mu.Lock()
		for id, p := range other.mu.pending {
			if p.by == m {
				delete(other.mu.pending, id)
			}
		}
		other.mu.Unlock()
	}
}

// returning is called before a member starts again. Before it serves what it has
// stored it is to have applied all that any member has confirmed by now.
func (w *watcher) returning(m *watched) {
	for page := range pageCount {
		for _, other := range w.members {
			raise(&m.floor[page], other.floor[page].Load())
		}
	}
}

// returned is called once a member is ready again. Having started with nothing
// stored it owes no receipts of what was purged before.
func (m *watched) returned() {
	m.mu.Lock()
	clear(m.mu.pending)
	m.mu.since = time.Now()
	m.mu.Unlock()
	m.away.Store(false)
}

// converged waits until every member has confirmed every purge.
func (w *watcher) converged(what string) {
	w.t.Helper()
	began := time.Now()
	for _, m := range w.members {
		eventually(w.t, m.name+" has confirmed all purges, "+what, func() bool { return m.unconfirmed() == 0 })
	}
	w.t.Logf("%s: all purges confirmed everywhere after %v", what, time.Since(began).Round(time.Millisecond))
}

// forAWhile lets the watcher go on for some time.
func (w *watcher) forAWhile(d time.Duration) {
	w.t.Helper()
	<-time.After(d)
	w.check()
}

// check fails the test where an answer was wrong.
func (w *watcher) check() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, wrong := range w.mu.wrong {
		w.t.Error(wrong)
	}
	if w.t.Failed() {
		w.t.FailNow()
	}
}
