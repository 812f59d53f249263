package proxy

import (
	"crypto/tls"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/server"
)

var _ server.PlainHandler = (*Proxy)(nil)

// ServePlain implements server.PlainHandler: it answers as ServeHTTP does, through
// all the same states.
func (p *Proxy) ServePlain(w server.PlainWriter, r *server.FastRequest) {
	x := p.pool.Get().(*exchange)
	x.p, x.cfg, x.plain, x.ctx, x.start = p, p.hold(x.stripe), w, w.Context(), r.Time
	x.ask = askFast(r)
	x.run()
}

// beginPlain begins the answer with its head, which is what net/http would send,
// byte for byte.
func (x *exchange) beginPlain() {
	length := x.frame()
	for i := range x.out {
		x.out[i].Name = canonical(x.out[i].Name)
	}
	x.out.SortByName()
	x.head = appendStatusLine(x.head[:0], x.status)
	for i := range x.out {
		x.line(i)
	}
	x.addDate()
	if length < 0 {
		x.head = append(x.head, "Transfer-Encoding: chunked\r\n"...)
	}
	x.head = append(x.head, "\r\n"...)
	x.check(x.plain.Begin(x.head, length))
}

// frame returns how much content follows the head, negative for as much as there
// will be, and removes what would say otherwise (RFC 9110 section 6.4.1).
func (x *exchange) frame() int64 {
	switch {
	case x.status == http.StatusNotModified:
		x.out = without(x.out, "Content-Type", "Content-Length")
		return 0
	case x.status == http.StatusNoContent:
		x.out = x.out.Without("Content-Length")
		return 0
	case x.ask.method == http.MethodHead:
		return 0
	}
	value, ok := x.out.Get("Content-Length")
	if !ok {
		return -1
	}
	length, err := strconv.ParseInt(value, 10, 64)
	x.check(err) // this node has written it
	return length
}

// check cuts the answer where it cannot go on.
func (x *exchange) check(err error) {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// informPlain sends an informational response.
func (x *exchange) informPlain(status int, f field.Fields) {
	head := appendStatusLine(nil, status)
	for _, line := range f {
		if !x.hides(line.Name) {
			head = append(head, line.Name+": "+line.Value+"\r\n"...)
		}
	}
	x.plain.Inform(append(head, "\r\n"...)) // where it fails the answer will, too
}

// request returns the request as net/http has it, for those who know it so.
func (x *exchange) request() *http.Request {
	if x.r != nil {
		return x.r
	}
	a := &x.ask
	r := &http.Request{
		Method: a.method, RequestURI: a.target, Host: a.host, Proto: a.proto, ProtoMajor: a.major, ProtoMinor: a.minor,
		RemoteAddr: a.remote, Header: make(http.Header, len(a.lines)), Body: http.NoBody,
	}
	for _, line := range a.lines {
		r.Header.Add(line.Name, line.Value)
	}
	if a.tls != 0 {
		r.TLS = &tls.ConnectionState{Version: a.tls}
	}
	return r.WithContext(x.ctx)
}
