package origin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"
)

// Config describes the pool of one service. The zero value of every field but
// Origins is usable.
type Config struct {
	// Origins serve the same content; at least one. Requests go to them in turn.
	Origins []Endpoint

	// ConnectTimeout bounds everything before a request can be sent, each in
	// its own right: the first look-up of a name, the wait for a free
	// connection, and dialling with the TLS handshake. 0 is 3 s.
	ConnectTimeout time.Duration
	// FirstByteTimeout bounds the wait for the response's head once the request
	// is sent; an interim response restarts it. 0 is 60 s.
	FirstByteTimeout time.Duration
	// IdleTimeout bounds the wait between two parts of a body, in either
	// direction. Only the origin's time counts, never the client's. 0 is 60 s.
	IdleTimeout time.Duration
	// KeepAlive is how long an unused connection is kept. 0 is 30 s: longer
	// than the gaps in steady traffic, shorter than most servers wait, so that
	// they rarely close a connection while a request is on its way. Where an
	// origin says in Keep-Alive that it keeps them for less, it is a second less
	// than that.
	KeepAlive time.Duration

	// MaxConns is the number of exchanges in progress with one backend. On
	// HTTP/1 each holds a connection; on HTTP/2 it counts streams. 0 is 256:
	// what common application servers have workers for, and far from the limits
	// of ports and file descriptors.
	MaxConns int
	// MaxIdle is the number of unused HTTP/1 connections kept to one backend.
	// 0 is 128, or MaxConns where that is less.
	MaxIdle int
	// MaxHeaderBytes bounds one response head, counted as on an HTTP/1 wire,
	// and all the interim responses of an exchange together. 0 is 256 KiB.
	MaxHeaderBytes int

	// Retries is the number of further attempts after one that failed before
	// any byte of a response. 0 is 1, negative is none. See Pool.Do.
	Retries int

	Active  Active  // health checks made for their own sake; off by default
	Passive Passive // judgement by the traffic; on by default

	// ResolveInterval is the time between look-ups of an origin's name. A
	// look-up that fails changes nothing: the last addresses stay. 0 is 30 s.
	ResolveInterval time.Duration

	// Resolver looks names up. Nil is the system's.
	Resolver Resolver
	// Dial opens connections; it must give up when its context ends. Nil is TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Log is told of changes of health and of failing look-ups, once for each
	// change. Nil discards.
	Log *slog.Logger
}

// Endpoint is one origin as configured.
type Endpoint struct {
	// URL is "http://host[:port]" or "https://host[:port]", nothing after it.
	// An https origin chooses between HTTP/1.1 and HTTP/2 by ALPN.
	URL string
	// Host replaces the request's Host. Empty: the request's.
	Host string
	// SNI replaces the host of URL in the TLS handshake, where it is sent as
	// server name and compared with the certificate.
	SNI string
	// RootCAs are who may sign the certificate. Nil is the system's.
	RootCAs *x509.CertPool
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool
	// TLS is used as it is, instead of what SNI, RootCAs and InsecureSkipVerify say,
	// and HTTP/1 is spoken over it. Only for https URLs. Nil: those count.
	TLS *tls.Config
	// HTTP2 speaks HTTP/2 without TLS, with prior knowledge
	// (RFC 9113 section 3.3). Only for http URLs.
	HTTP2 bool
}

// Resolver is what a pool asks of the name system. It is called concurrently
// and must return when ctx ends. *net.Resolver is one.
type Resolver interface {
	// LookupHost returns the IP addresses of host, in any order.
	LookupHost(ctx context.Context, host string) ([]string, error)
}

func (c Config) withDefaults() Config {
	setDefault(&c.ConnectTimeout, 3*time.Second)
	setDefault(&c.FirstByteTimeout, 60*time.Second)
	setDefault(&c.IdleTimeout, 60*time.Second)
	setDefault(&c.KeepAlive, 30*time.Second)
	setDefault(&c.MaxConns, 256)
	setDefault(&c.MaxIdle, min(128, c.MaxConns))
	setDefault(&c.MaxHeaderBytes, 256<<10)
	setDefault(&c.Retries, 1)
	setDefault(&c.ResolveInterval, 30*time.Second)
	c.Active = c.Active.withDefaults()
	c.Passive = c.Passive.withDefaults()
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// validate reports the first impossible setting. Defaults are already set.
func (c *Config) validate() error {
	if len(c.Origins) == 0 {
		return errors.New("no origins; at least one is needed")
	}
	positive := []struct {
		name  string
		value int64
	}{
		{"ConnectTimeout", int64(c.ConnectTimeout)},
		{"FirstByteTimeout", int64(c.FirstByteTimeout)},
		{"IdleTimeout", int64(c.IdleTimeout)},
		{"KeepAlive", int64(c.KeepAlive)},
		{"MaxConns", int64(c.MaxConns)},
		{"MaxIdle", int64(c.MaxIdle)},
		{"MaxHeaderBytes", int64(c.MaxHeaderBytes)},
		{"ResolveInterval", int64(c.ResolveInterval)},
		{"Active.Interval", int64(c.Active.Interval)},
		{"Active.Timeout", int64(c.Active.Timeout)},
		{"Active.Healthy", int64(c.Active.Healthy)},
		{"Active.Unhealthy", int64(c.Active.Unhealthy)},
		{"Passive.Ejection", int64(c.Passive.Ejection)},
		{"Passive.MaxEjection", int64(c.Passive.MaxEjection)},
	}
	for _, p := range positive {
		if p.value < 0 {
			return fmt.Errorf("%s is negative", p.name)
		}
	}
	if c.Active.Path != "" && !validTarget(c.Active.Path) {
		return fmt.Errorf("Active.Path %q is not a request target; begin it with /", c.Active.Path)
	}
	return nil
}

// validTarget tells whether s can stand on a request line as it is: nothing in
// it ends the line or its own part of the line. Everything else is the
// origin's to judge, since a proxy that repairs targets makes a cache key and
// an origin disagree.
func validTarget(s string) bool {
	if !strings.HasPrefix(s, "/") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}
