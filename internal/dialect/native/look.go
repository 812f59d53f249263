package native

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/field"
)

func (h handler) status(w http.ResponseWriter, _ *http.Request, c call) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return err
	}
	status := h.Status()
	status.Services = visible(reader, status.Services)
	writeJSON(w, http.StatusOK, status)
	return nil
}

func (h handler) services(w http.ResponseWriter, _ *http.Request, c call) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, api.Services{Services: visible(reader, h.Status().Services)})
	return nil
}

func visible(reader control.Reader, all []api.ServiceStatus) []api.ServiceStatus {
	seen := []api.ServiceStatus{}
	for _, s := range all {
		if reader.May(s.ID) {
			seen = append(seen, s)
		}
	}
	return seen
}

func (h handler) explain(w http.ResponseWriter, r *http.Request, c call) error {
	reader, err := h.Control.Reader(c.creds)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	url := query.Get(api.QueryURL)
	if url == "" {
		return badRequest("the parameter %s is missing", api.QueryURL)
	}
	fields, err := requestFields(query[api.QueryHeader])
	if err != nil {
		return err
	}
	explanation, err := h.Explain(r.Context(), url, fields)
	if err != nil {
		return badRequest("%v", err) // not a selector of a purge, whatever it wraps
	}
	if !reader.May(explanation.Service) {
		return fmt.Errorf("%w: no service that this token is for has that host", control.ErrUnknownService)
	}
	if explanation.Variants == nil {
		explanation.Variants = []api.Variant{}
	}
	writeJSON(w, http.StatusOK, explanation)
	return nil
}

// requestFields reads fields written as "Name:value".
func requestFields(lines []string) (field.Fields, error) {
	if len(lines) > api.MaxExplainHeaders {
		return nil, badRequest("%d request fields; the limit is %d", len(lines), api.MaxExplainHeaders)
	}
	var fields field.Fields
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		value = field.Trim(value)
		if !ok || !field.ValidName(name) || !field.ValidValue(value) {
			return nil, badRequest("%q is no field; write it as Name:value", clip(line))
		}
		fields = fields.Add(name, value)
	}
	return fields, nil
}

func (h handler) top(w http.ResponseWriter, r *http.Request, c call) error {
	reader, err := h.Control.Watcher(c.creds)
	if err != nil {
		return err
	}
	limit, err := limitOf(r, api.DefaultTop, api.MaxTop)
	if err != nil {
		return err
	}
	top := h.Top(limit, reader.May)
	if top.URLs == nil {
		top.URLs = []api.Hot{}
	}
	if top.Keys == nil {
		top.Keys = []api.Hot{}
	}
	writeJSON(w, http.StatusOK, top)
	return nil
}

// clip shortens what somebody sent before it goes into an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
