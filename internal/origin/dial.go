package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// expectContinueTimeout is how long a request's body is held back for an
// origin that never answers "Expect: 100-continue" (RFC 9110 section 10.1.1).
const expectContinueTimeout = time.Second

// pingAfter is how long an HTTP/2 connection may be silent before it is
// tested: one that died unnoticed would fail every request put on it.
const pingAfter = 15 * time.Second

// headSlack lets net/http read a little more of a head than the limit, so that
// the scanner is who refuses it and says why.
const headSlack = 64 << 10

// newTransport returns a transport for one backend. http2 permits HTTP/2: with
// TLS if ALPN chooses it, without TLS always.
func (b *backend) newTransport(http2 bool) *http.Transport {
	cfg := &b.pool.cfg
	t := &http.Transport{
		DisableCompression:     true,
		MaxIdleConnsPerHost:    cfg.MaxIdle,
		IdleConnTimeout:        cfg.KeepAlive,
		ExpectContinueTimeout:  expectContinueTimeout,
		MaxResponseHeaderBytes: int64(cfg.MaxHeaderBytes) + headSlack,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, WriteByteTimeout: cfg.IdleTimeout},
	}
	switch {
	case b.endpoint.tls != nil:
		t.Protocols.SetHTTP1(true)
		t.Protocols.SetHTTP2(http2)
		t.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialTLS(ctx, http2) }
	case http2:
		t.Protocols.SetUnencryptedHTTP2(true)
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialPlain(ctx, false) }
	default:
		t.Protocols.SetHTTP1(true)
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dialPlain(ctx, true) }
	}
	return t
}

func (b *backend) dialPlain(ctx context.Context, http1 bool) (net.Conn, error) {
	return b.dialing(ctx, func(ctx context.Context) (net.Conn, *Error) {
		conn, err := b.connect(ctx)
		if err != nil || !http1 {
			return conn, err
		}
		return newHeadConn(conn, b.pool.cfg.MaxHeaderBytes), nil
	})
}

// dialTLS returns the bare *tls.Conn for HTTP/2, since net/http looks into it,
// and a watched one for HTTP/1.
func (b *backend) dialTLS(ctx context.Context, http2 bool) (net.Conn, error) {
	return b.dialing(ctx, func(ctx context.Context) (net.Conn, *Error) {
		conn, failure := b.connect(ctx)
		if failure != nil {
			return nil, failure
		}
		config := b.endpoint.tls.Clone()
		config.NextProtos = []string{"http/1.1"}
		if http2 {
			config.NextProtos = []string{"h2", "http/1.1"}
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, b.dialError(ctx, KindTLS, err)
		}
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			return secure, nil
		}
		return newHeadConn(secure, b.pool.cfg.MaxHeaderBytes), nil
	})
}

// dialing bounds dial by ConnectTimeout and by the pool's life. net/http lets a
// dial go on when the request that caused it is gone.
func (b *backend) dialing(ctx context.Context, dial func(context.Context) (net.Conn, *Error)) (net.Conn, error) {
	if !b.pool.work.enter() {
		return nil, b.error(KindPoolClosed, errPoolClosed)
	}
	defer b.pool.work.leave()
	ctx, cancel := context.WithTimeout(ctx, b.pool.cfg.ConnectTimeout)
	defer cancel()
	defer context.AfterFunc(b.pool.ctx, cancel)()
	conn, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (b *backend) connect(ctx context.Context) (net.Conn, *Error) {
	conn, err := b.pool.cfg.Dial(ctx, "tcp", b.address)
	if err != nil {
		return nil, b.dialError(ctx, KindConnect, err)
	}
	tracked, ok := b.pool.conns.add(conn, b)
	if !ok {
		conn.Close()
		return nil, b.error(KindPoolClosed, errPoolClosed)
	}
	return tracked, nil
}

func (b *backend) dialError(ctx context.Context, kind Kind, err error) *Error {
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case b.pool.ctx.Err() != nil:
		return b.error(KindPoolClosed, errPoolClosed)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return b.error(KindConnectTimeout, fmt.Errorf("no connection within %v: %w", b.pool.cfg.ConnectTimeout, err))
	case isNet && netErr.Timeout():
		return b.error(KindConnectTimeout, err)
	}
	return b.error(kind, err)
}

func (b *backend) error(kind Kind, err error) *Error {
	return &Error{Kind: kind, Origin: b.endpoint.url, Address: b.address, Err: err}
}
