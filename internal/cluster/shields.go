package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
)

// Shield is a live member that takes requests for a shield.
type Shield struct {
	Name string
	Addr netip.AddrPort // of such requests
}

// Shields returns the live members of a POP, other than this node, that take
// requests for a shield, in order of name.
func (c *Cluster) Shields(pop string) (list []Shield) {
	for _, p := range c.view.Load().peers {
		if p.meta.POP == pop && p.meta.ShieldPort != 0 {
			list = append(list, Shield{Name: p.name, Addr: netip.AddrPortFrom(p.member.Addr(), p.meta.ShieldPort)})
		}
	}
	return list
}

// Session names this start of this node among all that others have seen.
func (c *Cluster) Session() seal.Session { return c.session }

// SessionOf returns the session of a live member; false: there is none of that
// name.
func (c *Cluster) SessionOf(member string) (seal.Session, bool) {
	p := c.view.Load().byName(member)
	if p == nil {
		return seal.Session{}, false
	}
	return p.meta.Session, true
}

// POPOf returns the POP of a live member; "": there is none of that name.
func (c *Cluster) POPOf(member string) string {
	if p := c.view.Load().byName(member); p != nil {
		return p.meta.POP
	}
	return ""
}

// Derive returns keys for a purpose of the product's own: see
// seal.Keyring.Derive. RotateKeys changes them.
func (c *Cluster) Derive(purpose string, n int) [][]byte { return c.ring.Load().Derive(purpose, n) }

// ErrIncomplete is returned by CatchUp if a member knows entries that it cannot
// supply any more. Others are asked for them meanwhile.
var ErrIncomplete = errors.New("the member cannot supply all that it knows")

// CatchUp asks a member what it knows and applies all of it that this node lacks.
// When it returns nil, everything that the member knew when CatchUp was called is
// in force here. The error wraps ErrNotAlive, ErrBusy, ErrAnswer or ErrIncomplete,
// or is of the network, the journal or the context.
func (c *Cluster) CatchUp(ctx context.Context, member string) error {
	from := c.view.Load().byName(member)
	if from == nil {
		return fmt.Errorf("%w: %s", ErrNotAlive, member)
	}
	got, err := c.pull(ctx, from, true)
	if err != nil {
		return err
	}
	c.compared(got.asked, from.id)
	if len(got.gone) > 0 {
		c.missing(from.id, got)
	}
	c.swept(from.id, false)
	c.assess()
	if !got.complete {
		return fmt.Errorf("%w: %s", ErrIncomplete, member)
	}
	return nil
}
