package server

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// plainCall is a call of the PlainHandler.
type plainCall struct {
	request FastRequest
	conn    *conn
	ctx     context.Context
	cancel  context.CancelFunc
	watch   plainWatch
	answer  plainAnswer
}

func newPlainPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		call := new(plainCall)
		call.watch.call = call
		call.watch.ended = make(chan struct{}, 1)
		call.watch.timer = time.AfterFunc(time.Hour, call.watch.run)
		call.watch.timer.Stop()
		return call
	}}
}

// givePlain gives a call back, without what its request says: a pool must not keep
// that alive.
func (s *Server) givePlain(call *plainCall) {
	clear(call.request.Fields)
	call.request = FastRequest{Fields: call.request.Fields[:0]}
	s.plainCalls.Put(call)
}

// plan takes the request whose head is b, and which the FastHandler was just
// offered as fast, for the PlainHandler. It returns false where it is not for it.
//
// What the request says is copied: a fetch that it causes may outlive it.
func (c *conn) plan(fast *FastRequest, b []byte) bool {
	s := c.server
	if s.cfg.Plain == nil {
		return false
	}
	call := s.plainCalls.Get().(*plainCall)
	if scanHead(bytes.Clone(b), s.limits.Load(), &call.request) != simple {
		s.givePlain(call) // the limits have changed in between
		return false
	}
	to := &call.request
	to.Time, to.Remote, to.Peer, to.TLS = fast.Time, fast.Remote, fast.Peer, fast.TLS
	call.conn = c
	c.plain, c.phase = call, planned
	c.settle()
	return true
}

// servePlain has the planned request answered. It returns an error where the
// connection cannot go on. A panic of the handler goes on to net/http, which logs
// it and closes the connection.
func (c *conn) servePlain() error {
	s, call := c.server, c.plain
	c.plain, c.phase = nil, awaiting
	if !s.calls.enter(c.shard) {
		return io.EOF // the Server closes, and its pools with it
	}
	defer s.calls.exit(c.shard)
	c.shard.request(1)
	call.begin()
	defer call.end()
	s.cfg.Plain.ServePlain(call, &call.request)
	if !call.answer.ended {
		return io.EOF // half an answer, or none: nothing can follow
	}
	return nil
}

func (call *plainCall) begin() {
	call.ctx, call.cancel = context.WithCancel(context.Background())
	call.answer = plainAnswer{conn: call.conn}
	call.watch.begin()
}

// end gives back what the call holds, whatever became of it.
func (call *plainCall) end() {
	c := call.conn
	call.watch.end()
	call.cancel()
	call.answer.release()
	call.conn, call.ctx, call.cancel = nil, nil, nil
	c.server.givePlain(call)

	c.answered = c.server.uptime()
	if c.in.len() == 0 {
		c.doze() // else the next request has begun to arrive
	}
}

// Context implements PlainWriter.
func (call *plainCall) Context() context.Context { return call.ctx }
