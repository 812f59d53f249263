package edge

import (
	"errors"
	"io"
	"sync"
)

// body is the body of a request that may be sent to several, one after the other:
// as long as nobody has begun to read it. Whoever was asked before may still be
// about to, since a shield can answer before it has read anything.
type body struct {
	from io.Reader // nil: there is none
	mu   struct {
		sync.Mutex
		turn    int
		touched bool
	}
}

var errNotItsTurn = errors.New("the request's body was given to another shield")

// reader returns the body for whoever is asked now.
func (b *body) reader() io.Reader {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &bodyReader{b, b.mu.turn}
}

// release takes the body from whoever was asked last, and tells whether it is whole.
func (b *body) release() (whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.turn++
	return !b.mu.touched
}

type bodyReader struct {
	body *body
	turn int
}

// Read implements io.Reader.
func (r *bodyReader) Read(p []byte) (int, error) {
	if !r.claim() {
		return 0, errNotItsTurn
	}
	return r.body.from.Read(p)
}

func (r *bodyReader) claim() bool {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.turn != r.body.mu.turn {
		return false
	}
	r.body.mu.touched = true
	return true
}
