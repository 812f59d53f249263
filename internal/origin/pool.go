package origin

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Pool sends requests to the origins of one service. Its methods may be called
// concurrently.
type Pool struct {
	cfg     Config
	origins []*upstream
	next    atomic.Uint32 // round robin over origins

	anyFound func()        // closes found, once
	found    chan struct{} // closed when the first backend is known

	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	exchanges *gate    // of callers; shut by Close and Shutdown
	work      *gate    // goroutines and dials of the pool's own
	conns     *connSet // open connections
}

// New checks a configuration and starts its look-ups and health checks. It
// connects to nothing itself and does not fail because an origin is down.
func New(cfg Config) (*Pool, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("origin pool: %w", err)
	}
	p := &Pool{
		cfg: cfg, found: make(chan struct{}),
		exchanges: newGate(), work: newGate(), conns: newConnSet(),
	}
	p.anyFound = sync.OnceFunc(func() { close(p.found) })
	for _, e := range cfg.Origins {
		parsed, err := parseEndpoint(e)
		if err != nil {
			return nil, fmt.Errorf("origin pool: %w", err)
		}
		p.origins = append(p.origins, newUpstream(p, parsed))
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for _, u := range p.origins {
		u.start()
	}
	return p, nil
}

// Close cuts every exchange in progress and returns when nothing of the pool
// runs any more: no check, look-up, dial or connection.
func (p *Pool) Close() {
	p.exchanges.shut()
	p.work.shut()
	p.cancel()
	for _, u := range p.origins {
		for _, b := range u.current() {
			b.closeIdle()
		}
	}
	p.conns.close()
	<-p.work.idle
}

// Shutdown refuses new exchanges, waits for those in progress until ctx ends,
// and closes the pool. It returns the context's error if any had to be cut.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.exchanges.shut()
	defer p.Close()
	select {
	case <-p.exchanges.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do sends a request and returns the head of its response as soon as it is
// here. Every error is an *Error. The context bounds the whole exchange, the
// response's body included; when Do has returned an error nothing of req is
// called any more.
//
// An attempt that failed before any byte of a response is repeated at another
// backend, at most Retries times, if the request permits it: after a failure to
// connect any request whose body was not touched; after one that may have
// reached the origin only idempotent ones (RFC 9110 section 9.2.2), whose body
// can be sent again. Timeouts of the first byte are not repeated, since that
// would double the load of an origin that is slow because it has too much of
// it. Where there is no other backend, only a closed connection is tried again.
func (p *Pool) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := req.validate(); err != nil {
		return nil, &Error{Kind: KindBadRequest, Err: err}
	}
	body := newReplay(req.Body)
	var tried []*backend
	var last *Error
	for attempt := 0; ; attempt++ {
		b, err := p.choose(ctx, tried, last)
		if b == nil {
			return nil, err
		}
		res, err, answered := p.attempt(ctx, b, req, body)
		if err == nil {
			return res, nil
		}
		if attempt >= p.cfg.Retries || answered || !mayRepeat(err.Kind, req) || !body.rewind() {
			return nil, err
		}
		tried, last = append(tried, b), err
	}
}

// attempt uses the slot that choose has acquired.
func (p *Pool) attempt(ctx context.Context, b *backend, req *Request, body *replay) (_ *Response, _ *Error, answered bool) {
	if !p.exchanges.enter() {
		b.release()
		return nil, b.error(KindPoolClosed, errPoolClosed), false
	}
	return b.exchange(ctx, req, body, true)
}

// mayRepeat tells whether a request may be sent again after a failure of that
// kind, at which no byte of a response had come.
func mayRepeat(kind Kind, req *Request) bool {
	switch kind {
	case KindConnect, KindConnectTimeout, KindTLS:
		return true
	case KindClosed:
		return req.idempotent()
	}
	return false
}
