package spread

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// relays is how many members of a POP pass packets on: with two, the loss of a
// packet or of a relay costs nothing.
const relays = 2

// Relays chooses who passes an issuer's packets on in a POP: the same for all
// who ask with the same members, others for other issuers, and mostly the same
// after a member has come or gone. It returns nil where passing on would save
// nothing.
func Relays(issuer wire.ID, members []wire.ID) []wire.ID {
	if len(members) <= relays+1 {
		return nil
	}
	ranked := slices.Clone(members)
	slices.SortFunc(ranked, func(a, b wire.ID) int {
		return cmp.Or(cmp.Compare(weight(issuer, b), weight(issuer, a)), cmp.Compare(a, b))
	})
	return ranked[:relays]
}

func weight(issuer, member wire.ID) uint64 {
	h := fnv.New64a()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(issuer))
	binary.BigEndian.PutUint64(b[8:], uint64(member))
	h.Write(b[:])
	// FNV leaves the last bytes' differences in the low bits: mix them upwards.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// route returns to whom what is published goes: to everybody in the own POP and
// in small ones, elsewhere to relays, unless one of them does not answer.
func (c *Core) route() []Target {
	pops := map[string][]wire.ID{}
	for _, id := range slices.Sorted(maps.Keys(c.peers)) {
		pops[c.peers[id].POP] = append(pops[c.peers[id].POP], id)
	}
	var out []Target
	for _, pop := range slices.Sorted(maps.Keys(pops)) {
		hops := c.relaysOf(pop, pops[pop])
		if hops == nil {
			for _, id := range pops[pop] {
				out = append(out, Target{ID: id})
			}
		}
		for _, id := range hops {
			out = append(out, Target{ID: id, Hop: true})
		}
	}
	return out
}

func (c *Core) relaysOf(pop string, members []wire.ID) []wire.ID {
	if pop == c.cfg.POP || len(c.peers)+1 < c.cfg.RelayFrom {
		return nil
	}
	chosen := Relays(c.cfg.Self, members)
	for _, id := range chosen {
		if c.peers[id].failing() {
			return nil
		}
	}
	return chosen
}

// PassOn returns to whom a packet of some bytes is passed on that asks for it:
// everybody else in the own POP, or nobody while this node passes on more than
// its rate. The issuer then sends again.
func (c *Core) PassOn(now time.Duration, from wire.ID, size int) []Target {
	if c.passed.ready(now) > now {
		c.count.NotPassed++
		return nil
	}
	var out []Target
	for id, p := range c.peers {
		if p.POP == c.cfg.POP && id != from {
			out = append(out, Target{ID: id})
		}
	}
	c.passed.take(now, size*len(out))
	return out
}
