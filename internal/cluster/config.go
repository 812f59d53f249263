package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Journal is what the cluster carries between nodes. Its methods may be called
// by several goroutines and must not call the cluster.
type Journal interface {
	// Own returns the incarnation that issues now, and how many entries it has.
	Own() (inc journal.Incarnation, issued uint64)
	// Known returns a copy of the vector of all that is in force.
	Known() journal.Vector
	// DurableRow returns what would survive a crash of one incarnation.
	DurableRow(journal.Incarnation) journal.Row
	// Compare says what this node and a peer owe each other, as far as it
	// belongs to some parts.
	Compare(theirs journal.Vector, parts journal.BucketSet) journal.Difference
	// Supply returns kept entries.
	Supply(journal.Request) journal.Supply
	// Receive takes entries of others. When it returns, those taken are in
	// force. reissued are entries that this node had to issue anew.
	Receive([]journal.Entry) (reissued []journal.Entry, err error)
	// Meet is shown every part of a vector that a peer sends, so that a cloned
	// node retires its incarnation.
	Meet(peer journal.Vector) (reissued []journal.Entry, err error)
	// Concede gives up entries that no member can supply: whatever was stored
	// before is to be dropped. peers have the rows that know them.
	Concede(gap []journal.Range, peers ...journal.Vector) error
	// Adopt takes over a peer's heads as known, for a node that has nothing
	// stored.
	Adopt(peer journal.Vector) error
	// Sync returns when all that is in force is durable.
	Sync(context.Context) error
	// State returns a copy of the replicated state, and whether it is all that
	// the cluster has, as far as this node could know.
	State() (m *state.Map, complete bool)
	// MergeState joins a peer's whole state to this node's and returns what
	// changed. complete is what the peer said of its own.
	MergeState(peer *state.Map, complete bool) ([]state.Item, error)
	// PutItems joins items to the replicated state.
	PutItems(...state.Item) error
	// Found says that this node's state is complete: it is the first node.
	Found() error
}

// Policy is what a node does while it is isolated.
type Policy = wire.Policy

// Policies; 0 counts as PolicyServe.
const (
	PolicyServe      = wire.PolicyServe
	PolicyRevalidate = wire.PolicyRevalidate
	PolicyRefuse     = wire.PolicyRefuse
)

// Config sets up a Cluster. Name, POP, Bind, Secrets and Journal are needed.
type Config struct {
	Name string // 1 to 64 of A-Z a-z 0-9 . _ -; one node of a name at a time
	POP  string // likewise
	// Identity names the data directory; zero: the node has none, and its name
	// stands for it.
	Identity [16]byte
	Version  string   // of the program, shown to others; at most 32 bytes
	Roles    []string // shown to others; at most 8 of 16 bytes

	// Bind is where membership listens, UDP and TCP.
	Bind netip.AddrPort
	// SpreadPort is where packets and streams of entries arrive, UDP and TCP, at
	// the same address; 0: Bind's port plus one.
	SpreadPort uint16
	// ShieldPort is where this node takes requests for a shield, TCP, at the address
	// that others reach Bind at; the product listens there. 0: it takes none.
	ShieldPort uint16
	// Advertise is where others reach Bind; zero: Bind's address or, if that is
	// unspecified, an address of this machine, a private one first. SpreadPort
	// must be reachable at the same address.
	Advertise netip.AddrPort
	// Join are addresses of members, as host:port of their Bind; hosts may be
	// names, all of whose addresses are tried. They need not be complete; none
	// for the first node. This node's own may be among them.
	Join []string
	// Secrets are what members share, the primary first; see seal.NewKeyring.
	Secrets [][]byte

	Isolation Isolation

	Journal Journal
	// Issuers are incarnations of this node's earlier starts, newest first: who
	// has applied their entries is asked for. At most 15.
	Issuers []journal.Incarnation
	// Empty says that this node has nothing stored: what peers know by the time
	// of its start cannot matter to it.
	Empty bool
	// HoldsBack says that this node serves nothing that it has stored before it is
	// Ready. Others rely on it, should it vanish before they have it in the roster.
	HoldsBack bool
	// MayCover says which entries may stand for earlier ones that they repeat:
	// see journal.Request; nil: none.
	MayCover func(*journal.Entry) bool
	// Handle answers queries of other members; nil: all are refused. It may be
	// called by several goroutines, and must return soon after its context ends.
	Handle func(ctx context.Context, q Question) ([]byte, error)

	// Rate is the most bytes a second of entries that are sent; 0: 32 MiB.
	Rate int
	// RelayFrom is from how many members on two of each POP pass packets on;
	// 0: 64.
	RelayFrom int

	Network network.Network // nil: the system's
	// Clock counts from any moment, and goes on while the machine is suspended;
	// nil: the system's.
	Clock  func() time.Duration
	Random io.Reader // nil: crypto/rand
	Log    *slog.Logger
}

