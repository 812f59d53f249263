package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// receive makes a Response of net/http's and checks what net/http does not.
func (x *http2Exchange) receive(res *http.Response) (*Response, *Error) {
	x.headHere()
	r := &Response{
		Status: res.StatusCode, Fields: sortedFields(res.Header), ContentLength: res.ContentLength, Proto: res.Proto,
		Origin: x.backend.endpoint.url, Address: x.backend.address, Trailer: noTrailers,
	}
	if err := x.checkHead(r, res); err != nil {
		return nil, err
	}
	x.giveBody(r, res)
	return r, nil
}

func (x *http2Exchange) checkHead(r *Response, res *http.Response) *Error {
	if err := checkFields(r.Fields); err != nil {
		return x.error(KindGarbage, err)
	}
	if limit := x.config().MaxHeaderBytes; r.Fields.Size() > limit {
		return x.error(KindTooLarge, fmt.Errorf("%w: more than %d bytes", errHeadTooLarge, limit))
	}
	lengths := res.Header["Content-Length"]
	for _, length := range lengths {
		if _, ok := http1.ParseLength(length); !ok || length != lengths[0] {
			return x.error(KindGarbage, fmt.Errorf("%w: %.64q", errLength, lengths))
		}
	}
	if len(lengths) > 1 {
		r.Ambiguity = RepeatedLength
	}
	if r.Status < 200 {
		return x.error(KindGarbage, fmt.Errorf("final response with status %d", r.Status))
	}
	return nil
}

// mayHaveBody tells whether a response has content (RFC 9110 section 6.4.1).
func (x *http2Exchange) mayHaveBody(status int) bool {
	return x.req.Method != http.MethodHead && status != http.StatusNoContent && status != http.StatusNotModified
}

// giveBody sets Body and Trailer. A response without content has ended already.
func (x *http2Exchange) giveBody(r *Response, res *http.Response) {
	if !x.mayHaveBody(r.Status) || res.Body == http.NoBody {
		res.Body.Close()
		r.Body = http.NoBody
		x.end(nil)
		return
	}
	b := &http2Body{x: x, res: res}
	r.Body, r.Trailer = b, b.trailers
}

// http2Body is a response's content. Its end is the end of the exchange.
type http2Body struct {
	x   *http2Exchange
	res *http.Response

	mu struct {
		sync.Mutex
		err     error // what every further Read returns
		trailer field.Fields
	}
}

// Read implements io.Reader. The origin has IdleTimeout for each.
func (b *http2Body) Read(p []byte) (int, error) {
	if err := b.over(); err != nil {
		return 0, err
	}
	b.x.watch.expect(KindIdleTimeout, b.x.config().IdleTimeout)
	n, err := b.res.Body.Read(p)
	b.x.watch.rest()
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		b.finish(err, sortedFields(b.res.Trailer))
		b.x.end(nil)
	default:
		failure := b.x.bodyError(err)
		b.finish(failure, nil)
		b.x.end(failure)
	}
	return n, b.over()
}

func (b *http2Body) over() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.err
}

func (b *http2Body) finish(err error, trailer field.Fields) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.err != nil {
		return
	}
	b.mu.err = err
	for _, f := range trailer {
		if http1.MayTrail(f.Name) && field.ValidName(f.Name) && field.ValidValue(f.Value) {
			b.mu.trailer = append(b.mu.trailer, f)
		}
	}
}

func (b *http2Body) trailers() field.Fields {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.trailer
}

// Close gives up what was not read.
func (b *http2Body) Close() error {
	b.finish(errReadAfterClose, nil)
	b.x.end(b.x.error(KindCanceled, errReadAfterClose))
	return b.res.Body.Close()
}

// headError names what err, from net/http, means before a final head.
func (x *http2Exchange) headError(err error) *Error {
	if e := x.interrupted(); e != nil {
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok { // from dial
		return e
	}
	x.response.Lock()
	interimErr := x.response.err
	x.response.Unlock()
	if interimErr != nil {
		return interimErr
	}
	return x.error(kindOfHTTP2(err), err)
}

// bodyError names what err, from reading the response's body, means.
func (x *http2Exchange) bodyError(err error) *Error {
	if e := x.interrupted(); e != nil && e.Kind != KindRequestBody {
		return e
	}
	return x.error(KindTruncated, err)
}

// http2StreamError has the shape of net/http's own stream error, which
// converts itself to any such type in errors.As.
type http2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (http2StreamError) Error() string { return "stream error" }

// kindOfHTTP2 goes by the text where net/http exports neither type nor value;
// the tests hold the texts. Where they no longer match, the kind is coarser. A
// connection error ends every exchange on the connection, and net/http does not
// tell a head far beyond the limit from any other violation.
func kindOfHTTP2(err error) Kind {
	const protocolError = 1 // RFC 9113 section 7
	stream, ok := errors.AsType[http2StreamError](err)
	switch {
	case strings.Contains(err.Error(), "header list larger than"):
		return KindTooLarge
	case strings.HasPrefix(err.Error(), "connection error: "):
		return KindGarbage
	case strings.Contains(err.Error(), "looked like an HTTP/1.1 header"):
		return KindGarbage
	case ok && stream.Code == protocolError && stream.Cause != nil && stream.Cause.Error() != "received from peer":
		return KindGarbage
	}
	return KindClosed
}

// sortedFields returns a header's lines sorted by name.
func sortedFields(h http.Header) field.Fields {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var f field.Fields
	for _, name := range names {
		for _, value := range h[name] {
			f = f.Add(name, value)
		}
	}
	return f
}

func checkFields(f field.Fields) error {
	for i := range f {
		if !field.ValidName(f[i].Name) || !field.ValidValue(f[i].Value) {
			return fmt.Errorf("%w: %.64q", errFieldLine, f[i].Name)
		}
	}
	return nil
}
