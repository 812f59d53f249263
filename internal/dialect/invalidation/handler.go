package invalidation

import (
	"context"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// Path is where the API is. The draft leaves that to the cache.
const Path = "/invalidation"

// name is this dialect's in receipts and logs.
const name = "invalidation"

// New returns the handler of Path on the admin listener. reach tells how far
// purges have come; nil: dialect.ThisNode.
func New(door dialect.Door, reach dialect.Reach) http.Handler {
	if reach == nil {
		reach = dialect.ThisNode{}
	}
	return api{door, reach}
}

type api struct {
	dialect.Door
	reach dialect.Reach
}

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != Path:
		writeProblem(w, http.StatusNotFound, "this server knows no such path")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeProblem(w, http.StatusMethodNotAllowed, "use POST")
		return
	}
	receipts, confirmed, err := a.invalidate(w, r)
	if err != nil {
		writeError(w, err)
		return
	}
	writeAccepted(w, receipts, confirmed.Complete() && a.everywhere(r, receipts))
}

func (a api) invalidate(w http.ResponseWriter, r *http.Request) ([]control.Receipt, dialect.Confirmed, error) {
	requests, creds, err := a.read(w, r)
	if err != nil {
		return nil, dialect.Confirmed{}, err
	}
	return a.Purge(w, r, r.URL.Query(), creds, requests...)
}

func (a api) read(w http.ResponseWriter, r *http.Request) ([]control.Request, control.Credentials, error) {
	creds := a.Credentials(r, control.AdminListener)
	if err := a.Control.Authenticate(creds, name); err != nil {
		return nil, creds, err
	}
	body, err := dialect.ReadBody(w, r)
	if err != nil {
		return nil, creds, err
	}
	e, err := parse(body)
	if err != nil {
		return nil, creds, err
	}
	requests, err := e.requests(a.Control)
	return requests, creds, err
}

// patience is how long an answer waits for the other nodes: several times what
// they take in good health, and little to whoever waits for it.
const patience = time.Second

// everywhere tells whether every node has carried out all of some purges.
func (a api) everywhere(r *http.Request, receipts []control.Receipt) bool {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	for _, receipt := range receipts {
		if !a.reach.Everywhere(ctx, receipt) {
			return false
		}
	}
	return true
}
