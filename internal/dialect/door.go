package dialect

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
)

// Door is what a dialect's handler needs: where purges go, and who is asking.
type Door struct {
	Control *control.Control
	// Client returns who sent a request: address and whether it can be believed.
	// The handler adds token and listener. It must be safe for concurrent use.
	Client func(*http.Request) control.Credentials
	// WaitAtMost is the longest that a request may wait for other members; 0:
	// DefaultWaitAtMost.
	WaitAtMost time.Duration
	// DurableOn is on how many disks something must be before an answer says that
	// it is complete, whatever the request asks: 2 is this node's and that of any
	// other member, less is this node's alone.
	DurableOn int
}

// Credentials returns the credentials of a request that came in on a listener.
func (d Door) Credentials(r *http.Request, on control.Listener) control.Credentials {
	creds := d.Client(r)
	creds.Token, creds.Listener = Token(r.Header), on
	return creds
}

// Token returns the secret that a request presents as "Fastly-Key" or, failing
// that, as "Authorization: Bearer" (RFC 6750 section 2.1), or "". Other
// schemes of Authorization are not ours to judge and count as none.
func Token(h http.Header) string {
	if key := strings.TrimSpace(h.Get("Fastly-Key")); key != "" {
		return key
	}
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// MaxBody bounds the body of a purge request, in bytes: 256 surrogate keys of
// the greatest length take a quarter of it.
const MaxBody = 1 << 20

// Why a body could not be read.
var (
	// ErrBodyTooLarge is returned by ReadBody for more than MaxBody bytes.
	ErrBodyTooLarge = fmt.Errorf("the body is larger than %d bytes", MaxBody)
	// ErrBodyTimeout is returned by ReadBody for a body that did not come within
	// the time that the server allows.
	ErrBodyTimeout = errors.New("the body did not come in time")
)

// ReadBody reads a request's body. The time it may take is bounded by the
// server.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, ErrBodyTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ErrBodyTimeout
	case err != nil:
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return body, nil
}
