package origin

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Response is a final response. Its Body must be closed, or Upgraded for 101.
type Response struct {
	// Status is 101 or 200 to 999.
	Status int
	// Fields are valid as names and values. On HTTP/1 they are the lines as
	// received, hop-by-hop fields and every Content-Length included, in the
	// origin's order and spelling. On HTTP/2, where net/http keeps no order
	// between names, they are sorted by canonical name.
	Fields field.Fields
	// Body is the content, never nil. It ends in io.EOF only where it is
	// complete as far as its framing tells; every other end is an *Error. Read
	// is for one goroutine at a time; Close may be called beside it and ends it.
	Body io.ReadCloser
	// ContentLength is the length of Body, or what a response to HEAD says it
	// would be; -1 when unknown.
	ContentLength int64
	// CloseDelimited: Body ends with the connection, so that a complete one
	// cannot be told from one that was cut (RFC 9112 section 8).
	CloseDelimited bool
	// Ambiguity is a doubt that forbids to store the response.
	Ambiguity Ambiguity
	// Trailer returns the trailers, announced or not, sorted by name; nil
	// before Body has returned io.EOF. Invalid ones are left out.
	Trailer func() field.Fields

	Origin  string // the origin's URL
	Address string // the backend's "ip:port"
	Proto   string // "HTTP/1.0", "HTTP/1.1" or "HTTP/2.0"

	// Upgraded is the connection after a 101, nil otherwise. It has no
	// timeouts; it is closed when the context of Do ends. The slot of the
	// backend is held until it is closed.
	Upgraded io.ReadWriteCloser
}

// receive makes a Response of net/http's and checks what net/http does not.
func (x *exchange) receive(res *http.Response) (*Response, *Error) {
	x.headHere()
	r := &Response{
		Status: res.StatusCode, ContentLength: res.ContentLength, Proto: res.Proto,
		Origin: x.backend.endpoint.url, Address: x.backend.address,
		Trailer: func() field.Fields { return nil },
	}
	var err *Error
	if res.ProtoMajor == 1 {
		err = x.receiveHTTP1(r, res)
	} else {
		err = x.receiveHTTP2(r, res)
	}
	switch {
	case err != nil:
		return nil, err
	case r.Status == http.StatusSwitchingProtocols:
		return r, x.upgrade(r, res)
	case r.Status < 200:
		return nil, x.error(KindGarbage, fmt.Errorf("final response with status %d", r.Status))
	}
	x.giveBody(r, res)
	return r, nil
}

func (x *exchange) receiveHTTP1(r *Response, res *http.Response) *Error {
	x.mu.Lock()
	conn, final := x.mu.conn, x.mu.final
	x.mu.Unlock()
	if conn == nil {
		return x.error(KindGarbage, errUnasked)
	}
	h, ok := conn.final(final)
	if !ok || h.status != res.StatusCode {
		return x.error(KindGarbage, errUnasked)
	}
	r.Fields, r.Ambiguity = h.fields, h.ambiguity
	r.CloseDelimited = x.mayHaveBody(r.Status) &&
		!h.fields.Has("Transfer-Encoding") && !h.fields.Has("Content-Length")
	return nil
}

// mayHaveBody tells whether a response has content (RFC 9110 section 6.4.1).
func (x *exchange) mayHaveBody(status int) bool {
	return x.req.Method != http.MethodHead && status >= 200 && status != 204 && status != 304
}

func (x *exchange) receiveHTTP2(r *Response, res *http.Response) *Error {
	r.Fields = sortedFields(res.Header)
	if err := checkFields(r.Fields); err != nil {
		return x.error(KindGarbage, err)
	}
	if r.Fields.Size() > x.cfg.MaxHeaderBytes {
		return x.error(KindTooLarge, fmt.Errorf("%w: more than %d bytes", errHeadTooLarge, x.cfg.MaxHeaderBytes))
	}
	lengths := res.Header["Content-Length"]
	for _, length := range lengths {
		if _, err := strconv.ParseUint(length, 10, 63); err != nil || length != lengths[0] {
			return x.error(KindGarbage, fmt.Errorf("invalid Content-Length %.64q", lengths))
		}
	}
	if len(lengths) > 1 {
		r.Ambiguity = RepeatedLength
	}
	return nil
}

// upgrade hands the connection over, if that was asked for (RFC 9110
// section 7.8).
func (x *exchange) upgrade(r *Response, res *http.Response) *Error {
	chosen, _ := r.Fields.Joined("Upgrade")
	conn, ok := res.Body.(io.ReadWriteCloser)
	if !ok || !offers(x.req.Upgrade, chosen) {
		return x.error(KindGarbage, fmt.Errorf("switched to protocol %.64q, which was not asked for", chosen))
	}
	r.ContentLength, r.Body = 0, http.NoBody
	r.Upgraded = x.handOver(conn)
	return nil
}

// offers tells whether a protocol is in a comma-separated list.
func offers(list, protocol string) bool {
	for offer := range strings.SplitSeq(list, ",") {
		if field.EqualFold(field.Trim(offer), protocol) && protocol != "" {
			return true
		}
	}
	return false
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
