package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed is returned by Start on a Server that was started before or has
// been closed.
var ErrClosed = errors.New("server: closed or already started")

// Server listens on the configured ports. Its methods may be called
// concurrently.
type Server struct {
	cfg    Config
	limits atomic.Pointer[Limits]
	ports  []*port
	links  *table

	// Two servers, because they end differently: an HTTP/2 connection is told
	// to go away as soon as a drain begins, while net/http, when told to shut
	// down, drops an HTTP/1 request whose head it has just read.
	http1, http2 *backend
	inner        *backend // behind the relays of HTTP/2; nil where Fast is

	counts   counts
	calls    *calls
	made     time.Time // where uptime counts from
	draining atomic.Bool
	stopping chan struct{} // closed when accepting ends
	work     sync.WaitGroup

	buffers    *sync.Pool // of what was received
	fastCalls  *sync.Pool
	plainCalls *sync.Pool
	copies     *sync.Pool // of answers that are copied together
	outs       *sync.Pool // of what goes out by HTTP/2

	life struct {
		sync.Mutex
		started, stopped bool
	}
	closeOnce sync.Once
	closeErr  error
}

// New checks the configuration and reads the certificates. It binds nothing.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{
		cfg:        cfg,
		links:      newTable(),
		calls:      newCalls(),
		made:       time.Now().Add(-time.Nanosecond), // uptime is never 0
		stopping:   make(chan struct{}),
		buffers:    newBufferPool(),
		fastCalls:  newCallPool(),
		plainCalls: newPlainPool(),
		copies:     newCopyPool(),
		outs:       newOutPool(),
	}
	s.limits.Store(&cfg.Limits)
	if s.ports, err = newPorts(cfg); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.http1, s.http2 = s.newBackend(), s.newBackend()
	s.http1.Protocols.SetHTTP1(true)
	s.http1.Protocols.SetUnencryptedHTTP2(true)
	s.http2.Protocols.SetHTTP2(true)
	if cfg.Fast != nil {
		s.inner = s.newInner()
	}
	return s, nil
}

// Start binds every port and serves. If one cannot be bound, none stays bound
// and the Server cannot be started again.
func (s *Server) Start() error {
	s.life.Lock()
	defer s.life.Unlock()
	if s.life.started || s.life.stopped {
		return ErrClosed
	}
	if err := bindAll(s.ports); err != nil {
		s.life.stopped = true
		return fmt.Errorf("server: %w", err)
	}
	s.life.started = true
	for _, b := range s.backends() {
		s.work.Go(func() { b.Serve(b.gate) })
	}
	for _, p := range s.ports {
		s.work.Go(func() { s.accept(p) })
	}
	return nil
}

// Addrs returns the bound addresses, in the order of HTTP, HTTPListeners and
// HTTPS. It is meaningful after Start.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.ports))
	for i, p := range s.ports {
		if p.listener != nil {
			addrs[i] = p.listener.Addr()
		}
	}
	return addrs
}

// SetLimits replaces the limits, without touching a connection that exists:
// those of a head apply from the next head on, those of connections to the
// next connection. IdleTimeout and MaxStreams stay as they were at New.
func (s *Server) SetLimits(l Limits) error {
	l, err := l.withDefaults()
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	s.limits.Store(&l)
	return nil
}

// ReloadCertificates reads the certificate files of every TLS port again. New
// connections get the new certificates; existing ones go on. If any file is
// bad, all ports keep what they have.
func (s *Server) ReloadCertificates() error {
	return reloadAll(s.ports)
}

// backend is a net/http server and the gate it takes its connections from.
type backend struct {
	http.Server
	gate *gate
}

func (s *Server) newBackend() *backend {
	l := s.cfg.Limits
	return &backend{
		gate: newGate(),
		Server: http.Server{
			Handler:                      front{s},
			DisableGeneralOptionsHandler: true,
			// The first head's clock starts with the connection, so that one
			// on which nothing arrives ends too.
			ReadHeaderTimeout: l.ReadHeaderTimeout,
			IdleTimeout:       l.IdleTimeout,
			MaxHeaderBytes:    netHTTPHeaderBytes,
			Protocols:         new(http.Protocols),
			HTTP2: &http.HTTP2Config{
				MaxConcurrentStreams: l.MaxStreams,
				SendPingTimeout:      http2PingAfter,
			},
			ConnState: stateChanged,
			ErrorLog:  slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelWarn),
		},
	}
}

func (s *Server) backends() []*backend {
	if s.inner == nil {
		return []*backend{s.http1, s.http2}
	}
	return []*backend{s.http1, s.http2, s.inner}
}

// http2PingAfter is how long an HTTP/2 connection may be silent before it is
// asked whether it is still there: a peer that vanished would otherwise keep
// its streams' handlers waiting until TCP gives up.
const http2PingAfter = 30 * time.Second

// Shutdown drains: it stops accepting, closes idle connections, and lets
// requests in flight finish; the answers given meanwhile tell their clients to
// close. Connections that a handler took over by Hijack are waited for as
// requests are. When ctx ends first, what is left is cut and the error wraps
// that of ctx. Shutdown ends with Close.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopAccepting()
	s.draining.Store(true)

	told := make(chan error, 1)
	go func() { told <- s.http2.Shutdown(ctx) }()
	s.links.drain()
	err := s.drainRelays(ctx)
	if err == nil {
		// Only cleartext HTTP/2 is left here.
		err = s.http1.Shutdown(ctx)
	}
	if err2 := <-told; err == nil {
		err = err2
	}
	if err != nil {
		err = fmt.Errorf("server: draining: %w", err)
	}
	return errors.Join(err, s.Close())
}

// Close stops accepting, cuts every connection and waits for what the Server
// started. It returns ErrStillRunning if a handler does not return although
// its request was cancelled. It must not be called from a handler.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		s.stopAccepting()
		s.calls.close()
		for _, b := range s.backends() {
			b.Close()
		}
		s.links.closeAll()
		s.work.Wait()
		s.closeErr = s.calls.wait(handlerGrace)
	})
	return s.closeErr
}

// handlerGrace is how long Close waits for handlers whose requests have been
// cancelled: enough for any that heeds its context.
const handlerGrace = 5 * time.Second

// stopAccepting closes the listeners. Accept loops end by themselves.
func (s *Server) stopAccepting() {
	s.life.Lock()
	defer s.life.Unlock()
	if s.life.stopped {
		return
	}
	s.life.stopped = true
	close(s.stopping)
	for _, p := range s.ports {
		p.close()
	}
}
