package origin

import (
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
)

// send sends the request. One without a body that surely fits the buffers of
// the connection is written at once; any other by a sender, since an origin may
// answer before it has read all of it.
//
// A write that fails is no reason to stop: what the origin said before it closed
// may still be read, and if it said nothing then reading fails too.
func (x *http1Exchange) send(body *replay) {
	host := x.backend.endpoint.host(x.req.Host)
	in := &x.conn.in
	if !x.req.hasBody() {
		head := x.req.appendHead(in.buf[:0], host)
		if x.conn.buffers(len(head)) {
			n, err := x.conn.Write(head)
			x.unsent = n == 0 && err != nil
			return
		}
	}
	s := &sender{x: x, conn: x.conn, done: make(chan struct{})}
	s.head = x.req.appendHead(nil, host)
	if x.req.hasBody() {
		x.callbacks = newGate()
		s.body = x.newRequestBody(body)
	}
	if x.req.expectsContinue() {
		s.asked = make(chan bool, 1)
	}
	x.sender = s
	if !x.backend.pool.work.enter() {
		x.conn.cut() // the pool is closed
		close(s.done)
		return
	}
	go s.run()
}

// sender sends a request beside whoever waits for its response.
type sender struct {
	x     *http1Exchange
	conn  *conn
	head  []byte
	body  *requestBody // nil without
	asked chan bool    // whether the body is wanted, once; nil where that is not waited for

	done   chan struct{} // closed when nothing is sent any more
	whole  bool          // when done: all was sent
	unsent bool          // when done: not a byte was
}

// writeWait is how long a connection is waited for to become free when the
// response is here and the last of the request is on its way.
const writeWait = 50 * time.Millisecond

var errWithheld = errors.New("the origin answered without asking for the body")

// pieces are what is read of a request's body at once.
var pieces = sync.Pool{New: func() any { return new([16 << 10]byte) }}

func (s *sender) run() {
	defer s.x.backend.pool.work.leave()
	defer close(s.done)
	err := s.send()
	s.whole = err == nil
	if s.body != nil && s.body.failed {
		s.conn.cut() // half a request is none
	}
}

func (s *sender) send() error {
	// An origin may need the head before the client has sent more.
	if s.body == nil || s.asked != nil || !s.body.inMemory() {
		if err := s.write(s.head, true); err != nil || s.body == nil {
			return err
		}
		s.head = nil
		if s.asked != nil && !s.wanted() {
			return errWithheld
		}
	}
	return s.sendBody()
}

// sendBody sends the body, and before its first piece what is left of the head.
func (s *sender) sendBody() error {
	piece := pieces.Get().(*[16 << 10]byte)
	defer pieces.Put(piece)
	out, first := s.head, s.head != nil
	for {
		n, err := s.body.Read(piece[:])
		if err != nil && err != io.EOF {
			return err
		}
		if s.x.req.ContentLength >= 0 {
			out = append(out, piece[:n]...)
		} else {
			out = appendChunk(out, piece[:n])
			if err == io.EOF {
				out = s.appendEnd(out)
			}
		}
		if len(out) > 0 {
			if err := s.write(out, first); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		out, first = out[:0], false
	}
}

func appendChunk(b, data []byte) []byte {
	if len(data) == 0 {
		return b
	}
	b = append(strconv.AppendInt(b, int64(len(data)), 16), "\r\n"...)
	return append(append(b, data...), "\r\n"...)
}

// appendEnd appends the last chunk and the trailers.
func (s *sender) appendEnd(b []byte) []byte {
	b = append(b, "0\r\n"...)
	for _, f := range sortedFields(s.body.trailer) {
		b = appendLine(b, f.Name, f.Value)
	}
	return append(b, "\r\n"...)
}

func (s *sender) write(p []byte, first bool) error {
	n, err := s.conn.Write(p)
	s.unsent = first && n == 0 && err != nil
	return err
}

// wanted waits until the origin asks for the body, or seems to know nothing of
// that (RFC 9110 section 10.1.1).
func (s *sender) wanted() bool {
	timer := time.NewTimer(expectContinueTimeout)
	defer timer.Stop()
	select {
	case wanted := <-s.asked:
		return wanted
	case <-timer.C:
		return true
	}
}

// release lets a body go that is held back, or tells that it is not wanted.
func (s *sender) release(wanted bool) {
	if s.asked == nil {
		return
	}
	select {
	case s.asked <- wanted:
	default:
	}
}

// finished tells whether all was sent, when the response is here.
func (s *sender) finished() bool {
	if s.x.uploading() {
		return false
	}
	timer := time.NewTimer(writeWait)
	defer timer.Stop()
	select {
	case <-s.done:
		return s.whole
	case <-timer.C:
		return false
	}
}
