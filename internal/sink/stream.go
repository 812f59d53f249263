package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// Reconnecting: soon after a restart of the collector, and seldom enough to
// cost nothing while it is away.
const (
	reconnectLeast = 100 * time.Millisecond
	reconnectMost  = 30 * time.Second
)

// stream sends messages over TCP or TLS, each behind its length (RFC 6587
// section 3.4.1, RFC 5425 section 4.3).
//
// Collectors confirm nothing. When a connection breaks, the messages that the
// system had taken count as delivered and the others are sent again, beginning
// with the one that was being written; so what the system still held is lost
// without being counted.
type stream struct {
	address string
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	tls     *tls.Config // nil: in clear
	failed  func(error)
	retry   backoff

	conn   net.Conn      // nil: to be dialled
	silent chan struct{} // closed once the collector has ended conn
}

func newStream(t Target, c *Config, failed func(error)) (*stream, error) {
	s := &stream{
		address: t.address, dial: c.Dial, failed: failed,
		retry: backoff{least: reconnectLeast, most: reconnectMost},
	}
	if t.kind != kindTLS {
		return s, nil
	}
	var err error
	s.tls, err = t.tlsConfig()
	return s, err
}

// tlsConfig checks the collector's name, as RFC 5425 section 5.2 asks.
func (t Target) tlsConfig() (*tls.Config, error) {
	host, _, err := net.SplitHostPort(t.address)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", t.ca)
		}
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, err
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// write tries until everything is sent or ctx ends: meanwhile the queue fills,
// and what does not fit is dropped there.
func (s *stream) write(ctx context.Context, b *batch) (delivered int, err error) {
	for {
		if err = s.connect(ctx); err == nil {
			delivered, err = s.send(ctx, b, delivered)
		}
		if err == nil {
			return delivered, nil
		}
		s.disconnect()
		if ctx.Err() != nil {
			return delivered, err
		}
		s.failed(err)
		if sleep(ctx, s.retry.delay()) != nil {
			return delivered, err
		}
	}
}

// send sends the frames of a batch from one on, and returns how many have been
// sent then.
func (s *stream) send(ctx context.Context, b *batch, from int) (int, error) {
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // a deadline would be overwritten
	defer stop()
	for from < b.lines() {
		to := b.upTo(from, writeBytes)
		start := b.start(from)
		conn.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := conn.Write(b.data[start:b.start(to)])
		if err != nil {
			return max(from, b.within(start+n)), fmt.Errorf("sending: %w", err)
		}
		s.retry.reset()
		from = to
	}
	return from, nil
}

// connect makes sure of a connection that the collector has not ended. Ending
// an idle one is its right, and not an error.
func (s *stream) connect(ctx context.Context) error {
	if s.conn != nil {
		select {
		case <-s.silent:
			s.disconnect()
		default:
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if s.tls != nil {
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return fmt.Errorf("connecting: %w", err)
		}
		conn = secure
	}
	s.conn, s.silent = conn, make(chan struct{})
	go listen(conn, s.silent)
	return nil
}

// listen notices that the collector has gone. Without it, the first write after
// a restart of the collector would succeed and be lost. What a collector says
// is not part of the protocol and is thrown away.
func listen(conn net.Conn, silent chan<- struct{}) {
	defer close(silent)
	io.Copy(io.Discard, conn)
	conn.Close()
}

// disconnect ends the connection and waits for its listener.
func (s *stream) disconnect() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	<-s.silent
	s.conn = nil
	if errors.Is(err, net.ErrClosed) {
		return nil // the collector, or the listener, was first
	}
	return err
}

func (s *stream) reopen() error { return s.disconnect() }

func (s *stream) close() error { return s.disconnect() }
