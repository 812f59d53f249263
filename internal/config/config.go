package config

import "time"

// Config is a whole, valid configuration. Every default has been filled in.
type Config struct {
	Node         Node
	Listen       Listen
	Cluster      Cluster
	Storage      Storage
	Limits       Limits
	DrainDelay   time.Duration // at a stop, for how long the node serves on while /readyz says 503, so that load balancers send nothing more before listeners close: two of their checks and a little; default 0s
	DrainTimeout time.Duration // most time for requests in flight at a stop; default 30s
	Log          Log
	AccessLog    []AccessLog // each writes a line for every request that it takes; empty: none is kept
	PurgeLog     []PurgeLog  // each writes a line for every purge, revert, denial and change of a token, which the node's own log has too; empty: none is kept
	Metrics      Metrics
	StackPath    StackPath
	Services     []Service // at least one; none on a witness
	Tokens       []Token
}

// Node says which node this is.
type Node struct {
	Name    string // stands in responses, logs and receipts; default: the host's name
	POP     string // the point of presence that it belongs to; default: that of Name
	DataDir string // path of a directory for what outlives a restart: the journal of purges and the tokens made while running; empty: they are in memory only
}

// Listen says where the node is reached. HTTP or HTTPS has at least one entry; a witness has neither.
type Listen struct {
	HTTP   []Listener // in clear; HTTP/1 and HTTP/2
	HTTPS  []Listener // with certificate and key; HTTP/1.1 and HTTP/2
	Shield string     // address and port where nodes of other POPs get what this node's POP is the shield for; they are told the port, and take the address of cluster.bind or advertise; default: two ports above cluster.bind; empty: this node is alone
	Admin  Listener   // with certificate and key, or where only this host connects; default 127.0.0.1:8081
}

// Storage bounds what the node stores.
type Storage struct {
	Memory      Size // for objects, their index and tags; at least 1MiB; default 256MiB
	MaxVariants int  // variants of one URL, by Vary; the oldest leaves; default 64
}

// StackPath bounds what comes through StackPath's API.
type StackPath struct {
	PerMinute int // items of one client, each a URI; a call that would exceed it purges nothing; default 100; 0: no limit
}

// MinMemory is the least Storage.Memory, 1MiB: below it the objects in use at
// one moment would leave no room for storing any.
const MinMemory = 1 << 20

// Limits bound what one client can take.
type Limits struct {
	HeaderBytes   Size          // of a request's head; default 64KiB
	URLBytes      Size          // of a request's target; default 8KiB
	HeaderFields  int           // lines of a request's head; default 128
	HeaderTimeout time.Duration // to send a request's head; default 10s
	IdleTimeout   time.Duration // between two requests of a connection; default 75s
	WriteTimeout  time.Duration // for each write to a client to make progress, not for the whole answer; default 30s
	BodyTimeout   time.Duration // for which a client may be silent inside a request's body; default 60s
	Connections   int           // at once, over all listeners; default 16384

	ConnectionsPerAddress int // at once from one IPv4 address or one IPv6 /64; default 0: no limit of its own

	BodyBytes Size // of a request's body; default 0: no limit
}
