package stackpath

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// Prefixes returns where the paths of this API begin: the tokens', the stacks'
// and the CDN's, and that of the older API of one account.
func Prefixes() []string {
	return []string{"/identity/v1/", "/stack/v1/", "/cdn/v1/", "/api/accounts/"}
}

// Name is this dialect's in receipts and logs.
const Name = "stackpath"

// Config of a handler. All fields but Quota, Reach and Now are required.
type Config struct {
	dialect.Door
	Key   Key           // signs access tokens
	Quota Quota         // counts URIs; nil: DefaultPerMinute on this node
	Reach dialect.Reach // tells how far purges have come; nil: dialect.ThisNode

	Now func() time.Time // nil: time.Now
}

// New returns the handler of the paths under Prefixes on the admin listener.
func New(cfg Config) http.Handler {
	if cfg.Quota == nil {
		cfg.Quota = &Window{}
	}
	if cfg.Reach == nil {
		cfg.Reach = dialect.ThisNode{}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return api{cfg}
}

type api struct{ Config }

func (a api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := steps(r)
	is := func(pattern ...string) bool { return matches(path, pattern) }
	switch {
	case is("identity", "v1", "oauth2", "token"):
		a.only(w, r, http.MethodPost, a.token)
	case is("cdn", "v1", "stacks", "", "purge"), is("api", "accounts", "", "purge"):
		a.only(w, r, http.MethodPost, func(w http.ResponseWriter, r *http.Request) { a.purge(w, r, path[len(path)-2]) })
	case is("cdn", "v1", "stacks", "", "purge", ""), is("api", "accounts", "", "purge", ""):
		a.only(w, r, http.MethodGet, func(w http.ResponseWriter, r *http.Request) { a.progress(w, r, path[len(path)-3], path[len(path)-1]) })
	case is("stack", "v1", "stacks"):
		a.only(w, r, http.MethodGet, a.stacks)
	case is("stack", "v1", "stacks", ""):
		a.only(w, r, http.MethodGet, func(w http.ResponseWriter, r *http.Request) { a.stack(w, r, path[3]) })
	default:
		writeFailure(w, http.StatusNotFound, failure{Code: codeNotFound, Message: "this server knows no such path; it purges, and lists stacks"})
	}
}

// steps are the parts of a request's path, decoded.
func steps(r *http.Request) []string {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i := range parts {
		if text, err := url.PathUnescape(parts[i]); err == nil {
			parts[i] = text
		}
	}
	return parts
}

// matches tells whether a path is a pattern, of which empty steps are any.
func matches(path, pattern []string) bool {
	if len(path) != len(pattern) {
		return false
	}
	for i := range path {
		if pattern[i] != "" && path[i] != pattern[i] || path[i] == "" {
			return false
		}
	}
	return true
}

// only answers requests with one method.
func (a api) only(w http.ResponseWriter, r *http.Request, method string, serve http.HandlerFunc) {
	if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
		w.Header().Set("Allow", method)
		writeFailure(w, http.StatusMethodNotAllowed, failure{Code: codeUnimplemented, Message: "use " + method})
		return
	}
	serve(w, r)
}

// credentials takes an access token for the grant that it carries, and any
// other bearer token as it is, so that scripts may leave the exchange out.
func (a api) credentials(r *http.Request) (control.Credentials, error) {
	creds := a.Credentials(r, control.AdminListener)
	c, err := a.Key.verify(creds.Token, a.Now())
	switch err {
	case nil:
		creds.Grant, creds.Token = c.Grant, ""
	case errExpired:
		return creds, control.ErrTokenExpired
	}
	return creds, nil
}
