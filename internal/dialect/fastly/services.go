package fastly

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// service is a service as clients look one up: by name, and to see that it has
// an active version. Ours have one version, and their id for a name.
type service struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Type     string    `json:"type"`
	Version  int       `json:"version"`
	Versions []version `json:"versions"`
}

type version struct {
	Number    int    `json:"number"`
	Active    bool   `json:"active"`
	ServiceID string `json:"service_id"`
}

func describe(id string) service {
	return service{
		ID: id, Name: id, Type: "vcl", Version: 1,
		Versions: []version{{Number: 1, Active: true, ServiceID: id}},
	}
}

func (a api) services(w http.ResponseWriter, creds control.Credentials, rt route) {
	reader, err := a.Control.Reader(creds)
	if err != nil {
		writeError(w, err)
		return
	}
	query, _ := url.ParseQuery(rt.query)
	switch rt.action {
	case allServices:
		dialect.WriteJSON(w, http.StatusOK, listServices(reader, query.Get("page")))
		return
	case findService:
		rt.service = query.Get("name")
	}
	for _, s := range reader.Services() {
		if s.ID == rt.service {
			dialect.WriteJSON(w, http.StatusOK, describe(s.ID))
			return
		}
	}
	writeError(w, fmt.Errorf("%w %q", control.ErrUnknownService, rt.service))
}

// listServices puts all services on the first page: a configuration has few,
// and clients stop at an empty page.
func listServices(reader control.Reader, page string) []service {
	list := []service{}
	if page != "" && page != "1" {
		return list
	}
	for _, s := range reader.Services() {
		list = append(list, describe(s.ID))
	}
	return list
}
