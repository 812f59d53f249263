package origin

import (
	"context"
	"errors"
	"sync"
	"time"
)

// exchange is one attempt to get one response from one backend, from before
// the connection until the end of the response's body: what is the same over
// HTTP/1 and over HTTP/2.
type exchange struct {
	backend *backend
	req     *Request
	caller  context.Context // as Do was given it
	counted bool            // it has a slot and tells of the backend's health; checks do not
	watch   *watchdog       // nil before there is a connection

	// callbacks is shut when the exchange is over: nothing of the caller's is
	// called from then on. Nil where only the caller's own goroutine calls.
	callbacks *gate

	mu struct {
		sync.Mutex
		headed    bool  // the final head is here
		uploading bool  // the request's body was not read to its end
		bodyErr   error // the request's body failed
		ended     bool
	}
}

// errProtocol ends an attempt whose connection speaks another version of HTTP
// than was meant. Nothing was sent.
var errProtocol = errors.New("the origin chose another version of HTTP")

// maxSwitches bounds how often one exchange turns from one version to another.
// Once is an origin that was changed; an origin cannot mean more.
const maxSwitches = 3

// exchange makes one attempt. answered tells that a byte of a response came.
func (b *backend) exchange(ctx context.Context, req *Request, body *replay, counted bool) (_ *Response, _ *Error, answered bool) {
	for range maxSwitches {
		if b.overHTTP2(req) {
			x := b.newHTTP2Exchange(ctx, req, counted)
			if res, err, again := x.run(body); !again {
				return res, err, x.answered.Load()
			}
		} else {
			x := b.newHTTP1Exchange(ctx, req, counted)
			if res, err, again := x.run(body); !again {
				return res, err, x.answered
			}
		}
	}
	err := b.error(KindTLS, errProtocol)
	if counted {
		b.ended(err, false)
	}
	return nil, err, false
}

// claimEnd is true for one caller, who ends the exchange.
func (x *exchange) claimEnd() bool {
	x.mu.Lock()
	ended := x.mu.ended
	x.mu.ended = true
	x.mu.Unlock()
	if ended {
		return false
	}
	if x.callbacks != nil {
		x.callbacks.shut()
	}
	return true
}

// interimCost is counted for an interim response besides its fields, so that
// empty ones end too.
const interimCost = 64

var errEndlessInterim = errors.New("interim responses without end")

// originsTurn and clientsTurn say who is waited for until the final head is
// here; from then on reading the body does.
func (x *exchange) originsTurn(kind Kind, d time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.mu.headed {
		x.watch.expect(kind, d)
	}
}

func (x *exchange) clientsTurn() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.mu.headed {
		x.watch.rest()
	}
}

// headHere ends the wait for the head.
func (x *exchange) headHere() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.headed = true
	x.watch.rest()
}

// tellInterim tells the request of an interim response, which counts as a sign
// of life. While the request's body is under way, that is what is waited for.
func (x *exchange) tellInterim(tell func()) {
	if x.req.Interim != nil {
		if !x.uploading() {
			x.clientsTurn()
		}
		tell()
	}
	if !x.uploading() {
		x.originsTurn(KindFirstByteTimeout, x.config().FirstByteTimeout)
	}
}

func (x *exchange) uploading() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.mu.uploading
}

func (x *exchange) bodyFailed(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.bodyErr == nil {
		x.mu.bodyErr = err
	}
}

// interrupted returns why the exchange was ended from this side, nil if it was
// not. That is asked first: it makes the connection fail, so what the
// connection says then is only a consequence.
func (x *exchange) interrupted() *Error {
	x.mu.Lock()
	bodyErr := x.mu.bodyErr
	x.mu.Unlock()
	var kind Kind
	if x.watch != nil {
		kind = x.watch.bitten()
	}
	switch {
	case kind == KindFirstByteTimeout:
		return x.error(kind, errors.New("no response within "+x.config().FirstByteTimeout.String()))
	case kind != 0:
		return x.error(kind, errors.New("no progress within "+x.config().IdleTimeout.String()))
	case bodyErr != nil:
		return x.error(KindRequestBody, bodyErr)
	case x.caller.Err() != nil:
		return x.error(KindCanceled, context.Cause(x.caller))
	case x.backend.pool.ctx.Err() != nil:
		return x.error(KindPoolClosed, errPoolClosed)
	}
	return nil
}

func (x *exchange) config() *Config { return &x.backend.pool.cfg }

func (x *exchange) error(kind Kind, err error) *Error { return x.backend.error(kind, err) }
