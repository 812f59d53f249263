package origin

import (
	"context"
	"errors"
	"io"
)

// http1Exchange is an exchange over HTTP/1. Whoever calls Do sends the request
// and waits for its response itself: a request without a body costs no switch
// of goroutines, and what it needs besides the response's own fields is one
// allocation, this one.
type http1Exchange struct {
	exchange
	conn     *conn
	reused   bool // conn had served before
	answered bool // a byte of a response came
	unsent   bool // not a byte of the request could be written
	interim  int  // bytes of interim responses
	stop     func() bool
	sender   *sender // nil where the request was sent by whoever called Do
	closes   bool    // the connection ends with this response
	res      Response
	body     http1Body
}

func (b *backend) newHTTP1Exchange(ctx context.Context, req *Request, counted bool) *http1Exchange {
	return &http1Exchange{exchange: exchange{backend: b, req: req, caller: ctx, counted: counted}}
}

// run sends the request and waits for the head of its response. When it
// returns an error the exchange is over; else the response's body ends it. again
// tells that the origin speaks HTTP/2 now, and that nothing happened.
//
// An origin may close an idle connection just when a request is on its way.
// That is tried again at once, on a new connection.
func (x *http1Exchange) run(body *replay) (_ *Response, _ *Error, again bool) {
	for fresh := false; ; fresh = true {
		err := x.connect(fresh)
		if err == nil {
			if err = x.attempt(body); err == nil {
				return &x.res, nil, false
			}
			x.abandon()
		}
		switch {
		case err.Err == errProtocol:
			return nil, nil, true
		case x.reused && !x.answered && x.mayRepeat(err.Kind) && body.rewind():
		default:
			x.finish(err)
			return nil, err, false
		}
	}
}

func (x *http1Exchange) mayRepeat(kind Kind) bool {
	return kind == KindClosed && (x.unsent || x.req.idempotent())
}

// connect gets a connection: the one used last, or a new one.
func (x *http1Exchange) connect(fresh bool) *Error {
	x.conn, x.watch, x.reused = nil, nil, false
	cfg := x.config()
	for !fresh {
		c := x.backend.idle.take()
		if c == nil {
			break
		}
		if x.use(c, cfg) {
			return nil
		}
	}
	c, err := x.backend.dialHTTP1(x.caller, x.req.Upgrade != "")
	if err != nil {
		if e := x.interrupted(); e != nil {
			return e
		}
		return err
	}
	if !x.use(c, cfg) {
		return x.error(KindPoolClosed, errPoolClosed)
	}
	return nil
}

// afterwards is context.AfterFunc, which puts another context between, where
// that has nothing to add. It returns nil for a context that cannot end.
func afterwards(ctx context.Context, f func()) (stop func() bool) {
	if a, ok := ctx.(interface {
		AfterFunc(f func()) (stop func() bool)
	}); ok {
		return a.AfterFunc(f)
	}
	if ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(ctx, f)
}

// use begins an exchange on a connection, if that is not being closed. A
// context that cannot end costs nothing.
func (x *http1Exchange) use(c *conn, cfg *Config) bool {
	if !c.watch.expect(KindFirstByteTimeout, cfg.FirstByteTimeout) {
		return false
	}
	x.conn, x.reused, x.watch = c, c.served, &c.watch
	x.stop = afterwards(x.caller, c.cutting)
	c.in.open()
	return true
}

// attempt sends the request and receives the head of its response.
func (x *http1Exchange) attempt(body *replay) *Error {
	x.send(body)
	h, err := x.awaitHead()
	if err != nil {
		return err
	}
	return x.receive(h)
}

// awaitHead reads up to the final head and passes interim ones on.
func (x *http1Exchange) awaitHead() (head, *Error) {
	limit := x.config().MaxHeaderBytes
	in := &x.conn.in
	for {
		h, ok, err := in.head(limit)
		switch {
		case err != nil:
			return head{}, x.headError(err)
		case ok && !h.interim():
			return h, nil
		case ok:
			if err := x.pass(h); err != nil {
				return head{}, err
			}
			continue
		}
		n, err := x.conn.Read(in.room(limit))
		in.more(n)
		x.answered = x.answered || n > 0
		if n == 0 && err != nil {
			return head{}, x.headError(err)
		}
	}
}

// pass passes an interim response on.
func (x *http1Exchange) pass(h head) *Error {
	if x.interim += interimCost + h.fields.Size(); x.interim > x.config().MaxHeaderBytes {
		return x.error(KindTooLarge, errEndlessInterim)
	}
	x.tellInterim(func() {
		h.fields.SortByName()
		x.req.Interim(h.status, h.fields)
	})
	if x.sender != nil && h.status == 100 {
		x.sender.release(true)
	}
	return nil
}

// headError names what err means before a final head.
func (x *http1Exchange) headError(err error) *Error {
	if e := x.interrupted(); e != nil {
		return e
	}
	switch {
	case errors.Is(err, errHeadTooLarge):
		return x.error(KindTooLarge, err)
	case err == io.EOF:
		return x.error(KindClosed, errors.New("the origin closed the connection before its response"))
	case malformed(err):
		return x.error(KindGarbage, err)
	}
	return x.error(KindClosed, err)
}

// abandon ends an attempt that failed. After it nothing of the request is in
// use.
func (x *http1Exchange) abandon() {
	if x.callbacks != nil {
		x.callbacks.shut()
	}
	x.conn.watch.stop()
	x.conn.cut()
	if x.stop != nil {
		x.stop()
	}
	if x.sender != nil {
		x.sender.release(false)
		<-x.sender.done
		x.unsent = x.sender.unsent
		x.sender = nil
	}
	x.conn.in.close()
}

// finish ends an exchange that has no connection any more.
func (x *http1Exchange) finish(err *Error) {
	if x.claimEnd() && x.counted {
		x.backend.ended(err, x.reused)
	}
}

// complete ends an exchange whose response was read to its end.
func (x *http1Exchange) complete() {
	if !x.claimEnd() {
		return
	}
	c := x.conn
	reusable := !x.closes && c.in.len() == 0 && (x.sender == nil || x.sender.finished())
	c.in.close()
	if x.stop != nil && !x.stop() {
		reusable = false // it is being cut
	}
	if reusable {
		c.served = true
		x.backend.idle.put(c)
	} else {
		c.close()
	}
	if x.counted {
		x.backend.ended(nil, x.reused)
	}
}

// giveUp ends an exchange before its response's end, or with its failure. reading
// tells that somebody is reading from the connection.
func (x *http1Exchange) giveUp(err *Error, reading bool) {
	if !x.claimEnd() {
		return
	}
	c := x.conn
	c.watch.stop()
	c.cut()
	if x.stop != nil {
		x.stop()
	}
	if x.sender != nil {
		x.sender.release(false)
	}
	if !reading {
		c.in.close()
	}
	if x.counted {
		x.backend.ended(err, x.reused)
	}
}
