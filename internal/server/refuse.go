package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

const (
	// refusalWriteTimeout bounds writing a refusal: it is a few hundred bytes,
	// and a client that does not take them is not worth a goroutine.
	refusalWriteTimeout = 5 * time.Second
	// A connection closed with unread bytes is reset, and the reset overtakes
	// the refusal. So what the client is still sending is read for as long as a
	// far round trip takes, or up to what it may have had in flight.
	lingerTimeout = 500 * time.Millisecond
	lingerBytes   = 256 << 10
)

// statusOf is what a refused client is told.
func statusOf(reason event.RefusedReason) int {
	switch reason {
	case event.RefusedHeadTimeout:
		return http.StatusRequestTimeout
	case event.RefusedTargetTooLong:
		return http.StatusRequestURITooLong
	case event.RefusedUnknownExpect:
		return http.StatusExpectationFailed
	case event.RefusedHeadTooLarge, event.RefusedTooManyFields:
		return http.StatusRequestHeaderFieldsTooLarge
	case event.RefusedMethodTooLong, event.RefusedUnknownCoding:
		return http.StatusNotImplemented
	case event.RefusedUnsupportedVersion:
		return http.StatusHTTPVersionNotSupported
	}
	return http.StatusBadRequest
}

// refuse answers the head in the buffer with an error and ends the connection.
// What it returns makes net/http close without a word.
func (c *conn) refuse(reason event.RefusedReason) error {
	s := subjectOf(c.in.bytes())
	method, target := escape(s.method), escape(s.target)
	c.die(io.EOF)
	c.server.emit(c.Conn, event.Refused{
		Status: statusOf(reason), Reason: reason, Method: method, Target: target,
	})
	c.Conn.SetWriteDeadline(time.Now().Add(refusalWriteTimeout))
	io.WriteString(c.Conn, c.server.answer(reason))
	linger(c.Conn)
	return io.EOF
}

// answer returns the whole HTTP/1 response to a refused request.
func (s *Server) answer(reason event.RefusedReason) string {
	status := statusOf(reason)
	contentType, body := s.cfg.RefusedBody(status, reason)
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat), contentType, len(body), body)
}

// linger tells the client that nothing more will come and reads what it still
// sends, for a short time.
func linger(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
	}
	c.SetReadDeadline(time.Now().Add(lingerTimeout))
	io.Copy(io.Discard, io.LimitReader(c, lingerBytes))
}

// subject is the beginning of a method and of a target, for an event.
type subject struct {
	method, target []byte
}

// What an event holds of a target is enough to recognise it.
const maxSubjectTarget = 256

// subjectOf finds method and target in a head, be it whole or valid or not.
func subjectOf(head []byte) subject {
	line := head[:min(len(head), maxMethodBytes+1+maxSubjectTarget)]
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, _, _ := bytes.Cut(rest, []byte(" "))
	return subject{
		method: method[:min(len(method), maxMethodBytes)],
		target: target[:min(len(target), maxSubjectTarget)],
	}
}

func (s subject) clone() subject {
	return subject{method: bytes.Clone(s.method), target: bytes.Clone(s.target)}
}

// escape makes bytes from a client safe to print.
func escape(b []byte) string {
	q := strconv.QuoteToASCII(string(b))
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
