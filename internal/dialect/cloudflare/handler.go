package cloudflare

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// Prefix is where all paths of this API begin.
const Prefix = "/client/v4/"

// name is this dialect's in receipts and logs.
const name = "cloudflare"

// New returns the handler of the paths under Prefix on the admin listener.
func New(door dialect.Door) http.Handler { return api{door} }

type api struct{ dialect.Door }

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	steps := strings.Split(strings.Trim(strings.TrimPrefix(r.URL.EscapedPath(), Prefix), "/"), "/")
	for i := range steps {
		if text, err := url.PathUnescape(steps[i]); err == nil {
			steps[i] = text
		}
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	changes := r.Method == http.MethodPost || r.Method == http.MethodDelete
	creds := a.credentials(r)
	switch {
	case len(steps) == 3 && steps[0] == "zones" && steps[2] == "purge_cache":
		if !changes {
			writeWrongMethod(w, "POST, DELETE")
			return
		}
		a.purge(w, r, creds, steps[1])
	case len(steps) <= 2 && steps[0] == "zones" && !reads, steps[0] == "user" && !reads:
		writeWrongMethod(w, "GET, HEAD")
	case len(steps) == 1 && steps[0] == "zones":
		a.listZones(w, r, creds)
	case len(steps) == 2 && steps[0] == "zones":
		a.showZone(w, r, creds, steps[1])
	case len(steps) == 3 && steps[0] == "user" && steps[1] == "tokens" && steps[2] == "verify":
		a.verify(w, r, creds)
	default:
		writeUnknown(w, r)
	}
}

// credentials takes the token from Authorization or, as older clients have it,
// from X-Auth-Key. The address beside that names a person, where a token names
// itself: it is not looked at.
func (a api) credentials(r *http.Request) control.Credentials {
	creds := a.Credentials(r, control.AdminListener)
	if creds.Token == "" {
		creds.Token = strings.TrimSpace(r.Header.Get("X-Auth-Key"))
	}
	return creds
}

func (a api) purge(w http.ResponseWriter, r *http.Request, creds control.Credentials, zone string) {
	if err := a.Control.Authenticate(creds, name); err != nil {
		writeError(w, r, creds, err)
		return
	}
	body, err := dialect.ReadBody(w, r)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	selectors, err := parse(body)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	receipts, _, err := a.Purge(w, r, r.URL.Query(), creds, dialect.Split(control.Request{Service: zone, Dialect: name}, selectors)...)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	w.Header().Set(dialect.HeaderPurge, dialect.IDs(receipts))
	writeResult(w, identified{zone}, nil)
}
