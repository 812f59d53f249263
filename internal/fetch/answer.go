package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/store"
)

// Content yields the bytes of an answer in order. Next returns io.EOF at their
// end and any other error where they end short; what it returns stays valid
// until the next call.
type Content interface {
	Next(ctx context.Context) ([]byte, error)
	Close()
}

// Answer is a response that is there at least as far as its head. Its receiver
// closes it.
type Answer struct {
	// Head lives on its own, except in an answer that was made of a stored
	// object by whoever holds that.
	Head    *store.Head
	Content Content
	// Reader is Content where that can start at any offset, else nil.
	Reader *store.Reader

	Reason    httpcache.Reason // why it is stored, or is not
	Stored    bool             // it is or will be in the store
	Collapsed bool             // it shares another request's fetch
	FwdStatus int              // the origin's status code; 0 where none was asked
	Origin    string           // its address

	// Bounds are, of an answer that another fetch stored a moment ago, its times with
	// purges considered; zero: those of Head count, and no purge has been considered.
	Bounds field.Times

	// Trailer returns the trailer fields, once Content is at its end and before
	// it is closed.
	Trailer func() field.Fields
	// Upgraded is the connection after a 101 answer, else nil; Protocol is what
	// is spoken there.
	Upgraded io.ReadWriteCloser
	Protocol string
}

// Close gives back what the answer holds.
func (a *Answer) Close() {
	if a.Content != nil {
		a.Content.Close()
	}
}

// Complete tells whether all of the content is there: nothing is gained by
// handing it on in small pieces.
func (a *Answer) Complete() bool { return a.Reader != nil && a.Reader.Complete() }

// StatusError is returned to requests that shared a fetch which the origin
// answered with a server error that is not for them to read.
type StatusError struct{ Status int }

func (e *StatusError) Error() string { return fmt.Sprintf("the origin answered %d", e.Status) }

var (
	// errRefused is the outcome of waiting for a fetch that turned out not to
	// answer the request.
	errRefused = errors.New("fetch: not for this request")
	errTooLong = errors.New("fetch: the body is longer than its head says")
	// ErrAbandoned ends a fetch that nobody reads any more.
	ErrAbandoned = errors.New("fetch: nobody waits for it any more")
	// ErrNotModified is returned where the origin answers 304 although it was
	// sent no condition that it could mean.
	ErrNotModified = errors.New("the origin answered 304 to a request without conditions")
)
