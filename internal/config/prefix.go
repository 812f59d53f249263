package config

import (
	"errors"
	"fmt"
	"net/netip"
)

// loopback are the addresses of the node's own host.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// parsePrefix reads a network as CIDR, or one address.
func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("is not a network; write it like 10.0.0.0/8, ::1/128 or 192.0.2.7")
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is an IPv4 network inside IPv6; write it as IPv4")
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits beyond its length; did you mean %s?", prefix.Masked())
	}
	return prefix, nil
}

// prefixes reads a list of networks; an empty list is nobody.
func (s *section) prefixes(name string, into *[]netip.Prefix) {
	if !s.has(name) {
		s.get(name)
		return
	}
	var networks []netip.Prefix
	s.oneOrEach(name, func(item *node) {
		var prefix netip.Prefix
		if parseNode(s.r, item, &prefix, parsePrefix) {
			networks = append(networks, prefix)
		}
	})
	*into = networks
}
