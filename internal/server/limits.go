package server

import (
	"errors"
	"fmt"
	"time"
)

// Limits bound what a client can make this node hold or wait for. In each
// field zero means the default.
type Limits struct {
	// MaxHeaderBytes bounds a request head, request line and final empty line
	// included; beyond it the answer is 431. 1 KiB to 256 KiB, default 64 KiB.
	MaxHeaderBytes int
	// MaxURLBytes bounds the request target; beyond it the answer is 414.
	// At most MaxHeaderBytes, default 8 KiB or MaxHeaderBytes if that is less.
	MaxURLBytes int
	// MaxHeaderFields bounds the field lines of a head; beyond it the answer
	// is 431. Default 128.
	MaxHeaderFields int

	// ReadHeaderTimeout bounds the time from the first byte of a head to its
	// last; beyond it the answer is 408. A connection on which nothing at all
	// arrives for as long after it was made is closed. Default 10 s.
	ReadHeaderTimeout time.Duration
	// BodyTimeout is how long a client may be silent in the middle of a request
	// body; then the body's Read fails and the connection ends. Default 60 s.
	BodyTimeout time.Duration
	// WriteTimeout bounds a write of an answer of the FastHandler: a client that
	// takes nothing for so long, or at most twice so long, is cut. Default 30 s.
	WriteTimeout time.Duration
	// HandshakeTimeout bounds a TLS handshake. Default 10 s.
	HandshakeTimeout time.Duration
	// IdleTimeout is how long a connection is kept between requests. Default
	// 75 s. SetLimits does not change it.
	IdleTimeout time.Duration

	// MaxConns bounds the connections of all ports together, those in a TLS
	// handshake included. Those beyond it are closed at once. Default 16,384.
	MaxConns int
	// MaxConnsPerAddress bounds the connections from one IPv4 address or one
	// IPv6 /64. Zero for no limit but MaxConns: many people may share an address.
	MaxConnsPerAddress int
	// MaxStreams bounds the requests at one time on an HTTP/2 connection.
	// Default 250. SetLimits does not change it.
	MaxStreams int
}

const (
	defaultHeaderBytes  = 64 << 10
	defaultURLBytes     = 8 << 10
	defaultHeaderFields = 128
	defaultHeadTimeout  = 10 * time.Second
	defaultBodyTimeout  = 60 * time.Second
	defaultWriteTimeout = 30 * time.Second
	defaultHandshake    = 10 * time.Second
	defaultIdle         = 75 * time.Second
	defaultStreams      = 250

	// An idle HTTP/1 connection holds about 20 KiB of buffers and stack, so
	// this many hold about 320 MiB.
	defaultConns = 16 << 10

	// Less than this does not hold the fields that browsers send.
	minHeaderBytes = 1 << 10
	// Nothing that browsers or proxies in front of us are known to send is
	// near this; it is what each connection may hold.
	maxHeaderBytes = 256 << 10

	// netHTTPHeaderBytes is the limit given to net/http. It lies well above
	// ours, so that a head too large for us is refused by us, with an event,
	// and net/http's own check is only what bounds an HTTP/2 decoder.
	netHTTPHeaderBytes = 2 * maxHeaderBytes
)

func (l Limits) withDefaults() (Limits, error) {
	orInt(&l.MaxHeaderBytes, defaultHeaderBytes)
	orInt(&l.MaxURLBytes, min(defaultURLBytes, l.MaxHeaderBytes))
	orInt(&l.MaxHeaderFields, defaultHeaderFields)
	orInt(&l.MaxConns, defaultConns)
	orInt(&l.MaxStreams, defaultStreams)
	orDuration(&l.ReadHeaderTimeout, defaultHeadTimeout)
	orDuration(&l.BodyTimeout, defaultBodyTimeout)
	orDuration(&l.WriteTimeout, defaultWriteTimeout)
	orDuration(&l.HandshakeTimeout, defaultHandshake)
	orDuration(&l.IdleTimeout, defaultIdle)
	return l, l.validate()
}

func orInt(v *int, otherwise int) {
	if *v == 0 {
		*v = otherwise
	}
}

func orDuration(v *time.Duration, otherwise time.Duration) {
	if *v == 0 {
		*v = otherwise
	}
}

func (l Limits) validate() error {
	switch {
	case l.MaxHeaderBytes < minHeaderBytes || l.MaxHeaderBytes > maxHeaderBytes:
		return fmt.Errorf("MaxHeaderBytes is %d, not between %d and %d", l.MaxHeaderBytes, minHeaderBytes, maxHeaderBytes)
	case l.MaxURLBytes < 1 || l.MaxURLBytes > l.MaxHeaderBytes:
		return fmt.Errorf("MaxURLBytes is %d, not between 1 and MaxHeaderBytes (%d)", l.MaxURLBytes, l.MaxHeaderBytes)
	case l.MaxHeaderFields < 1:
		return fmt.Errorf("MaxHeaderFields is %d", l.MaxHeaderFields)
	case l.MaxConns < 1:
		return fmt.Errorf("MaxConns is %d", l.MaxConns)
	case l.MaxConnsPerAddress < 0:
		return fmt.Errorf("MaxConnsPerAddress is %d", l.MaxConnsPerAddress)
	case l.MaxStreams < 1:
		return fmt.Errorf("MaxStreams is %d", l.MaxStreams)
	case min(l.ReadHeaderTimeout, l.BodyTimeout, l.WriteTimeout, l.HandshakeTimeout, l.IdleTimeout) < 0:
		return errors.New("a timeout is negative")
	}
	return nil
}
