package config

import (
	"net/netip"
	"time"
)

// Service is one tenant: its domains, its origins, and how its responses are
// cached and purged.
type Service struct {
	ID      string   // 1 to 64 of A-Z a-z 0-9 . _ -, unique
	Domains []string // in lower case; exact, "*.suffix" for every host below suffix, or "*" for what no other service has

	Origins []Origin // at least one
	Shield  Shield   // through which other nodes reach the origins; default: every node goes to them itself
	Pool    Pool
	Cache   Cache
	Purge   Purge

	Headers    HeaderRules
	ErrorPages []ErrorPage // in the order in which they are tried; empty: the node's own

	BodyBytes Size // of a request's body; default: Limits.BodyBytes of the node; 0: no limit

	DebugFrom      []netip.Prefix // who may ask for debugging fields; default: loopback
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and Forwarded are believed; default: nobody's
	Forwarded      bool           // also send Forwarded (RFC 7239) to origins, beside X-Forwarded-For
	CacheStatus    bool           // say Cache-Status (RFC 9211) in responses; default true
}

// Origin is one server that has a service's content.
type Origin struct {
	URL         string // "http://host[:port]" or "https://host[:port]", nothing after it
	Host        string // Host field sent instead of the client's; empty: the client's
	SNI         string // server name in the TLS handshake; empty: the URL's host
	TLSInsecure bool   // accept any certificate
	HTTP2       bool   // HTTP/2 with prior knowledge on http; https negotiates it by itself
}

// Shield says which nodes stand between the origins and all other nodes: those of
// one POP. Each object is fetched by one of them, and the others get it there.
type Shield struct {
	POP string // whose nodes are shields of this service, and go to its origins themselves; required; needs a cluster
}

// Enabled tells whether the service has a shield.
func (s *Shield) Enabled() bool { return s.POP != "" }

// Pool says how a service's origins are used.
type Pool struct {
	ConnectTimeout   time.Duration // to connect, TLS handshake included; default 3s
	FirstByteTimeout time.Duration // from the request until the response's head; default 60s
	IdleTimeout      time.Duration // between two parts of a body; default 60s
	MaxConnections   int           // to one origin; default 256
	Retries          int           // further tries of a request that met no response, 0 to 10; default 1
	ResolveInterval  time.Duration // between look-ups of an origin's name; default 30s
	Health           Health
	Passive          Passive
}

// Health is the active check of each origin.
type Health struct {
	Path         string        // requested with GET; empty: no active check
	Interval     time.Duration // from one check to the next; default 5s
	Timeout      time.Duration // of one check, at most Interval; default 2s, or Interval where that is less
	Healthy      int           // successes in a row that make an origin healthy; default 2
	Unhealthy    int           // failures in a row that make it unhealthy; default 3
	ExpectStatus int           // the status of an answer that counts as a success; default 200
}

// Passive is the judgement of an origin by the requests of clients.
type Passive struct {
	Failures int           // in a row that eject an origin; default 5; 0: never
	EjectFor time.Duration // for the first time, longer when repeated; default 10s
}

// Purge says who may withdraw a service's content, and by which names.
type Purge struct {
	AllowFrom    []netip.Prefix // whose purges need no token; default: loopback
	RequireToken bool           // a token is needed from everywhere
	TagHeaders   []TagHeader    // empty: Surrogate-Key
	Dialect      Dialect        // in which a plain PURGE is answered; default fastly
	Refresh      bool           // a GET with Cache-Control: no-cache from an address that may purge is answered by the origin, and replaces what is stored
	UndoWindow   time.Duration  // for how long a purge can be reverted, at most 24h; default 60s
	Limits       PurgeLimits
}

// Dialect is a way to answer a PURGE without any field that shows what its
// client expects.
type Dialect string

// The dialects of PURGE.
const (
	DialectFastly  Dialect = "fastly"  // JSON; 401 to those who may not
	DialectVarnish Dialect = "varnish" // plain text; 405 to those who may not
)

// PurgeLimits bound what one caller can purge of a service in an hour, averaged:
// a token, the node's own host, or all addresses that need no token together.
type PurgeLimits struct {
	PerHour    int // URLs, keys, paths and hosts, each counted; as many at once as in an hour, and 256 at least; default 100000; 0: no limit
	AllPerHour int // purges of everything; default 1000; 0: no limit
}

// TagHeader is a response header field that carries surrogate keys.
type TagHeader struct {
	Name      string // of the field; compares without regard to case
	Separator string // each of its characters separates keys; empty: what the header's inventor says, else space
	FoldCase  *bool  // keys compare without regard to case; unset: as the header's inventor says, else false
	Keep      bool   // the field is not removed before delivery
}