// Isolation says when a node is isolated, and tells others what it then does.
type Isolation struct {
	Policy Policy
	// After is how old the youngest heartbeats may be without which there is no
	// majority; 0: 30 seconds, at least 1 second, at most MaxAfter.
	After time.Duration
}

// ErrConfig is wrapped by New's errors about its Config.
var ErrConfig = errors.New("bad cluster settings")

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// complete fills in defaults and returns an error that wraps ErrConfig if
// something is missing or wrong.
func (c *Config) complete() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	switch {
	case !nameForm.MatchString(c.Name):
		return bad("name %q: 1 to %d letters, digits, dots, hyphens and underscores are needed", c.Name, wire.MaxName)
	case !nameForm.MatchString(c.POP):
		return bad("pop %q: 1 to %d letters, digits, dots, hyphens and underscores are needed", c.POP, wire.MaxPOP)
	case len(c.Version) > wire.MaxVersion:
		return bad("a version of more than %d bytes", wire.MaxVersion)
	case len(c.Roles) > wire.MaxRoles:
		return bad("more than %d roles", wire.MaxRoles)
	case !c.Bind.IsValid() || c.Bind.Port() == 0:
		return bad("no address to bind to")
	case c.Journal == nil:
		return bad("no journal")
	case len(c.Issuers) >= wire.MaxIssuers:
		return bad("more than %d earlier incarnations", wire.MaxIssuers-1)
	case c.Isolation.After != 0 && c.Isolation.After < time.Second || c.Isolation.After > MaxAfter:
		return bad("isolation after %v: not between a second and %v", c.Isolation.After, MaxAfter)
	}
	for _, r := range c.Roles {
		if len(r) > wire.MaxRole {
			return bad("role %q: more than %d bytes", r, wire.MaxRole)
		}
	}
	c.defaults()
	return c.addresses()
}

func (c *Config) defaults() {
	if c.Isolation.Policy == 0 {
		c.Isolation.Policy = PolicyServe
	}
	if c.Isolation.After == 0 {
		c.Isolation.After = 30 * time.Second
	}
	if c.Network == nil {
		c.Network = network.System{}
	}
	if c.Clock == nil {
		c.Clock = bootClock
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.SpreadPort == 0 {
		c.SpreadPort = c.Bind.Port() + 1
	}
}

func (c *Config) addresses() error {
	if c.SpreadPort == 0 || c.SpreadPort == c.Bind.Port() {
		return fmt.Errorf("%w: spread port %d", ErrConfig, c.SpreadPort)
	}
	if c.Advertise.IsValid() && !c.Advertise.Addr().IsUnspecified() {
		return nil
	}
	addr := c.Bind.Addr()
	if addr.IsUnspecified() {
		found, err := machineAddr()
		if err != nil {
			return fmt.Errorf("%w: no address to advertise: %w", ErrConfig, err)
		}
		addr = found
	}
	c.Advertise = netip.AddrPortFrom(addr, c.Bind.Port())
	return nil
}

// machineAddr returns an address of this machine: a private one, else any that
// is not a loopback.
func machineAddr() (netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, err
	}
	var other netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		addr := prefix.Addr().Unmap()
		switch {
		case addr.IsLoopback() || addr.IsLinkLocalUnicast():
		case addr.IsPrivate():
			return addr, nil
		case !other.IsValid():
			other = addr
		}
	}
	if !other.IsValid() {
		return netip.Addr{}, errors.New("this machine has none but loopback addresses")
	}
	return other, nil
}

// keyring derives the keys; the error wraps seal.ErrSecret.
func (c *Config) keyring() (*seal.Keyring, error) { return seal.NewKeyring(c.Secrets) }
