package control

import (
	"fmt"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Reader shows one caller what it may see.
type Reader struct {
	c   *Control
	st  *state
	who caller
}

// Reader returns the view of a caller: everything for one on the node's own
// host, the services of its token for any other. The error wraps
// ErrUnauthenticated.
func (c *Control) Reader(creds Credentials) (Reader, error) {
	st := c.state.Load()
	who, err := c.authenticate(st, creds, c.parts.Now())
	if err == nil && who.token == nil && !who.reads("") {
		err = ErrUnauthenticated
	}
	if err != nil {
		return Reader{}, c.deny(who, attempt{action: event.DeniedRead}, err)
	}
	return Reader{c: c, st: st, who: who}, nil
}

// Watcher returns the view of a caller who wants to watch requests of visitors:
// a Reader whose token, if it has one, needs global or global:read besides. The
// error wraps ErrUnauthenticated or ErrForbidden.
func (c *Control) Watcher(creds Credentials) (Reader, error) {
	r, err := c.Reader(creds)
	if err == nil && r.who.token != nil && r.who.token.scopes&(Global|GlobalRead) == 0 {
		err = fmt.Errorf("%w: %q needs %v or %v", ErrForbidden, r.who.token.name, Global, GlobalRead)
		return Reader{}, c.deny(r.who, attempt{action: event.DeniedRead}, err)
	}
	return r, err
}

// May tells whether the caller may see a service; "": what belongs to none, for
// those who may see all.
func (r Reader) May(service string) bool { return r.who.reads(service) }

// Services returns the services that the caller may see, in their configured
// order.
func (r Reader) Services() []Service {
	var out []Service
	for _, svc := range r.st.order {
		if r.May(svc.ID) {
			out = append(out, svc.Service)
		}
	}
	return out
}

// Recent returns up to n receipts, newest first.
func (r Reader) Recent(n int) []Receipt { return r.c.ledger.recent(n, r.May) }

// Receipt returns the receipt that this node has of a purge; see Find. The error wraps ErrUnknownPurge; a
// receipt that the caller may not see is unknown to it.
func (r Reader) Receipt(id purge.ID) (Receipt, error) {
	receipt, ok := r.c.ledger.get(id)
	if !ok || !r.May(receipt.Service) {
		return Receipt{}, fmt.Errorf("%w %v", ErrUnknownPurge, id)
	}
	return receipt, nil
}
