package proxy

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
)

// attachBody gives the request its body, bounded, and its trailers.
func (x *exchange) attachBody(req *fetch.PassRequest) {
	r := x.r
	if r == nil || r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return
	}
	x.received = &counter{from: r.Body}
	body := io.Reader(x.received)
	if x.service.MaxBody > 0 {
		body = &limited{from: body, limit: x.service.MaxBody}
	}
	if r.ProtoMajor >= 2 || x.edge != nil {
		x.upload = &upload{from: body, control: http.NewResponseController(x.w), patience: x.cfg.WriteTimeout}
		body = x.upload
	}
	req.Body, req.Length = body, r.ContentLength
	if len(r.Trailer) > 0 {
		req.Names = slices.DeleteFunc(slices.Collect(maps.Keys(r.Trailer)), inHeadOnly)
		req.Trailer = func() field.Fields {
			var f field.Fields
			for name, values := range r.Trailer {
				if inHeadOnly(name) {
					continue
				}
				for _, value := range values {
					f = f.Add(name, value)
				}
			}
			return f
		}
	}
}

// answersEarly prepares for an answer while the request's body is under way, where
// it is. The origin gets the rest, which net/http would read to its end first and
// throw away. The connection ends with the answer: whatever of the body is left then
// must not be read by two, and net/http reads on by itself when it gets to the end.
func (x *exchange) answersEarly() {
	if x.ask.major != 1 || x.received == nil || x.received.ended.Load() {
		return
	}
	x.control.EnableFullDuplex()
	x.w.Header().Set("Connection", "close")
}

// goAhead tells a client that waits for it to send the body, before it is told
// anything else by an origin: net/http says so by itself when the body is first
// read, and then beside whatever is being written.
func (x *exchange) goAhead() {
	if x.wentAhead || x.received == nil || x.ask.major != 1 || !x.fields.Lists("Expect", "100-continue") {
		return
	}
	x.wentAhead = true
	x.deadline()
	x.w.WriteHeader(http.StatusContinue)
	x.waitForOrigin()
}

// counter counts what is read through it. It is not part of the exchange, which
// may serve another request while a transport still reads this one's body.
type counter struct {
	from  io.Reader
	n     atomic.Int64
	ended atomic.Bool // all has been read
}

// count returns how many bytes have been read; of no counter, none.
func (c *counter) count() int64 {
	if c == nil {
		return 0
	}
	return c.n.Load()
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n.Add(int64(n))
	if err == io.EOF {
		c.ended.Store(true)
	}
	return n, err
}

// limited fails where a body is longer than its limit. http.MaxBytesReader will not
// do: it changes the response, which may be being written by another goroutine.
type limited struct {
	from  io.Reader
	limit int64
	n     int64 // have been read
	err   error
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil || len(p) == 0 {
		return 0, l.err
	}
	left := l.limit - l.n
	n, err := l.from.Read(p[:min(int64(len(p))-1, left)+1]) // one more tells that it is longer
	if int64(n) > left {
		n, err = int(left), &http.MaxBytesError{Limit: l.limit}
	}
	l.n, l.err = l.n+int64(n), err
	return n, err
}

// upload reads the body of a request over HTTP/2, or of an edge, and gives the
// client a limited time for each part of it: whoever stops in the middle must not
// hold a connection to the origin for ever. For other requests over HTTP/1 the
// server of the sites sees to that.
type upload struct {
	from     io.Reader
	control  *http.ResponseController
	patience time.Duration
	mu       struct {
		sync.Mutex
		over bool // the connection is not the request's any more
	}
}

func (u *upload) Read(p []byte) (int, error) {
	u.wait(time.Now().Add(u.patience))
	n, err := u.from.Read(p)
	u.wait(noDeadline) // from here on the origin is waited for
	return n, err
}

func (u *upload) wait(until time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.mu.over {
		u.control.SetReadDeadline(until)
	}
}

// end leaves the deadline to whoever uses the connection next. A sender may be
// reading still.
func (u *upload) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.over = true
}
