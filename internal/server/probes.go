package server

import (
	"crypto/tls"
	"errors"
	"io"
)

// net/http asks a connection what else it can do by looking at its methods, and
// takes one with ConnectionState for TLS. So there are two types.

// cleartext is a wrapped connection without TLS.
type cleartext struct{ *conn }

// ReadFrom lets a file be sent without passing through user space.
func (c cleartext) ReadFrom(src io.Reader) (int64, error) {
	if rf, ok := c.link.Conn.(io.ReaderFrom); ok {
		return rf.ReadFrom(src)
	}
	return io.Copy(struct{ io.Writer }{c.conn}, src)
}

// CloseWrite ends what is sent to the client, not what is read from it.
func (c cleartext) CloseWrite() error { return c.link.CloseWrite() }

// encrypted is a wrapped connection with HTTP/1 inside TLS.
type encrypted struct {
	*conn
	tls *tls.Conn
}

// ConnectionState makes net/http set the TLS field of requests.
func (c encrypted) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// CloseWrite ends what is sent to the client, not what is read from it.
func (c encrypted) CloseWrite() error { return c.tls.CloseWrite() }

// CloseWrite makes the half-close of the connection below available to linger.
func (l *link) CloseWrite() error {
	if w, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}
