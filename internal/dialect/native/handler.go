package native

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// name is this dialect's in receipts and logs.
const name = "native"

// Config of a handler. All fields are required.
type Config struct {
	dialect.Door
	// Status returns the state of the node; the handler leaves out services that
	// a caller may not see. It must be safe for concurrent use.
	Status func() api.Status
}

// New returns the handler of every path under /v1.
func New(cfg Config) http.Handler { return handler{cfg} }

type handler struct{ Config }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := h.endpoint(r.URL.Path)
	if e == nil {
		writeProblem(w, noSuchPath())
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
	if err := serve(w, r, h.Credentials(r, control.AdminListener)); err != nil {
		writeProblem(w, problemOf(w, err))
	}
}

// endpoint is what can be done at a path, by method. A function that returns an
// error has written nothing.
type endpoint map[string]func(http.ResponseWriter, *http.Request, control.Credentials) error

// endpoint returns what a path offers, or nil. It is a switch and no
// multiplexer, which would redirect what it thinks unclean.
func (h handler) endpoint(path string) endpoint {
	switch path {
	case api.PathPurges:
		return endpoint{http.MethodGet: h.recent, http.MethodPost: h.purge}
	case api.PathStatus:
		return endpoint{http.MethodGet: h.status}
	}
	id, ok := strings.CutPrefix(path, api.PathPurges+"/")
	if !ok || id == "" {
		return nil
	}
	if id, ok := strings.CutSuffix(id, api.RevertSuffix); ok {
		return endpoint{http.MethodPost: h.revert(id)}
	}
	return endpoint{http.MethodGet: h.receipt(id)}
}

func (h handler) purge(w http.ResponseWriter, r *http.Request, creds control.Credentials) error {
	if err := h.Control.Authenticate(creds, name); err != nil {
		return err
	}
	req, err := readPurge(w, r)
	if err != nil {
		return err
	}
	receipt, err := h.Control.Purge(creds, req)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, receiptOf(receipt))
	return nil
}

func (h handler) recent(w http.ResponseWriter, r *http.Request, creds control.Credentials) error {
	reader, err := h.Control.Reader(creds)
	if err != nil {
		return err
	}
	limit, err := listLimit(r.URL.Query().Get(api.QueryLimit))
	if err != nil {
		return err
	}
	list := api.List{Purges: []api.Receipt{}}
	for _, receipt := range reader.Recent(limit) {
		list.Purges = append(list.Purges, receiptOf(receipt))
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func listLimit(text string) (int, error) {
	if text == "" {
		return api.DefaultListed, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > api.MaxListed {
		return 0, badRequest("limit must be a number from 1 to %d", api.MaxListed)
	}
	return limit, nil
}

func (h handler) receipt(text string) func(http.ResponseWriter, *http.Request, control.Credentials) error {
	return func(w http.ResponseWriter, r *http.Request, creds control.Credentials) error {
		reader, err := h.Control.Reader(creds)
		if err != nil {
			return err
		}
		id, err := purge.ParseID(text)
		if err != nil {
			return err
		}
		receipt, err := reader.Receipt(id)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, receiptOf(receipt))
		return nil
	}
}

func (h handler) revert(text string) func(http.ResponseWriter, *http.Request, control.Credentials) error {
	return func(w http.ResponseWriter, r *http.Request, creds control.Credentials) error {
		if err := h.Control.Authenticate(creds, name); err != nil {
			return err
		}
		id, err := purge.ParseID(text)
		if err != nil {
			return err
		}
		reverted, err := h.Control.Revert(creds, id)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, revertOf(reverted))
		return nil
	}
}

func (h handler) status(w http.ResponseWriter, r *http.Request, creds control.Credentials) error {
	reader, err := h.Control.Reader(creds)
	if err != nil {
		return err
	}
	status := h.Status()
	seen := []api.ServiceStatus{}
	for _, s := range status.Services {
		if reader.May(s.ID) {
			seen = append(seen, s)
		}
	}
	status.Services = seen
	writeJSON(w, http.StatusOK, status)
	return nil
}
