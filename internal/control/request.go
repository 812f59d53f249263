package control

import (
	"fmt"
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// MaxNoteBytes bounds Request.Note, which is kept with every receipt.
const MaxNoteBytes = 256

// Request is a purge as a dialect understood it. All of its selectors are
// carried out at one instant, under one id.
type Request struct {
	// Service is the id of the service. Where it is empty, Host names it; where
	// that is empty too, the selectors' hosts do, or there is only one service.
	Service string
	Host    string // an authority, in any spelling

	Selectors []purge.Selector // 1 to purge.MaxKeys
	Effect    purge.Effect     // At is set by control
	Dialect   string           // the API that it came through: "native", "fastly", …
	Note      string           // free text, at most MaxNoteBytes

	// IdempotencyKey makes the request safe to repeat: of all that the caller
	// sends with one key within a day, the first is carried out and the others
	// get its receipt. "": none; at most MaxIdempotencyKeyBytes of printable
	// ASCII.
	IdempotencyKey string
}

// serviceOf returns the id of the service that a request concerns, which need
// not exist where the request names it.
func (st *state) serviceOf(r Request, who caller) (string, error) {
	switch {
	case r.Service != "":
		return r.Service, nil
	case r.Host != "":
		return st.serviceOfHost(r.Host)
	}
	id := ""
	for _, s := range r.Selectors {
		if s.Target.Host == "" {
			return st.onlyService(who)
		}
		found, err := st.serviceOfHost(s.Target.Host)
		if err != nil {
			return "", err
		}
		if id != "" && found != id {
			return "", fmt.Errorf("%w: the hosts belong to services %q and %q; purge them one by one", ErrUnknownService, id, found)
		}
		id = found
	}
	if id == "" {
		return st.onlyService(who)
	}
	return id, nil
}

func (st *state) serviceOfHost(authority string) (string, error) {
	host, ok := field.NormalHost("", authority)
	if ok {
		var id string
		if id, ok = st.resolve(field.Hostname(host)); ok {
			return id, nil
		}
	}
	return "", fmt.Errorf("%w: no service has the host %q", ErrUnknownService, clip(authority))
}

// onlyService returns the service that is meant where none is named: that of a
// token for one service, or the only one there is.
func (st *state) onlyService(who caller) (string, error) {
	if who.token != nil && len(who.token.services) == 1 {
		return who.token.services[0], nil
	}
	if len(st.order) != 1 {
		return "", fmt.Errorf("%w: name the service, there are %d", ErrUnknownService, len(st.order))
	}
	return st.order[0].ID, nil
}

// check validates a request for a service.
func (st *state) check(r Request, id string) error {
	if len(r.Selectors) == 0 {
		return fmt.Errorf("%w: nothing to purge is named", ErrBadRequest)
	}
	if len(r.Note) > MaxNoteBytes {
		return fmt.Errorf("%w: a note of %d bytes; the limit is %d", ErrBadRequest, len(r.Note), MaxNoteBytes)
	}
	for _, s := range r.Selectors {
		if s.Target.Host == "" {
			continue
		}
		if owner, err := st.serviceOfHost(s.Target.Host); err != nil || owner != id {
			return badHost(s.Target.Host, id)
		}
	}
	return nil
}

// marks are the tags and predicates of a purge and what they say about it.
type marks struct {
	tags       []field.Tag        // distinct
	predicates []*purge.Predicate // of what no tag stands for
	everything bool               // one of the tags is that of the whole service
	demand     demand             // what they take from limits

	// urls are the distinct tags, without scheme, of the URLs named, under which
	// their objects can be found and counted; nil where anything else is named.
	urls []field.Tag
}

// marksOf returns the marks of selectors, without predicates: see addPredicates.
func marksOf(h *field.Hasher, svc *service, selectors []purge.Selector) marks {
	var m marks
	countable, all := true, h.All(svc.ID)
	for _, s := range selectors {
		if !s.Kind.HasTag() {
			m.demand.selects++
			countable = false
			continue
		}
		tag := s.Tag(h, svc.ID, svc.Query)
		m.tags = append(m.tags, tag)
		if tag == all {
			m.demand.alls = 1 // however often it is said
		} else {
			m.demand.selects++
		}
		if countable = countable && s.Kind == purge.ByURL; countable {
			s.Target.Scheme = ""
			m.urls = append(m.urls, s.Tag(h, svc.ID, svc.Query))
		}
	}
	m.tags, m.urls = distinct(m.tags), distinct(m.urls)
	m.everything = m.demand.alls > 0
	if !countable {
		m.urls = nil
	}
	return m
}

func distinct(tags []field.Tag) []field.Tag {
	slices.Sort(tags)
	return slices.Compact(tags)
}

// need returns the scope that a purge takes. A path that comes to everything
// is everything, however it is written.
func (m marks) need() Scope {
	if m.everything {
		return PurgeAll
	}
	return PurgeSelect
}

// clip shortens what somebody sent before it goes into an error text.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
