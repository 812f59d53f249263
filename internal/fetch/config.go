package fetch

import (
	"context"
	"log/slog"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/store"
)

// Origin is where responses come from. Do returns once the response's head is
// there; after it returned an error, nothing it was given is used any more.
type Origin interface {
	Do(ctx context.Context, r *origin.Request) (*origin.Response, error)
}

// Config of a Fetcher: one service.
type Config struct {
	Service string
	Store   store.Store
	Judge   *Judge
	Hasher  *field.Hasher
	Origin  Origin
	// Parent is asked instead of Origin; nil: there is none.
	Parent Parent
	Policy *httpcache.Policy
	Log    *slog.Logger
	// Counters go on counting where another Fetcher of the service stopped;
	// nil: from zero.
	Counters *Counters

	// MaxObject is the longest body that is stored, in bytes; 0 means
	// DefaultMaxObject. A longer one is streamed to those who wait for it.
	MaxObject int64
	// Window is how many bytes of a streamed body are kept behind its fastest
	// reader; 0 means DefaultWindow.
	Window int64
	// Finish is how many bytes may be missing from a body for its fetch to go
	// on when nobody reads it any more; 0 means DefaultFinish.
	Finish int64
}

// Defaults of a Config.
const (
	DefaultMaxObject = 64 << 20
	DefaultWindow    = 1 << 20 // what a client at 100 Mbit/s takes in a tenth of a second
	DefaultFinish    = 1 << 20
)
