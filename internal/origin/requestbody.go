package origin

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// replay is a request's body over all attempts to send it. Attempts follow one
// another and shut each other's gates, so it is read by one at a time.
type replay struct {
	src     io.Reader
	seeker  io.Seeker // nil: cannot be sent twice
	start   int64
	touched bool // a Read was made
}

// newReplay returns nil where there is no body.
func newReplay(src io.Reader) *replay {
	if src == nil {
		return nil
	}
	p := &replay{src: src}
	if s, ok := src.(io.Seeker); ok {
		if start, err := s.Seek(0, io.SeekCurrent); err == nil {
			p.seeker, p.start = s, start
		}
	}
	return p
}

// rewind makes the body start again and tells whether it could.
func (p *replay) rewind() bool {
	if p == nil || !p.touched {
		return true
	}
	if p.seeker == nil {
		return false
	}
	_, err := p.seeker.Seek(p.start, io.SeekStart)
	p.touched = err != nil
	return err == nil
}

// requestBody is a request's body in one attempt. It keeps the length that was
// promised, tells the watchdog whose turn it is, and reads nothing more once
// the exchange is over.
type requestBody struct {
	x       *exchange
	src     *replay
	left    int64       // bytes to come; -1 unknown
	trailer http.Header // filled at the end of the body; nil for none
	ended   bool
	failed  bool
}

func (x *exchange) newRequestBody(src *replay) *requestBody {
	b := &requestBody{x: x, src: src, left: x.req.ContentLength}
	x.mu.Lock()
	x.mu.uploading = true
	x.mu.Unlock()
	if x.req.ContentLength >= 0 || x.req.Trailer == nil && len(x.req.TrailerNames) == 0 {
		return b
	}
	b.trailer = make(http.Header)
	for _, name := range x.req.announced() {
		b.trailer[name] = nil
	}
	return b
}

// Read implements io.Reader. It says io.EOF together with the
// last byte of a known length, so that the client is not waited for once more.
func (b *requestBody) Read(p []byte) (int, error) {
	if !b.x.callbacks.enter() {
		return 0, errExchangeOver
	}
	defer b.x.callbacks.leave()
	if b.ended || len(p) == 0 {
		return 0, b.endOrNil()
	}
	b.x.clientsTurn()
	n, err := b.next(p)
	switch err {
	case nil:
		b.x.originsTurn(KindIdleTimeout, b.x.config().IdleTimeout)
	case io.EOF:
		b.end()
	default:
		b.failed = true
		b.x.bodyFailed(err)
	}
	return n, err
}

// inMemory tells whether reading does not wait for anybody.
func (b *requestBody) inMemory() bool {
	switch b.src.src.(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return true
	}
	return false
}

func (b *requestBody) endOrNil() error {
	if b.ended {
		return io.EOF
	}
	return nil
}

// next reads from the caller's body, no further than its length.
func (b *requestBody) next(p []byte) (int, error) {
	b.src.touched = true
	if b.left < 0 {
		return b.src.src.Read(p)
	}
	n, err := b.src.src.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case err == io.EOF:
		err = fmt.Errorf("%d bytes short of its Content-Length: %w", b.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

func (b *requestBody) end() {
	b.ended = true
	b.x.mu.Lock()
	b.x.mu.uploading = false
	b.x.mu.Unlock()
	b.x.originsTurn(KindFirstByteTimeout, b.x.config().FirstByteTimeout)
	if b.trailer == nil || b.x.req.Trailer == nil {
		return
	}
	for _, f := range b.x.req.Trailer() {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if http1.MayTrail(name) && field.ValidName(name) && field.ValidValue(f.Value) {
			b.trailer[name] = append(b.trailer[name], f.Value)
		}
	}
}

// Close implements io.Closer for net/http. The body belongs to the caller.
func (b *requestBody) Close() error { return nil }
