package control

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Trace is a purge that concerned something, and which of its selectors did.
type Trace struct {
	Receipt  Receipt
	Selector purge.Selector
}

// LastPurge returns the newest purge of a service, among those with a receipt,
// that named something with one of tags; purges by header and bans are not among
// them, since tags do not tell what those take. It is for explaining: whoever
// shows the result has checked that its reader may see the service. It looks
// through all receipts, which takes milliseconds.
func (c *Control) LastPurge(serviceID string, tags []field.Tag) (Trace, bool) {
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return Trace{}, false
	}
	wanted := make(map[field.Tag]bool, len(tags))
	for _, t := range tags {
		wanted[t] = true
	}
	return c.trace(svc, func(s purge.Selector) bool {
		return s.Kind.HasTag() && wanted[s.Tag(c.parts.Hasher, svc.ID, svc.Query)]
	})
}

// Purged returns the receipt of a purge, and of its selectors the first that
// names something with one of tags, or else the first by header or ban; a zero
// Selector where there is none. Like LastPurge it is for explaining.
func (c *Control) Purged(id purge.ID, tags []field.Tag) (Trace, bool) {
	r, ok := c.ledger.get(id)
	if !ok {
		return Trace{}, false
	}
	t := Trace{Receipt: r}
	svc := c.state.Load().services[r.Service]
	if svc == nil {
		return t, true
	}
	for _, s := range r.Selectors {
		if !s.Kind.HasTag() {
			if t.Selector.Kind == 0 {
				t.Selector = s
			}
			continue
		}
		tag := s.Tag(c.parts.Hasher, svc.ID, svc.Query)
		for _, wanted := range tags {
			if tag == wanted {
				t.Selector = s
				return t, true
			}
		}
	}
	return t, true
}

// NearKey returns the newest purge of a service by a key that differs from one
// of keys in the case of letters alone, and that none of keys is.
func (c *Control) NearKey(serviceID string, keys []string) (Trace, bool) {
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return Trace{}, false
	}
	exact, folded := make(map[string]bool), make(map[string]bool)
	for _, key := range keys {
		exact[key], folded[strings.ToLower(key)] = true, true
	}
	return c.trace(svc, func(s purge.Selector) bool {
		return s.Kind == purge.ByKey && !exact[s.Key] && folded[strings.ToLower(s.Key)]
	})
}

// NearURL returns the newest purge of a service by a URL that differs from
// target in the case of letters or a final slash alone, and so missed it.
func (c *Control) NearURL(serviceID string, target field.Target) (Trace, bool) {
	svc := c.state.Load().services[serviceID]
	if svc == nil {
		return Trace{}, false
	}
	target.Scheme = ""
	tag := func(t field.Target) field.Tag {
		return purge.Selector{Kind: purge.ByURL, Target: t}.Tag(c.parts.Hasher, svc.ID, svc.Query)
	}
	own, near := tag(target), tag(blurred(target))
	return c.trace(svc, func(s purge.Selector) bool {
		if s.Kind != purge.ByURL {
			return false
		}
		s.Target.Scheme = ""
		return tag(s.Target) != own && tag(blurred(s.Target)) == near
	})
}

// blurred returns what is left of a target without case and final slash.
func blurred(t field.Target) field.Target {
	t.Path = strings.ToLower(strings.TrimRight(t.Path, "/")) + "/"
	t.Query = strings.ToLower(t.Query)
	return t
}

// trace returns the newest purge of a service with a selector that is wanted.
func (c *Control) trace(svc *service, wanted func(purge.Selector) bool) (Trace, bool) {
	for _, r := range c.ledger.recent(maxReceipts, func(id string) bool { return id == svc.ID }) {
		for _, s := range r.Selectors {
			if wanted(s) {
				return Trace{Receipt: r, Selector: s}, true
			}
		}
	}
	return Trace{}, false
}
