package origin

import (
	"errors"
	"io"
)

// Kind names the way in which an exchange failed.
type Kind uint8

const (
	KindBadRequest       Kind = iota + 1 // the request cannot be sent as it is; nothing was
	KindRequestBody                      // the request's own body failed, ended early or was too long
	KindCanceled                         // the caller's context ended
	KindPoolClosed                       // the pool is closed, or was during the exchange
	KindNoOrigin                         // no origin has a known address: names do not resolve
	KindBusy                             // all connections stayed in use for ConnectTimeout
	KindConnect                          // refused, unreachable or reset while connecting
	KindConnectTimeout                   // no connection within ConnectTimeout
	KindTLS                              // the handshake failed or the certificate was not accepted
	KindFirstByteTimeout                 // no response head within FirstByteTimeout
	KindIdleTimeout                      // a body stood still for IdleTimeout
	KindGarbage                          // what came is not an HTTP response that can be passed on
	KindTooLarge                         // the response's head exceeds MaxHeaderBytes
	KindClosed                           // closed or reset before a complete response head
	KindTruncated                        // closed or reset before the end of the response's body
)

var kinds = [...]struct{ name, advice string }{
	KindBadRequest:       {"bad_request", ""},
	KindRequestBody:      {"request_body", ""},
	KindCanceled:         {"canceled", ""},
	KindPoolClosed:       {"pool_closed", ""},
	KindNoOrigin:         {"no_origin", "check the origin's name and this node's resolver"},
	KindBusy:             {"busy", "the origin is slow or max_connections is too small"},
	KindConnect:          {"connect", "check that the origin runs and listens on this address"},
	KindConnectTimeout:   {"connect_timeout", "check routes and firewalls between this node and the origin"},
	KindTLS:              {"tls", "check the origin's certificate and the sni setting"},
	KindFirstByteTimeout: {"first_byte_timeout", "the origin is slow; raise first_byte_timeout if that is expected"},
	KindIdleTimeout:      {"idle_timeout", "the origin stopped in the middle of a body"},
	KindGarbage:          {"garbage", "check that the origin speaks HTTP on this port"},
	KindTooLarge:         {"head_too_large", "the origin sends more header fields than are accepted"},
	KindClosed:           {"closed", "look for a crash or a limit in the origin's own log"},
	KindTruncated:        {"truncated", "the origin ended the connection inside a body"},
}

// String returns the kind as it stands in logs and metrics: lower case with
// underscores.
func (k Kind) String() string {
	if int(k) >= len(kinds) || kinds[k].name == "" {
		return "unknown"
	}
	return kinds[k].name
}

// Error is every error of Pool.Do and of reading a response's body.
type Error struct {
	Kind    Kind
	Origin  string // URL of the origin; empty where none was chosen
	Address string // the backend's "ip:port"; empty where none was chosen
	Err     error  // what was observed; never nil
}

// Error says where, what, and what to look at next.
func (e *Error) Error() string {
	s := e.Kind.String() + ": " + e.Err.Error()
	if e.Origin != "" {
		s = "origin " + e.Origin + " (" + e.Address + "): " + s
	}
	if int(e.Kind) < len(kinds) && kinds[e.Kind].advice != "" {
		s += "; " + kinds[e.Kind].advice
	}
	return s
}

// Unwrap returns what was observed.
func (e *Error) Unwrap() error { return e.Err }

// Is makes a truncated body match io.ErrUnexpectedEOF however it ended.
func (e *Error) Is(target error) bool {
	return e.Kind == KindTruncated && target == io.ErrUnexpectedEOF
}

// Timeout tells whether the origin took too long, which RFC 9110
// section 15.6.5 answers with 504 instead of 502.
func (e *Error) Timeout() bool {
	switch e.Kind {
	case KindConnectTimeout, KindFirstByteTimeout, KindIdleTimeout:
		return true
	}
	return false
}

// blamesOrigin tells whether an exchange that ended so counts against the
// backend's health. A head that is too large does not: one URL that has it
// must not let anybody who requests it eject the backend for all.
func (k Kind) blamesOrigin() bool {
	switch k {
	case KindConnect, KindConnectTimeout, KindTLS, KindFirstByteTimeout, KindIdleTimeout,
		KindGarbage, KindClosed, KindTruncated:
		return true
	}
	return false
}

var (
	errPoolClosed   = errors.New("the pool is closed")
	errExchangeOver = errors.New("the exchange is over")
)
