package invalidation

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/purge"
)

// event is the body of a request. Members that it does not know are ignored.
type event struct {
	Type      string   `json:"type"`
	Selectors []string `json:"selectors"` // URLs, or with "origin" and "group" origins
	Groups    []string `json:"groups"`    // with "group", of each of the origins
	Purge     bool     `json:"purge"`     // remove; else make stale
}

// errUnsupported is returned for a type that this cache does not know.
var errUnsupported = errors.New("the type is not supported; use uri, uri-prefix, origin or group")

func parse(body []byte) (e event, err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf(`%w: the body must be {"type":"uri","selectors":["https://host/path"]}: %w`, control.ErrBadRequest, err)
	}
	switch {
	case e.Type == "":
		return e, fmt.Errorf("%w: no type", control.ErrBadRequest)
	case !e.supported():
		return e, fmt.Errorf("%w: %q", errUnsupported, clip(e.Type))
	case len(e.Selectors) == 0:
		return e, fmt.Errorf("%w: no selectors", control.ErrBadRequest)
	case e.Type == typeGroup && len(e.Groups) == 0:
		return e, fmt.Errorf("%w: no groups", control.ErrBadRequest)
	}
	return e, nil
}

// Types of events.
const (
	typeURI    = "uri"
	typePrefix = "uri-prefix"
	typeOrigin = "origin"
	typeGroup  = "group"
)

func (e event) supported() bool {
	switch e.Type {
	case typeURI, typePrefix, typeOrigin, typeGroup:
		return true
	}
	return false
}

// requests returns an event as purges, those of each service by themselves: an
// origin server that has several names here does not know of services.
func (e event) requests(c *control.Control) ([]control.Request, error) {
	byService := map[string][]purge.Selector{}
	var order []string
	for _, text := range e.Selectors {
		selectors, host, err := e.selected(text)
		if err != nil {
			return nil, err
		}
		id, ok := c.ServiceOf(host)
		if !ok {
			return nil, fmt.Errorf("%w: no service has the host %q", control.ErrUnknownService, clip(host))
		}
		if byService[id] == nil {
			order = append(order, id)
		}
		byService[id] = append(byService[id], selectors...)
		if n := len(byService[id]); n > control.MaxTogether*purge.MaxKeys {
			return nil, fmt.Errorf("%w: %d", control.ErrTooManyKeys, n)
		}
	}
	var requests []control.Request
	for _, id := range order {
		r := control.Request{Service: id, Dialect: name, Effect: purge.SoftEffect()}
		if e.Purge {
			r.Effect = purge.Effect{}
		}
		requests = append(requests, dialect.Split(r, byService[id])...)
	}
	return requests, nil
}

// selected returns what one of an event's selectors names, and the host of it.
func (e event) selected(text string) (selectors []purge.Selector, host string, err error) {
	target, err := purge.ParseTarget(text)
	if err != nil {
		return nil, "", err
	}
	var s purge.Selector
	switch e.Type {
	case typeURI:
		s, err = purge.URL(text)
	case typePrefix:
		s, err = purge.Path(text)
	case typeOrigin:
		s, err = purge.Host(target.Host)
	case typeGroup:
		selectors, err = groupsOf(target.Scheme, target.Host, e.Groups)
		return selectors, target.Host, err
	}
	return []purge.Selector{s}, target.Host, err
}

// groupsOf selects groups of an origin: under both schemes where none is named.
func groupsOf(scheme, host string, groups []string) (selectors []purge.Selector, err error) {
	schemes := []string{scheme}
	if scheme == "" {
		schemes = []string{"https", "http"}
	}
	for _, group := range groups {
		if len(group) > httpcache.MaxGroupBytes {
			return nil, fmt.Errorf("%w: a group of %d bytes; the limit is %d", control.ErrBadRequest, len(group), httpcache.MaxGroupBytes)
		}
		for _, scheme := range schemes {
			s, err := purge.Key(httpcache.GroupKey(scheme, host, group))
			if err != nil {
				return nil, err
			}
			selectors = append(selectors, s)
		}
	}
	return selectors, nil
}

// clip shortens what somebody sent before it goes into an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
