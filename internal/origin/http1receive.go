package origin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rescind-edge/rescind/internal/field"
)

func noTrailers() field.Fields { return nil }

// receive makes a Response of the final head.
func (x *http1Exchange) receive(h head) *Error {
	x.headHere()
	f, err := h.framing(x.req.Method)
	if err != nil {
		return x.error(KindGarbage, err)
	}
	x.closes, x.conn.keeps = f.closes, f.keeps
	x.res = Response{
		Status: h.status, Fields: h.fields, ContentLength: f.length, Ambiguity: h.ambiguity,
		CloseDelimited: f.form == bodyUntilClose, Body: http.NoBody, Trailer: noTrailers,
		Proto: "HTTP/1.1", Origin: x.backend.endpoint.url, Address: x.backend.address,
	}
	if h.minor == 0 {
		x.res.Proto = "HTTP/1.0"
	}
	if x.sender != nil {
		// An origin that takes part without having asked for the body wants it;
		// one that refuses does not.
		x.sender.release(h.status < 300 && !f.closes)
	}
	switch {
	case h.status == http.StatusSwitchingProtocols:
		return x.upgrade()
	case f.form == bodyNone:
		x.complete()
	default:
		x.body.x, x.body.form, x.body.left = x, f.form, f.length
		x.res.Body = &x.body
		if f.form == bodyChunked {
			x.res.Trailer = x.body.trailers
		}
	}
	return nil
}

// malformed tells whether an error is about what an origin sent, and not of its
// connection.
func malformed(err error) bool {
	for _, e := range []error{
		errStatusLine, errFieldLine, errFolded, errOldEncoding, errCoding, errLength, errTrailer,
		errChunkSize, errChunkEnd, errChunkLine, errOverhead, errTrailers,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// upgrade hands the connection over, if that was asked for (RFC 9110
// section 7.8).
func (x *http1Exchange) upgrade() *Error {
	chosen, _ := x.res.Fields.Joined("Upgrade")
	if !field.Lists(x.req.Upgrade, chosen) || !x.res.Fields.Lists("Connection", "Upgrade") {
		return x.error(KindGarbage, fmt.Errorf("switched to protocol %.64q, which was not asked for", chosen))
	}
	x.conn.watch.stop()
	x.res.ContentLength = 0
	x.res.Upgraded = &upgraded{x}
	return nil
}

// upgraded is the connection after a 101. It ends with the caller's context, as
// any exchange.
type upgraded struct{ x *http1Exchange }

// Read implements io.Reader: first what came with the head.
func (u *upgraded) Read(p []byte) (int, error) {
	in := &u.x.conn.in
	if in.len() == 0 || len(p) == 0 {
		return u.x.conn.Read(p)
	}
	n := copy(p, in.bytes())
	if in.take(n); in.len() == 0 {
		in.close()
	}
	return n, nil
}

// Write implements io.Writer.
func (u *upgraded) Write(p []byte) (int, error) { return u.x.conn.Write(p) }

// Close closes the connection and ends the exchange.
func (u *upgraded) Close() error {
	if u.x.stop != nil {
		u.x.stop()
	}
	err := u.x.conn.Conn.Close()
	u.x.finish(nil)
	return err
}
