package origin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// waitersPerConn bounds the queue for a backend's slots. Four exchanges' worth
// a slot is about what can still be served within ConnectTimeout; whoever
// comes later would time out in the queue, and holds a client's buffers there.
const waitersPerConn = 4

// backend is one address of an origin.
type backend struct {
	pool     *Pool
	endpoint *endpoint
	address  string // "ip:port", as dialled

	idle   idleConns       // of HTTP/1
	http2  *http.Transport // nil where HTTP/2 is not spoken
	chose  atomic.Uint32   // the version of HTTP over TLS; see overHTTP2
	health health

	slots    chan struct{} // one element for each exchange in progress
	waiting  atomic.Int64  // for a slot
	conns    atomic.Int64  // open connections
	total    atomic.Uint64 // exchanges that ended, given-up ones included
	failures atomic.Uint64 // of these, those that blame the backend

	retire context.CancelFunc // ends its checks
}

func newBackend(p *Pool, e *endpoint, address string) *backend {
	b := &backend{
		pool: p, endpoint: e, address: address,
		health: health{active: p.cfg.Active, passive: p.cfg.Passive},
		slots:  make(chan struct{}, p.cfg.MaxConns),
	}
	if e.tls != nil && !e.http1 || e.h2c {
		b.http2 = b.newTransport()
	}
	return b
}

// closeIdle closes connections that are not in use. Those in use are closed
// after it.
func (b *backend) closeIdle() {
	b.idle.shut()
	if b.http2 != nil {
		b.http2.CloseIdleConnections()
	}
}

func (b *backend) tryAcquire() bool {
	select {
	case b.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// acquire waits for a slot, no longer than ConnectTimeout.
func (b *backend) acquire(ctx context.Context) *Error {
	defer b.waiting.Add(-1)
	if b.waiting.Add(1) > int64(waitersPerConn*cap(b.slots)) {
		return b.error(KindBusy, fmt.Errorf("all %d connections in use and %d requests waiting", cap(b.slots), b.waiting.Load()-1))
	}
	timer := time.NewTimer(b.pool.cfg.ConnectTimeout)
	defer timer.Stop()
	select {
	case b.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return b.error(KindBusy, fmt.Errorf("all %d connections in use for %v", cap(b.slots), b.pool.cfg.ConnectTimeout))
	case <-ctx.Done():
		return b.error(KindCanceled, context.Cause(ctx))
	case <-b.pool.ctx.Done():
		return b.error(KindPoolClosed, errPoolClosed)
	}
}

func (b *backend) release() { <-b.slots }

// ended is told of the end of an exchange that had a slot.
func (b *backend) ended(err *Error, reused bool) {
	b.judge(err, reused)
	b.release()
	b.pool.exchanges.leave()
}

// judge records how an exchange ended, for health and for Status. A reused
// connection that closes before a response blames nobody: the backend may have
// closed it as the request was on its way.
func (b *backend) judge(err *Error, reused bool) {
	b.total.Add(1)
	now := time.Now()
	switch {
	case err == nil:
		b.report(b.health.exchanged(now, nil))
	case err.Kind.blamesOrigin() && !(reused && err.Kind == KindClosed):
		b.failures.Add(1)
		b.report(b.health.exchanged(now, errors.New(err.Kind.String()+": "+err.Err.Error())))
	}
}

// report logs a change of health.
func (b *backend) report(v verdict, changed bool) {
	if !changed {
		return
	}
	log := b.pool.cfg.Log.With("origin", b.endpoint.url, "address", b.address, "state", v.State.String())
	if v.State.Usable() {
		log.Info("origin is usable again")
		return
	}
	if !v.EjectedUntil.IsZero() {
		log = log.With("until", v.EjectedUntil)
	}
	log.Warn("origin is avoided", "why", v.Why)
}
