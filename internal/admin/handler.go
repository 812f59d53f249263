package admin

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// Config of a handler. All fields but Standing, Metrics, Methods and Paths are required.
type Config struct {
	// Ready returns nil while the node should be sent traffic, and else why not,
	// for people. It must be quick and safe for concurrent use.
	Ready func() error
	// Standing says in a line what else is worth knowing of a node, ready or not;
	// nil or "": nothing is.
	Standing func() string
	// Native serves the paths under /v1/.
	Native http.Handler
	// Metrics serves /metrics; nil: it is not known. Guard decides who may read
	// it, if whoever wires it wraps it.
	Metrics http.Handler
	// Methods serve requests by their method, whatever their path, which is a
	// path of some site.
	Methods map[string]http.Handler
	// Paths serve requests by the beginning of their path.
	Paths map[string]http.Handler
	// Fallback serves everything else, and answers what it does not know.
	Fallback http.Handler
}

// New returns the handler of the admin listener. Health needs no token: it
// tells no more than whether the process runs, and how many others it hears.
func New(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := r.Method == http.MethodGet || r.Method == http.MethodHead
		byMethod := cfg.Methods[r.Method]
		switch {
		case byMethod != nil:
			byMethod.ServeHTTP(w, r)
		case asks && r.URL.Path == "/healthz":
			writeText(w, http.StatusOK, "ok")
		case asks && r.URL.Path == "/readyz":
			writeReady(w, cfg)
		case asks && r.URL.Path == "/metrics" && cfg.Metrics != nil:
			cfg.Metrics.ServeHTTP(w, r)
		case r.Method != "PURGE" && strings.HasPrefix(r.URL.Path, "/v1/"):
			cfg.Native.ServeHTTP(w, r)
		default:
			cfg.byPath(r.URL.Path).ServeHTTP(w, r)
		}
	})
}

// byPath returns what serves a path.
func (cfg Config) byPath(path string) http.Handler {
	for prefix, h := range cfg.Paths {
		if strings.HasPrefix(path, prefix) {
			return h
		}
	}
	return cfg.Fallback
}

// Guard lets only those read what h serves who may see everything: callers on
// the node's own host, and tokens with the scope global or global:read that are
// for all services.
func Guard(door dialect.Door, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reader, err := door.Control.Watcher(door.Credentials(r, control.AdminListener))
		switch {
		case errors.Is(err, control.ErrUnauthenticated):
			w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
			writeText(w, http.StatusUnauthorized, err.Error())
		case err != nil:
			writeText(w, http.StatusForbidden, err.Error())
		case !reader.May(""):
			writeText(w, http.StatusForbidden, "this token is not for all services")
		default:
			h.ServeHTTP(w, r)
		}
	})
}

func writeReady(w http.ResponseWriter, cfg Config) {
	standing := ""
	if cfg.Standing != nil {
		standing = cfg.Standing()
	}
	if standing != "" {
		standing = "\n" + standing
	}
	if why := cfg.Ready(); why != nil {
		writeText(w, http.StatusServiceUnavailable, fmt.Sprintf("not ready: %v%s", why, standing))
		return
	}
	writeText(w, http.StatusOK, "ready"+standing)
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	fmt.Fprintln(w, text)
}
