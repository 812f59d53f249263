package proxy

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/store"
)

// Config of a Proxy.
type Config struct {
	// Node and POP name this node in X-Served-By, Via and Cache-Status.
	Node, POP string
	Services  []*Service
	Store     store.Store
	Hasher    *field.Hasher
	// Purge answers requests with the method PURGE, or one of PurgeMethods,
	// whichever host they name; nil refuses PURGE.
	Purge        http.Handler
	PurgeMethods []string // none of RFC 9110
	// Refresh decides on a GET with Cache-Control: no-cache of a service that has
	// Refresh set. Where the client may, it makes what is stored for the target
	// stale and returns true: the request is then answered by the origin. nil:
	// nobody may.
	Refresh func(service string, target field.Target, r *http.Request) bool
	// Invalidate withdraws what an unsafe request changed (RFC 9111 section
	// 4.4). It returns once this node serves it no more.
	Invalidate func(service string, targets []field.Target)
	// InvalidateKeys does the same for what carries surrogate keys (RFC 9875
	// section 3). nil: nothing does.
	InvalidateKeys func(service string, keys []string)
	// Trust says what may be done with what is stored, at this moment; nil:
	// TrustStored always.
	Trust func() Trust
	// Catcher serves those who come through Edges; nil: nobody does.
	Catcher Catcher
	// EdgePOP returns the POP of a node that comes through Edges; "" where it is not
	// known. nil: it never is.
	EdgePOP func(node string) string
	// WriteTimeout bounds each write to a client; 0 means DefaultWriteTimeout.
	WriteTimeout time.Duration
	// Done is told of every finished request, on its goroutine; it must not
	// block. nil: nobody.
	Done func(*event.Request)
	Log  *slog.Logger
}

// DefaultWriteTimeout is how long a client may leave one write of at most 64
// KiB waiting: a client slower than 2 KiB a second is not one.
const DefaultWriteTimeout = 30 * time.Second

// Service is one tenant as the data plane sees it.
type Service struct {
	ID      string
	Domains []string // exact, "*.suffix" or "*"
	Fetcher *fetch.Fetcher
	Judge   *fetch.Judge
	Policy  *httpcache.Policy
	Query   field.QueryRule
	// KeySpace goes into cache keys. It differs where Query does, so that a
	// request under an older rule cannot store what one under a newer finds.
	KeySpace string

	// KeepEncodings leaves Accept-Encoding as clients send it, instead of one
	// of the few forms that keep the number of variants small.
	KeepEncodings bool
	// Compression compresses what the origin did not.
	Compression Compression
	// DebugFrom are the addresses for which Fastly-Debug shows tags and times.
	DebugFrom []netip.Prefix
	// TrustedProxies are the peers whose X-Forwarded-* and Forwarded count.
	TrustedProxies []netip.Prefix
	// Forwarded also sends the Forwarded field (RFC 7239) to the origin.
	Forwarded bool
	// Request and Response change fields: of a request before it is looked up
	// and sent on, of every answer as the last step.
	Request, Response Rewrite
	// MaxBody is the longest request body in bytes; 0: no limit.
	MaxBody int64
	// ErrorPage returns the page for an answer that the node gives itself: its
	// status, why, and the name of the request. nil, or false: plain text.
	ErrorPage func(status int, reason, requestID string) (Page, bool)
	// Refresh lets those who may purge refresh what is stored by a GET with
	// Cache-Control: no-cache, whatever Policy says of such requests.
	Refresh bool
	// Shields says that this node is a shield of the service: it goes to the origin
	// itself, and other nodes may get responses here.
	Shields bool
	// NoCacheStatus leaves out the Cache-Status field (RFC 9211).
	NoCacheStatus bool
}

// Trust says what a node may do with what it has stored while there may be purges
// that it does not know of.
type Trust uint8

const (
	TrustStored Trust = iota // serve it
	TrustOrigin              // serve it once the origin has confirmed it
	TrustNobody              // answer 503
)

func (c *Config) popOf(node string) string {
	if c.EdgePOP == nil {
		return ""
	}
	return c.EdgePOP(node)
}

func (c *Config) trust() Trust {
	if c.Trust == nil {
		return TrustStored
	}
	return c.Trust()
}
