package fetch

import (
	"context"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
)

// Parent is another cache between this node and the origin. What it returns was
// fetched from the origin after every purge that was in force here when Do was
// called, or is what such a purge permits. Where no parent can be asked, Do asks the
// origin. It may be called from many goroutines; in all else it is an Origin.
type Parent interface {
	Do(ctx context.Context, r *origin.Request) (*origin.Response, Said, error)
}

// Said is what a parent said of a response, beside HTTP.
type Said struct {
	Parent string // who answered or was asked in vain; empty: the origin was asked directly
	// Bounds end the response's times, where Bounded is set: purges that the parent
	// knows of count there, and show in no field.
	Bounds  field.Times
	Bounded bool
}

// bound returns times that are no later than the parent's.
func (s *Said) bound(t field.Times) field.Times {
	if !s.Bounded {
		return t
	}
	return t.Min(s.Bounds)
}

// ParentError is returned where a parent gave no response but its own words.
type ParentError struct {
	Parent string
	Status int    // with which it answered
	Reason string // in one token
}

func (e *ParentError) Error() string {
	return "the shield " + e.Parent + " could not answer: " + e.Reason
}

// exchange sends a request to the parent, if there is one, or else to the origin.
func (f *Fetcher) exchange(ctx context.Context, r *origin.Request) (resp *origin.Response, said Said, err error) {
	if f.cfg.Parent == nil {
		f.counters.Fetches.Add(1)
		resp, err = f.cfg.Origin.Do(ctx, r)
		return resp, Said{}, err
	}
	resp, said, err = f.cfg.Parent.Do(ctx, r)
	if said.Parent == "" {
		f.counters.Fetches.Add(1)
	}
	return resp, said, err
}
