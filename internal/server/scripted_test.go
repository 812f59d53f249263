package server

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// wrapped returns the wrapper of a connection, without net/http.
func wrapped(t testing.TB, raw net.Conn) *conn {
	s, err := New(Config{
		HTTP: []string{":0"}, Handler: http.NotFoundHandler(),
		Limits: Limits{MaxHeaderBytes: 4096, MaxURLBytes: 1024, MaxHeaderFields: 32},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, _ := s.links.add(raw, origin(raw.RemoteAddr()), s.limits.Load())
	return s.newConn(l, l)
}

// scripted is a connection from which a given input is read in pieces.
type scripted struct {
	net.Conn
	in    []byte
	piece int
	from  string // IP address
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in[:min(s.piece, len(s.in))])
	s.in = s.in[n:]
	return n, nil
}

func (s *scripted) Write(p []byte) (int, error)        { return len(p), nil }
func (s *scripted) Close() error                       { return nil }
func (s *scripted) LocalAddr() net.Addr                { return pipeAddr{} }
func (s *scripted) RemoteAddr() net.Addr               { return &net.TCPAddr{IP: net.ParseIP(s.from)} }
func (s *scripted) SetDeadline(t time.Time) error      { return nil }
func (s *scripted) SetReadDeadline(t time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(t time.Time) error { return nil }
