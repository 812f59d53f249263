package live

import (
	"net/netip"

	"github.com/rescind-edge/rescind/internal/event"
)

// clientTest asks whether the client's address is in one of some networks.
type clientTest struct {
	networks []netip.Prefix
	not      bool
}

func (t clientTest) match(r *event.Request) bool {
	addr := r.Client.Unmap().WithZone("")
	for _, n := range t.networks {
		if n.Contains(addr) {
			return !t.not
		}
	}
	return t.not
}

func client(p *parser, c clause) (test, error) {
	if err := p.allow(c, equal, notEqual); err != nil {
		return nil, err
	}
	t := clientTest{not: c.op.negated()}
	for _, v := range c.values {
		n, ok := parseNetwork(v.text)
		if !ok {
			return nil, p.errorf(v.at, "client: want an address or a network such as 10.0.0.0/8, not %.40q", v.text)
		}
		t.networks = append(t.networks, n)
	}
	return t, nil
}

func parseNetwork(s string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	n, err := netip.ParsePrefix(s)
	return n, err == nil
}
