package origin

import (
	"context"
	"errors"
	"io"
	"strings"
)

// interrupted returns why the exchange was ended from this side, nil if it was
// not. That is asked first: it makes the connection fail, so what the
// connection says then is only a consequence.
func (x *exchange) interrupted() *Error {
	x.mu.Lock()
	bodyErr := x.mu.bodyErr
	x.mu.Unlock()
	switch kind := x.watch.bitten(); {
	case kind == KindFirstByteTimeout:
		return x.error(kind, errors.New("no response within "+x.cfg.FirstByteTimeout.String()))
	case kind != 0:
		return x.error(kind, errors.New("no progress within "+x.cfg.IdleTimeout.String()))
	case bodyErr != nil:
		return x.error(KindRequestBody, bodyErr)
	case x.caller.Err() != nil:
		return x.error(KindCanceled, context.Cause(x.caller))
	case x.backend.pool.ctx.Err() != nil:
		return x.error(KindPoolClosed, errPoolClosed)
	}
	return nil
}

// headError names what err, from net/http, means before a final head.
func (x *exchange) headError(err error) *Error {
	if e := x.interrupted(); e != nil {
		return e
	}
	if e, ok := errors.AsType[*Error](err); ok { // from dial
		return e
	}
	x.mu.Lock()
	conn, reused, interimErr := x.mu.conn, x.mu.reused, x.mu.interimErr
	x.mu.Unlock()
	if interimErr != nil {
		return interimErr
	}
	if conn == nil {
		return x.error(kindOfHTTP2(err), err)
	}
	switch f := conn.fault(); {
	case errors.Is(f.scan, errHeadTooLarge):
		return x.error(KindTooLarge, f.scan)
	case f.scan != nil:
		return x.error(KindGarbage, f.scan)
	case f.unasked && !reused:
		return x.error(KindGarbage, errUnasked)
	case f.unasked:
		// Servers announce so that they close an idle connection, with a 408.
		return x.error(KindClosed, errUnasked)
	case f.broken == io.EOF:
		return x.error(KindClosed, errors.New("the origin closed the connection before its response"))
	case f.broken != nil:
		return x.error(KindClosed, f.broken)
	}
	return x.error(KindGarbage, err)
}

// bodyError names what err, from reading the response's body, means.
func (x *exchange) bodyError(err error) *Error {
	if e := x.interrupted(); e != nil && e.Kind != KindRequestBody {
		return e
	}
	x.mu.Lock()
	conn := x.mu.conn
	x.mu.Unlock()
	if conn != nil && conn.fault().broken == nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return x.error(KindGarbage, err) // the connection works: the chunks are wrong
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
