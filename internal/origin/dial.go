package origin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// expectContinueTimeout is how long a request's body is held back for an
// origin that never answers "Expect: 100-continue" (RFC 9110 section 10.1.1).
const expectContinueTimeout = time.Second

// Versions of HTTP to offer in a TLS handshake, the preferred one first.
var (
	bothVersions = []string{"h2", "http/1.1"}
	onlyHTTP1    = []string{"http/1.1"}
)

// What an origin chose, by backend.chose. Until it is known HTTP/2 is meant,
// because net/http can tell what was chosen when it has dialled.
const (
	choseHTTP2 uint32 = iota
	choseHTTP1
)

// overHTTP2 tells whether a request goes out on HTTP/2. Upgrade exists on
// HTTP/1 only (RFC 9113 section 8.6).
func (b *backend) overHTTP2(r *Request) bool {
	return b.http2 != nil && r.Upgrade == "" && (b.endpoint.h2c || b.chose.Load() == choseHTTP2)
}

// dialHTTP1 opens a connection for HTTP/1. One on which the origin chose HTTP/2
// instead is given up, and the next is net/http's.
func (b *backend) dialHTTP1(ctx context.Context, upgrade bool) (*conn, *Error) {
	versions := bothVersions
	if upgrade || b.endpoint.http1 {
		versions = onlyHTTP1
	}
	below, secure, err := b.dial(ctx, versions)
	if err != nil {
		return nil, err
	}
	if secure != nil && speaks(secure) == "h2" {
		b.chose.Store(choseHTTP2)
		secure.Close()
		return nil, b.error(KindTLS, errProtocol)
	}
	return newConn(b, below, secure), nil
}

// dial opens a connection within ConnectTimeout and the pool's life. secure is
// nil without TLS. net/http lets a dial go on when the request that caused it
// is gone.
func (b *backend) dial(ctx context.Context, versions []string) (below *trackedConn, secure *tls.Conn, _ *Error) {
	if !b.pool.work.enter() {
		return nil, nil, b.error(KindPoolClosed, errPoolClosed)
	}
	defer b.pool.work.leave()
	ctx, cancel := context.WithTimeout(ctx, b.pool.cfg.ConnectTimeout)
	defer cancel()
	defer context.AfterFunc(b.pool.ctx, cancel)()
	below, err := b.connect(ctx)
	if err != nil || b.endpoint.tls == nil {
		return below, nil, err
	}
	config := b.endpoint.tls.Clone()
	config.NextProtos = versions
	secure = tls.Client(below, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		below.Close()
		return nil, nil, b.dialError(ctx, KindTLS, err)
	}
	return below, secure, nil
}

func (b *backend) connect(ctx context.Context) (*trackedConn, *Error) {
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
