package server

import (
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// errNoRoom is returned by SendFields where the content is larger than
// FastRequest.Room. The request then goes the way of one that was declined.
var errNoRoom = errors.New("server: the content does not fit into the client's window")

// http2Call is a call of the FastHandler for a request by HTTP/2.
type http2Call struct {
	request FastRequest
	conn    *http2Conn
	room    int64
	sent    bool // SendFields has been called
	err     error
}

// offer calls the FastHandler with the request in h.call.
func (h *http2Conn) offer() (outcome fastOutcome) {
	<-h.settled // SETTINGS come first (RFC 9113 section 3.4)
	s, call := h.server, &h.call
	if call.room = h.out.offered(h.last); call.room <= 0 {
		return fastStrict
	}
	call.sent, call.err = false, nil
	defer h.giveBack()
	if !s.calls.enter(h.shard) {
		return fastEnded
	}
	defer s.calls.exit(h.shard)
	defer func() {
		if p := recover(); p != nil {
			// The inner server calls from a goroutine on which nobody else
			// would catch it.
			outcome = fastEnded
			if p != http.ErrAbortHandler {
				s.cfg.Log.Error("panic in the fast handler", "remote", h.peer.remote, "panic", p, "stack", string(debug.Stack()))
			}
		}
	}()
	call.request.Room, call.request.Time = call.room, time.Now()
	took := s.cfg.Fast.ServeFast(call, &call.request)
	switch {
	case call.err == errNoRoom, !took && !call.sent:
		return fastStrict
	case !took || !call.sent || call.err != nil:
		return fastEnded // half an answer, or none
	}
	h.shard.http2.Add(1)
	h.used = true
	return fastAnswered
}

// offered returns how much content an answer to a stream may have, and reserves
// as much of the window: what the inner server sends meanwhile must not take it.
// From now on the stream counts as seen.
func (o *http2Output) offered(stream uint32) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.gone || o.mu.err != nil {
		return 0
	}
	o.mu.last = stream
	room := max(o.mu.windows.forAnswer(), 0)
	o.mu.windows.conn -= room
	return room
}

// giveBack gives back what was reserved for an answer that is not given here.
func (h *http2Conn) giveBack() {
	if h.call.sent {
		return
	}
	o := &h.out
	o.mu.Lock()
	o.unreserveLocked(h.call.room)
	o.mu.Unlock()
}

// unreserveLocked gives back a part of the window that was reserved, and sends
// what had to wait for it.
func (o *http2Output) unreserveLocked(n int64) {
	o.mu.windows.conn += n
	o.releaseLocked()
	if o.mu.windows.starving() {
		o.conn.poke() // which Write has not done, as there seemed to be no window
	}
}

// Send implements FastWriter. It is not for HTTP/2.
func (*http2Call) Send([]byte, [][]byte) (int64, error) { return 0, errors.ErrUnsupported }

// SendFields implements FastWriter.
func (c *http2Call) SendFields(status int, fields field.Fields, content [][]byte) (sent int64, err error) {
	if c.sent {
		return 0, errSentTwice
	}
	c.sent = true
	size := int64(0)
	for _, part := range content {
		size += int64(len(part))
	}
	o := &c.conn.out
	o.mu.Lock()
	defer o.mu.Unlock()
	if size > c.room {
		o.unreserveLocked(c.room)
		c.err = errNoRoom
		return 0, c.err
	}
	o.unreserveLocked(c.room - size)
	o.answerLocked(c.conn.last, status, fields, size == 0)
	sent = o.contentLocked(c.conn.last, content, size)
	if len(o.mu.buf) > outFull {
		o.flushLocked()
	}
	c.err = o.mu.err
	return sent, c.err
}

// answerLocked sends the head of an answer.
func (o *http2Output) answerLocked(stream uint32, status int, fields field.Fields, end bool) {
	m := &o.mu
	o.bufferLocked()
	f := frameHeader{kind: frameHeaders, stream: stream}
	if end {
		f.flags = flagEndStream
	}
	start := len(m.buf)
	b := m.encoder.begin(appendFrameHeader(m.buf, f))
	b = m.encoder.status(b, status)
	for i := range fields {
		if !field.OfConnection(fields[i].Name) {
			b = m.encoder.add(b, fields[i].Name, fields[i].Value)
		}
	}
	m.buf = b
	o.closeBlockLocked(start, f)
}

// contentLocked sends content of the given size, in as few frames as it takes.
func (o *http2Output) contentLocked(stream uint32, content [][]byte, size int64) (sent int64) {
	m := &o.mu
	parts := cursor{rest: content}
	for left := size; left > 0; {
		n := int(min(left, maxFramePayload))
		left -= int64(n)
		f := frameHeader{length: n, kind: frameData, stream: stream}
		if left == 0 {
			f.flags = flagEndStream
		}
		o.bufferLocked()
		m.buf = appendFrameHeader(m.buf, f)
		for n > 0 {
			piece := parts.take(n)
			m.buf = append(m.buf, piece...)
			n -= len(piece)
		}
		if len(m.buf) > outFull {
			if o.flushLocked() != nil {
				return sent
			}
		}
		sent += int64(f.length)
	}
	return sent
}
