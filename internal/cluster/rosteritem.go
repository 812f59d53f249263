package cluster

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/proof"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// MaxAfter is the most that the time until isolation may be, of this member and
// as others claim it: an item of the roster with more is not counted.
const MaxAfter = 24 * time.Hour

// parseEntry reads an item of the roster; ok is false for one that this version
// does not understand, which is kept and not counted. The value is text, so that
// an operator can read it: version, POP, address, policy, milliseconds until
// isolation; more may follow.
func parseEntry(item state.Item) (e entry, ok bool) {
	name, rest, found := strings.Cut(item.ID, "#")
	identity, _, dashed := strings.Cut(rest, "-")
	if !found || !dashed || !nameForm.MatchString(name) {
		return entry{}, false
	}
	var version, policy int
	var pop, addr string
	var after int64
	if _, err := fmt.Sscan(string(item.Value), &version, &pop, &addr, &policy, &after); err != nil || version != 1 {
		return entry{}, false
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !nameForm.MatchString(pop) || policy < 0 || policy > 255 || after < 0 || after > MaxAfter.Milliseconds() {
		return entry{}, false
	}
	e = entry{item: item, name: name, pop: pop, addr: at, policy: wire.Policy(policy), identity: identity}
	e.member = proof.Member{
		ID: wire.IDOf(name), Name: name, POP: pop,
		Policy: e.policy, After: time.Duration(after) * time.Millisecond, Disk: identity != diskless(name),
	}
	return e, true
}

// diskless is what the item of a member has for an identity that has no data
// directory.
func diskless(name string) string { return identityText(identityOf(name)) }

func identityText(id [16]byte) string { return hex.EncodeToString(id[:8]) }

// hasDisk tells whether a member has a data directory, so that its acknowledgements
// survive its loss of power. It says so by its identity, in all versions.
func (p *peer) hasDisk() bool { return p.meta.Identity != identityOf(p.name) }

// wall is the time for records that others read, in milliseconds of Unix time.
func (c *Cluster) wall() int64 { return time.Now().UnixMilli() }
