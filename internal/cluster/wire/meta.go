package wire

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Limits of what a member says of itself, in bytes.
const (
	MaxName    = 64
	MaxPOP     = 64
	MaxVersion = 32
	MaxRoles   = 8
	MaxRole    = 16
)

// Policy is what a member does while it is isolated.
type Policy uint8

const (
	PolicyServe      Policy = iota + 1 // serves what it has stored
	PolicyRevalidate                   // asks the origin before it serves what it has stored
	PolicyRefuse                       // serves nothing that it has stored
)

// String returns the policy as a configuration writes it; "" of one that is not
// known here.
func (p Policy) String() string {
	switch p {
	case PolicyServe:
		return "serve"
	case PolicyRevalidate:
		return "revalidate"
	case PolicyRefuse:
		return "refuse"
	}
	return ""
}

// Meta is what a member says of itself through the membership. It fits into
// memberlist's 512 bytes, whatever the lengths of its parts.
type Meta struct {
	Session    [16]byte // of the packets that it sends
	Identity   [16]byte // of its data directory
	Started    int64    // by its clock, milliseconds of Unix time
	SpreadPort uint16   // of its packets and streams, at the address of its membership
	POP        string
	Version    string
	Roles      []string
	Policy     Policy
	After      time.Duration // isolation.after
	ShieldPort uint16        // of requests for a shield, at the address of its membership; 0: it takes none
	// HoldsBack says that it serves nothing that it has stored before a majority has
	// it in the roster and told it all that it knew then. Earlier versions do not.
	HoldsBack bool
}

// Bits of the last byte of a description.
const holdsBack = 1

// Append appends the encoding of m, whose parts are within their limits.
func (m *Meta) Append(to []byte) []byte {
	to = append(to, 1)
	to = append(to, m.Session[:]...)
	to = append(to, m.Identity[:]...)
	to = binary.AppendVarint(to, m.Started)
	to = append(to, byte(m.SpreadPort>>8), byte(m.SpreadPort), byte(m.Policy))
	to = appendMillis(to, m.After)
	to = appendText(to, m.POP)
	to = appendText(to, m.Version)
	to = append(to, byte(len(m.Roles)))
	for _, role := range m.Roles {
		to = appendText(to, role)
	}
	flags := byte(0)
	if m.HoldsBack {
		flags |= holdsBack
	}
	return append(to, byte(m.ShieldPort>>8), byte(m.ShieldPort), flags)
}

// ParseMeta reads what Append wrote; what a later version put behind it is
// ignored. The error wraps ErrMalformed.
func ParseMeta(data []byte) (Meta, error) {
	r := reader{data: data}
	if v := r.byte(); v != 1 {
		r.fail(fmt.Sprintf("a member's description of version %d", v))
	}
	m := Meta{Session: r.array16(), Identity: r.array16()}
	m.Started = r.varint()
	if port := r.bytes(2); port != nil {
		m.SpreadPort = uint16(port[0])<<8 | uint16(port[1])
	}
	m.Policy = Policy(r.byte())
	m.After = r.millis()
	m.POP, m.Version = string(r.text(MaxPOP)), string(r.text(MaxVersion))
	n := int(r.byte())
	if n > MaxRoles {
		r.fail("more roles than the limit")
		n = 0
	}
	for range n {
		m.Roles = append(m.Roles, string(r.text(MaxRole)))
	}
	if r.err == nil && len(r.data) >= 2 { // an earlier version ends before it
		m.ShieldPort = uint16(r.data[0])<<8 | uint16(r.data[1])
		m.HoldsBack = len(r.data) >= 3 && r.data[2]&holdsBack != 0
	}
	return m, r.err
}
