package server

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2/hpack"
)

const (
	// outSize is how much is written at once, at most: answers to a batch of
	// requests, or four frames of content.
	outSize = 64 << 10
	// outFull is from where on it is written at the next opportunity: another
	// frame of content has room behind it.
	outFull = outSize - maxFramePayload - 2*frameHeaderSize
)

var errHeldTooMuch = errors.New("server: too many frames wait for the client's window")

type outBuffer = [outSize]byte

func newOutPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new(outBuffer) }}
}

// http2Output is what goes to the client. Read, which answers, and Write, which
// translates what the inner server answers, share it. Whoever finds the buffer
// full writes it, and waits while the other writes: so a client that does not
// read is not read from either, and costs two buffers until the write's deadline.
type http2Output struct {
	conn *http2Conn
	open atomic.Int32 // streams of the inner server that have not ended

	mu struct {
		sync.Mutex
		err     error      // of a write; none follows it
		writing bool       // somebody writes, without the lock
		written sync.Cond  // signals that nobody does any more
		room    *outBuffer // what buf lies in; nil where buf is empty
		buf     []byte
		writeBy time.Duration // deadline of writing, by the server's clock

		encoder *hpackEncoder
		windows http2Windows
		streams map[uint32]http2Stream // those of the inner server
		last    uint32                 // the last stream that was offered
		gone    bool                   // a GOAWAY has been sent
		goneAt  uint32                 // its last stream

		inner innerFrames
		held  []byte // frames that wait for the window of the connection
	}
}

// http2Stream is a stream of the inner server.
type http2Stream struct {
	clientEnded bool // the request is complete
	ended       bool // the response is complete
	held        int  // frames of it in held
}

func (o *http2Output) init(h *http2Conn) {
	o.conn = h
	m := &o.mu
	m.written.L = m
	m.encoder = newHPACKEncoder()
	m.windows = newHTTP2Windows()
	m.streams = make(map[uint32]http2Stream)
	m.inner.decoder = hpack.NewDecoder(defaultTableSize, m.inner.take)
}

// bufferLocked makes sure that there is a buffer.
func (o *http2Output) bufferLocked() {
	if o.mu.room == nil {
		o.mu.room = o.conn.server.outs.Get().(*outBuffer)
		o.mu.buf = o.mu.room[:0]
	}
}

// flush writes what is ready.
func (o *http2Output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.flushLocked()
}

// flushLocked writes what is ready. The lock is released meanwhile.
func (o *http2Output) flushLocked() error {
	m := &o.mu
	for m.writing {
		m.written.Wait()
	}
	if m.err != nil || len(m.buf) == 0 {
		return m.err
	}
	o.limitWriteLocked()
	room, buf := m.room, m.buf
	m.room, m.buf, m.writing = nil, nil, true
	m.Unlock()
	_, err := o.conn.Conn.Write(buf)
	o.conn.server.outs.Put(room)
	m.Lock()
	m.err, m.writing = err, false
	m.written.Broadcast()
	return m.err
}

// limitWriteLocked sees to it that the next write has between one and two times
// WriteTimeout, as conn.limitWrite does.
func (o *http2Output) limitWriteLocked() {
	s := o.conn.server
	now, timeout := s.uptime(), s.limits.Load().WriteTimeout
	if o.mu.writeBy < now+timeout {
		o.mu.writeBy = now + 2*timeout
		o.conn.Conn.SetWriteDeadline(s.made.Add(o.mu.writeBy))
	}
}

// goAway ends the connection with an error of the client's.
func (o *http2Output) goAway(last, code uint32) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mu.gone {
		last = o.mu.goneAt
	}
	o.bufferLocked()
	o.mu.buf = appendGoAway(o.mu.buf, last, code)
	return o.flushLocked()
}

// begin enters a stream that the inner server is given.
func (o *http2Output) begin(stream uint32, clientEnded bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := &o.mu
	if m.gone {
		// The inner server does not look at it any more. The client knows, but
		// where it has been told otherwise.
		if stream <= m.goneAt {
			o.refuseLocked(stream)
		}
		return
	}
	m.streams[stream] = http2Stream{clientEnded: clientEnded}
	o.open.Add(1)
}

func (o *http2Output) refuseLocked(stream uint32) {
	o.bufferLocked()
	o.mu.buf = appendReset(o.mu.buf, stream, errorRefusedStream)
}

// clientEnds notes that a request is complete.
func (o *http2Output) clientEnds(stream uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if st, ok := o.mu.streams[stream]; ok {
		st.clientEnded = true
		o.mu.streams[stream] = st
		o.settleLocked(stream, st)
	}
}

// drop forgets a stream that the client has reset: the inner server may not know
// yet, and what it has to say about it is dropped.
func (o *http2Output) drop(stream uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.mu.streams[stream]; ok {
		o.removeLocked(stream)
	}
}

// settleLocked removes a stream that has ended on both sides.
func (o *http2Output) settleLocked(stream uint32, st http2Stream) {
	if st.clientEnded && st.ended {
		o.removeLocked(stream)
	}
}

func (o *http2Output) removeLocked(stream uint32) {
	delete(o.mu.streams, stream)
	if o.open.Add(-1) == 0 {
		o.conn.wait.touch(o.conn.server.uptime())
	}
}

// setTableSize heeds SETTINGS_HEADER_TABLE_SIZE.
func (o *http2Output) setTableSize(n uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.encoder.setPeerLimit(n)
}

// setStreamWindow heeds SETTINGS_INITIAL_WINDOW_SIZE.
func (o *http2Output) setStreamWindow(n uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.windows.announce(int64(n))
}

// settingsSeen notes SETTINGS that the inner server will acknowledge.
func (o *http2Output) settingsSeen() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mu.windows.unacknowledged++
}

// widen adds to the window of the connection. It returns false where that is
// more than there may be (RFC 9113 section 6.9.1).
func (o *http2Output) widen(n int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	w := &o.mu.windows
	if w.conn += n; w.conn > largestWindow {
		return false
	}
	o.releaseLocked()
	return true
}

// grant returns how much more the inner server may send.
func (o *http2Output) grant() uint32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.windows.grant()
}
