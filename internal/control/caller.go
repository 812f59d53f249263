package control

import (
	"fmt"
	"net/netip"
)

// Listener is the kind of listener that a request came in on.
type Listener uint8

// The kinds of listener. The zero Listener is the stricter of the two.
const (
	AdminListener Listener = iota // the API: without a token, local callers only
	DataListener                  // the sites: without a token, whoever allow_from names
)

// Credentials are what is known of a caller before anything is checked.
type Credentials struct {
	Token string     // the secret presented; empty: none
	Grant string     // Grant.Ref of a token exchanged earlier, which the dialect has verified; empty: none; else Token does not count
	Addr  netip.Addr // the client's address, already resolved through trusted proxies

	// Forwarded says that the request speaks for somebody who cannot be known:
	// it carries Forwarded or X-Forwarded-For from a peer that is not trusted,
	// or a web page made a browser send it. Its address then grants nothing.
	Forwarded bool
	// TokenOnly says that the request itself asks not to be let in by address.
	TokenOnly bool
	// Local says that it came over a Unix socket, which has no address; it then
	// counts as loopback.
	Local bool

	Listener Listener
}

// String leaves the token out, so that a secret is not printed by accident.
func (c Credentials) String() string { return "caller at " + c.Addr.String() }

// GoString does what String does, for %#v.
func (c Credentials) GoString() string { return c.String() }

// Names of callers that present no token. No token may have one of them.
const (
	ActorLocal        = "local"         // the node's own host
	ActorAddress      = "allow_from"    // an address that the service's settings let in
	ActorUnsafeMethod = "unsafe-method" // the node, after a request that changes its target
)

var actors = []string{ActorLocal, ActorAddress, ActorUnsafeMethod}

// local tells whether a caller is on the node's own host, as far as its
// address can be believed.
func (c Credentials) local() bool {
	return !c.Forwarded && !c.TokenOnly && (c.Local || c.Addr.Unmap().IsLoopback())
}

// strange says why the caller is not let in without a token: an operator who
// purges from an address that may is to see what takes its rights away.
func (c Credentials) strange() error {
	if c.Forwarded {
		return fmt.Errorf("%w: its address counts for nothing, since it may be sent for another (Forwarded, X-Forwarded-For, HTTP/1.0)", ErrUnauthenticated)
	}
	return ErrUnauthenticated
}

// caller is who a request turned out to be.
type caller struct {
	creds Credentials
	token *Token // nil: admitted, if at all, by address
}

// actor returns the caller's name for receipts and logs.
func (c caller) actor() string {
	switch {
	case c.token != nil:
		return c.token.name
	case c.creds.local():
		return ActorLocal
	}
	return ActorAddress
}

// authorise checks that the caller may do all of need on the service with an
// id; svc is nil where there is none. Strangers are not told which ids exist.
func (c caller) authorise(id string, svc *service, need Scope) error {
	if c.token != nil {
		if !c.token.may(id, need) {
			return fmt.Errorf("%w: %q needs %v for service %q", ErrForbidden, c.token.name, need, id)
		}
	} else if svc == nil && !c.creds.local() || svc != nil && !svc.admits(c.creds) {
		return c.creds.strange()
	}
	if svc == nil {
		return fmt.Errorf("%w %q", ErrUnknownService, id)
	}
	return nil
}

// admits tells whether a service lets a caller in without a token.
func (s *Service) admits(c Credentials) bool {
	if s.RequireToken || c.Forwarded || c.TokenOnly || c.Listener == AdminListener && !c.local() {
		return false
	}
	if c.Local {
		return s.allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})) || s.allows(netip.IPv6Loopback())
	}
	return s.allows(c.Addr.Unmap().WithZone(""))
}

func (s *Service) allows(addr netip.Addr) bool {
	for _, prefix := range s.AllowFrom {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// reads tells whether the caller may see a service's receipts and state: with
// any token for it, or from the node's own host through the admin listener.
func (c caller) reads(service string) bool {
	if c.token != nil {
		return c.token.covers(service)
	}
	return c.creds.Listener == AdminListener && c.creds.local()
}
