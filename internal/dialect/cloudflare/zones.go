package cloudflare

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/rescind-edge/rescind/internal/control"
)

// zone is a service as clients look one up.
type zone struct {
	ID     string `json:"id"`
	Name   string `json:"name"` // the first of its domains
	Status string `json:"status"`
	Paused bool   `json:"paused"`
	Type   string `json:"type"`
}

type identified struct {
	ID string `json:"id"`
}

func zoneOf(s control.Service) zone {
	z := zone{ID: s.ID, Name: s.ID, Status: "active", Type: "full"}
	if len(s.Domains) > 0 {
		z.Name = s.Domains[0]
	}
	return z
}

// listZones lists the services, or those that answer for the name asked for.
// All are on the first page: a configuration has few.
func (a api) listZones(w http.ResponseWriter, r *http.Request, creds control.Credentials) {
	reader, err := a.Control.Reader(creds)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	query := r.URL.Query()
	wanted, page := query.Get("name"), query.Get("page")
	owner, _ := a.Control.ServiceOf(wanted)
	zones := []zone{}
	for _, s := range reader.Services() {
		if wanted == "" || s.ID == owner || s.ID == wanted || slices.Contains(s.Domains, wanted) {
			zones = append(zones, zoneOf(s))
		}
	}
	n := len(zones)
	if page != "" && page != "1" {
		zones = []zone{}
	}
	writeResult(w, zones, &pages{Page: 1, PerPage: max(n, 1), Count: len(zones), TotalCount: n, TotalPages: 1})
}

func (a api) showZone(w http.ResponseWriter, r *http.Request, creds control.Credentials, id string) {
	reader, err := a.Control.Reader(creds)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	for _, s := range reader.Services() {
		if s.ID == id {
			writeResult(w, zoneOf(s), nil)
			return
		}
	}
	writeError(w, r, creds, fmt.Errorf("%w %q", control.ErrUnknownService, id))
}

// verify tells a client that its token is good.
func (a api) verify(w http.ResponseWriter, r *http.Request, creds control.Credentials) {
	grant, err := a.Control.Exchange(creds)
	if err != nil {
		writeError(w, r, creds, err)
		return
	}
	writeResult(w, struct {
		identified
		Status string `json:"status"`
	}{identified{grant.Name}, "active"}, nil)
}
