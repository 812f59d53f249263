package origin

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// pingAfter is how long an HTTP/2 connection may be silent before it is
// tested: one that died unnoticed would fail every request put on it.
const pingAfter = 15 * time.Second

// headSlack lets net/http read a little more of a head than the limit, so that
// checkHead is who refuses it and says why.
const headSlack = 64 << 10

// newTransport returns net/http's client for one backend. It speaks HTTP/2
// only.
func (b *backend) newTransport() *http.Transport {
	cfg := &b.pool.cfg
	t := &http.Transport{
		DisableCompression:     true,
		IdleConnTimeout:        cfg.KeepAlive,
		ExpectContinueTimeout:  expectContinueTimeout,
		MaxResponseHeaderBytes: int64(cfg.MaxHeaderBytes) + headSlack,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, WriteByteTimeout: cfg.IdleTimeout},
	}
	if b.endpoint.tls == nil {
		t.Protocols.SetUnencryptedHTTP2(true)
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialHTTP2(ctx) }
		return t
	}
	t.Protocols.SetHTTP1(true) // or net/http does not ask what was chosen
	t.Protocols.SetHTTP2(true)
	t.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialHTTP2(ctx) }
	return t
}

// http2Exchange is an exchange over HTTP/2, which net/http speaks: there, many
// exchanges share a connection.
type http2Exchange struct {
	exchange
	ctx         context.Context // ends with the caller's, with the pool and with the exchange
	cancel      context.CancelFunc
	dog         watchdog
	stopWaiting func() bool // for the end of the pool
	answered    atomic.Bool // a byte of a response came

	response struct {
		sync.Mutex
		reused  bool   // the connection had served before
		interim int    // bytes of interim responses
		err     *Error // an interim response failed
	}
}

func (b *backend) newHTTP2Exchange(ctx context.Context, req *Request, counted bool) *http2Exchange {
	x := &http2Exchange{exchange: exchange{
		backend: b, req: req, caller: ctx, counted: counted, callbacks: newGate(),
	}}
	ctx, x.cancel = context.WithCancel(ctx)
	x.dog.bite = x.cancel
	x.watch = &x.dog
	x.stopWaiting = context.AfterFunc(b.pool.ctx, x.cancel)
	x.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              x.gotConn,
		GotFirstResponseByte: func() { x.answered.Store(true) },
		Got1xxResponse:       x.gotInterim,
	})
	return x
}

// run sends the request and waits for the head of its response. When it
// returns an error the exchange is over; else the response's body ends it. again
// tells that the origin speaks HTTP/1 now, and that nothing happened.
func (x *http2Exchange) run(body *replay) (_ *Response, _ *Error, again bool) {
	res, err := x.backend.http2.RoundTrip(x.outgoing(body))
	if err != nil {
		x.callbacks.shut()
		<-x.callbacks.idle // what the request's own body had to say is said
		failure := x.headError(err)
		if failure.Err == errProtocol {
			x.clean()
			return nil, nil, true
		}
		return nil, x.fail(failure), false
	}
	response, failure := x.receive(res)
	if failure != nil {
		x.cancel()
		res.Body.Close()
		return nil, x.fail(failure), false
	}
	return response, nil, false
}

// fail ends the exchange and waits until nothing of the caller's runs any more.
func (x *http2Exchange) fail(err *Error) *Error {
	x.end(err)
	<-x.callbacks.idle
	return err
}

// end ends the exchange, once; err is nil for a complete one.
func (x *http2Exchange) end(err *Error) {
	if !x.claimEnd() {
		return
	}
	x.clean()
	if x.counted {
		x.response.Lock()
		reused := x.response.reused
		x.response.Unlock()
		x.backend.ended(err, reused)
	}
}

func (x *http2Exchange) clean() {
	x.dog.stop()
	x.stopWaiting()
	x.cancel()
}

// gotConn learns that net/http has a connection.
func (x *http2Exchange) gotConn(info httptrace.GotConnInfo) {
	x.response.Lock()
	x.response.reused = info.Reused
	x.response.Unlock()
	x.originsTurn(KindFirstByteTimeout, x.config().FirstByteTimeout)
}

// gotInterim passes an interim response on. An error of it fails the exchange.
// Not every path through net/http keeps that error, so it is also noted.
func (x *http2Exchange) gotInterim(status int, h textproto.MIMEHeader) error {
	if !x.callbacks.enter() {
		return errExchangeOver
	}
	defer x.callbacks.leave()
	fields := sortedFields(http.Header(h))
	if err := x.admitInterim(status, fields); err != nil {
		return err
	}
	x.answered.Store(true)
	x.tellInterim(func() { x.req.Interim(status, fields) })
	return nil
}

func (x *http2Exchange) admitInterim(status int, f field.Fields) error {
	x.response.Lock()
	defer x.response.Unlock()
	x.response.interim += interimCost + f.Size()
	if err := checkFields(f); err != nil {
		x.response.err = x.error(KindGarbage, fmt.Errorf("interim response %d: %w", status, err))
	} else if x.response.interim > x.config().MaxHeaderBytes {
		x.response.err = x.error(KindTooLarge, errEndlessInterim)
	} else {
		return nil
	}
	return x.response.err
}

// outgoing returns the request in net/http's terms. The target goes through
// URL.Opaque, since net/http rewrites any path it is given in parts. One that
// begins with "//" would still be taken for an authority: it gets one before
// it, which HTTP/2 in net/http takes off again.
func (x *http2Exchange) outgoing(body *replay) *http.Request {
	r, e := x.req, x.backend.endpoint
	host, target := e.host(r.Host), r.Target.Raw()
	u := &url.URL{Scheme: e.scheme, Host: x.backend.address, Opaque: target}
	if strings.HasPrefix(target, "//") {
		u.Opaque = "//" + host + target
	}
	out := &http.Request{
		Method:     r.Method,
		URL:        u,
		Host:       host,
		Header:     r.header(),
		Body:       http.NoBody,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
	if r.hasBody() {
		content := x.newRequestBody(body)
		out.Body, out.ContentLength = content, r.ContentLength
		if r.ContentLength < 0 {
			// Said outright, or net/http reads ahead to guess whether there is a body.
			out.TransferEncoding = []string{"chunked"}
			out.Trailer = content.trailer
		}
	}
	return out.WithContext(x.ctx)
}

func (r *Request) header() http.Header {
	h := make(http.Header, len(r.Fields)+1)
	for _, f := range r.Fields {
		if name := textproto.CanonicalMIMEHeaderKey(f.Name); r.sends(name, f.Value) {
			h[name] = append(h[name], f.Value)
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or net/http invents one
	}
	return h
}

// dialHTTP2 returns the bare *tls.Conn, since net/http looks into it. A
// connection on which HTTP/1 was chosen is kept for an exchange over that.
func (b *backend) dialHTTP2(ctx context.Context) (net.Conn, error) {
	below, secure, err := b.dial(ctx, bothVersions)
	switch {
	case err != nil:
		return nil, err
	case secure == nil:
		return below, nil
	case speaks(secure) == "h2":
		b.chose.Store(choseHTTP2)
		return secure, nil
	}
	b.chose.Store(choseHTTP1)
	b.idle.put(newConn(b, below, secure))
	return nil, b.error(KindTLS, errProtocol)
}

func speaks(c *tls.Conn) string { return c.ConnectionState().NegotiatedProtocol }
