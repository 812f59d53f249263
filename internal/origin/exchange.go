package origin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// exchange is one attempt to get one response from one backend, from before
// the connection until the end of the response's body.
type exchange struct {
	cfg     *Config
	backend *backend
	req     *Request
	prefix  requestPrefix
	caller  context.Context // as Do was given it
	ctx     context.Context // ends with the caller's, with the pool and with the exchange
	cancel  context.CancelFunc
	watch   watchdog
	onEnd   func(err *Error, reused bool) // called once; nil error for a complete exchange

	// callbacks is shut when the exchange is over: nothing of the caller's is
	// called from then on.
	callbacks *gate
	answered  atomic.Bool // a byte of a response came

	mu struct {
		sync.Mutex
		conn        *headConn // the one in use; nil before there is one, and on HTTP/2
		final       *finalHead
		reused      bool   // conn, or the HTTP/2 connection, had served before
		headed      bool   // the final head is here
		interim     int    // bytes of interim responses
		bodyErr     error  // the request's body failed
		interimErr  *Error // an interim response failed
		ended       bool
		stopWaiting func() bool // stops the propagation of the pool's end
	}
}

func (b *backend) newExchange(ctx context.Context, req *Request, onEnd func(err *Error, reused bool)) *exchange {
	x := &exchange{
		cfg: &b.pool.cfg, backend: b, req: req, caller: ctx,
		onEnd: onEnd, callbacks: newGate(),
	}
	ctx, x.cancel = context.WithCancel(ctx)
	x.watch.bite = x.cancel
	x.mu.stopWaiting = context.AfterFunc(b.pool.ctx, x.cancel)
	x.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              x.gotConn,
		GotFirstResponseByte: func() { x.answered.Store(true) },
		Got1xxResponse:       x.gotInterim,
	})
	return x
}

// run sends the request and waits for the head of its response. When it
// returns an error the exchange is over; else the response's body ends it.
func (x *exchange) run(body *replay) (*Response, *Error) {
	out, prefix := x.req.outgoing(x.ctx, x.backend.endpoint, x.backend.address)
	x.prefix = prefix
	x.attach(out, body)
	res, err := x.backend.transport(x.req).RoundTrip(out)
	if err != nil {
		x.callbacks.shut()
		<-x.callbacks.idle // what the request's own body had to say is said
		return nil, x.fail(x.headError(err))
	}
	response, failure := x.receive(res)
	if failure != nil {
		x.cancel()
		res.Body.Close()
		return nil, x.fail(failure)
	}
	return response, nil
}

// fail ends the exchange and waits until nothing of the caller's runs any more.
func (x *exchange) fail(err *Error) *Error {
	x.end(err)
	<-x.callbacks.idle
	return err
}

// end ends the exchange, once; err is nil for a complete one.
func (x *exchange) end(err *Error) {
	x.mu.Lock()
	ended, reused := x.mu.ended, x.mu.reused
	x.mu.ended = true
	x.mu.Unlock()
	if ended {
		return
	}
	x.callbacks.shut()
	x.watch.stop()
	x.mu.stopWaiting()
	x.cancel()
	x.onEnd(err, reused)
}

// gotConn learns which connection net/http will use. It is called again when
// net/http turns to another because the first was closed while idle.
func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	conn, _ := info.Conn.(*headConn)
	var final *finalHead
	if conn != nil {
		final = conn.begin(x.prefix)
	}
	x.mu.Lock()
	x.mu.conn, x.mu.final, x.mu.reused = conn, final, info.Reused
	x.mu.Unlock()
	x.originsTurn(KindFirstByteTimeout, x.cfg.FirstByteTimeout)
}

// interimCost is counted for an interim response besides its fields, so that
// empty ones end too.
const interimCost = 64

// gotInterim passes an interim response on. An error of it fails the exchange.
// Not every path through net/http keeps that error, so it is also noted.
func (x *exchange) gotInterim(status int, h textproto.MIMEHeader) error {
	if !x.callbacks.enter() {
		return errExchangeOver
	}
	defer x.callbacks.leave()
	fields := sortedFields(http.Header(h))
	if err := x.admitInterim(status, fields); err != nil {
		return err
	}
	x.answered.Store(true)
	if x.req.Interim != nil {
		x.clientsTurn()
		x.req.Interim(status, fields)
	}
	x.originsTurn(KindFirstByteTimeout, x.cfg.FirstByteTimeout)
	return nil
}

func (x *exchange) admitInterim(status int, f field.Fields) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.interim += interimCost + f.Size()
	if err := checkFields(f); err != nil {
		x.mu.interimErr = x.error(KindGarbage, fmt.Errorf("interim response %d: %w", status, err))
	} else if x.mu.interim > x.cfg.MaxHeaderBytes {
		x.mu.interimErr = x.error(KindTooLarge, errors.New("interim responses without end"))
	} else {
		return nil
	}
	return x.mu.interimErr
}

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

func (x *exchange) bodyFailed(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.bodyErr == nil {
		x.mu.bodyErr = err
	}
}

func (x *exchange) error(kind Kind, err error) *Error { return x.backend.error(kind, err) }
