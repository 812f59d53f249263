package native

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
)

// name is this dialect's in receipts and logs.
const name = "native"

// Config of a handler. Door and Status are required; where one of the others is
// nil, its path is unknown. The functions are called from many goroutines.
type Config struct {
	dialect.Door

	// Status returns the state of the node; the handler leaves out services that
	// a caller may not see.
	Status func() api.Status

	// Explain tells what the node would do with a GET request for a URL that has
	// the given fields. The URL is as the caller sent it; an error says what is
	// wrong with it. The handler answers only those who may see
	// Explanation.Service.
	Explain func(ctx context.Context, url string, request field.Fields) (api.Explanation, error)

	// Tail opens a stream of log lines, each one JSON object with or without a
	// line end, which is not modified once sent. The channel is closed when ctx
	// ends and when the node stops. A reader that is too slow misses lines and
	// gets an api.Missed in their place. The error is about the filter, or
	// ErrTooManyTails.
	Tail func(ctx context.Context, t Tail) (<-chan []byte, error)

	// Top returns what the node is busy with: at most limit URLs and keys of
	// services that may is true for.
	Top func(limit int, may func(service string) bool) api.Top

	// Confirmations tells which members have applied a purge, wherever it was
	// accepted; nil where there are no others.
	Confirmations func(ctx context.Context, r control.Receipt) *api.Confirmations

	// Cluster shows and changes who belongs to the cluster.
	Cluster Cluster
}

// Tail is what a reader of the log asks for.
type Tail struct {
	// Filter is an expression that selects lines, as the caller sent it; "": all.
	Filter string
	// May tells whether the reader may see lines about a service; "" is a line
	// about none.
	May func(service string) bool
}

// ErrTooManyTails is returned by Config.Tail while as many readers as the node
// allows read the log.
var ErrTooManyTails = errors.New("too many readers of the log")

// New returns the handler of every path under /v1.
func New(cfg Config) http.Handler {
	h := handler{Config: cfg}
	h.routes = h.table()
	return h
}

type handler struct {
	Config
	routes []route
}

// call is a request with what is known of it.
type call struct {
	creds control.Credentials
	id    string // what stands in the path for {id}
}

// endpoint is what can be done at a path, by method. A function that returns an
// error has written nothing.
type endpoint map[string]func(http.ResponseWriter, *http.Request, call) error

// route is a path, in which {id} stands for one segment, and what it offers.
type route struct {
	pattern string
	endpoint
}

// table returns all that is served. The document in package api says the same,
// and a test compares the two.
func (h handler) table() []route {
	routes := []route{
		{api.PathPurges, endpoint{http.MethodGet: h.recent, http.MethodPost: h.purge}},
		{api.PathPurges + "/{id}", endpoint{http.MethodGet: h.receipt}},
		{api.PathPurges + "/{id}" + api.RevertSuffix, endpoint{http.MethodPost: h.revert}},
		{api.PathServices, endpoint{http.MethodGet: h.services}},
		{api.PathStatus, endpoint{http.MethodGet: h.status}},
		{api.PathTokens, endpoint{http.MethodGet: h.tokens, http.MethodPost: h.createToken}},
		{api.PathTokens + "/{id}", endpoint{http.MethodDelete: h.revokeToken}},
	}
	if h.Cluster != nil {
		routes = append(routes,
			route{api.PathMembers, endpoint{http.MethodGet: h.members}},
			route{api.PathMembers + "/{id}", endpoint{http.MethodDelete: h.forget}},
			route{api.PathKeys, endpoint{http.MethodGet: h.keys}},
			route{api.PathLeave, endpoint{http.MethodPost: h.leave}},
		)
	}
	if h.Explain != nil {
		routes = append(routes, route{api.PathExplain, endpoint{http.MethodGet: h.explain}})
	}
	if h.Tail != nil {
		routes = append(routes, route{api.PathLog, endpoint{http.MethodGet: h.log}})
	}
	if h.Top != nil {
		routes = append(routes, route{api.PathTop, endpoint{http.MethodGet: h.top}})
	}
	return routes
}

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, id := h.find(r.URL.Path)
	if e == nil {
		writeProblem(w, noSuchPath(h.routes))
		return
	}
	serve, ok := e[r.Method]
	if r.Method == http.MethodHead {
		serve, ok = e[http.MethodGet]
	}
	if !ok {
		writeProblem(w, wrongMethod(w, e))
		return
	}
	if err := serve(w, r, call{h.Credentials(r, control.AdminListener), id}); err != nil {
		writeProblem(w, problemOf(w, err))
	}
}

// find returns what a path offers, or nil. It is no multiplexer, which would
// redirect what it thinks unclean.
func (h handler) find(path string) (endpoint, string) {
	for _, r := range h.routes {
		before, after, hasID := strings.Cut(r.pattern, "{id}")
		if !hasID {
			if path == r.pattern {
				return r.endpoint, ""
			}
			continue
		}
		id, ok := strings.CutPrefix(path, before)
		if !ok {
			continue
		}
		if id, ok = strings.CutSuffix(id, after); ok && id != "" && !strings.Contains(id, "/") {
			return r.endpoint, id
		}
	}
	return nil, ""
}
