package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// page is one resource of the simulated site.
type page struct {
	path string
	keys []string
}

// pages are all resources: few, so that purges meet what is stored.
func makePages() []page {
	var all []page
	for i := range 12 {
		all = append(all, page{
			path: fmt.Sprintf("/d%d/p%d", i%3, i),
			keys: []string{fmt.Sprint("k", i%4), fmt.Sprint("g", i%2)},
		})
	}
	return all
}

func (p page) target() field.Target { return field.Target{Scheme: "http", Host: Host, Path: p.path} }

func (p page) tags(h *field.Hasher) []field.Tag {
	tags := h.AppendTags(nil, Service, p.target())
	for _, k := range p.keys {
		tags = append(tags, h.Surrogate(Service, k))
	}
	return tags
}

// firstKey is a field of every response that says its first key.
const firstKey = "X-First"

// selects tells whether a purge of s means a page: what the words say, without
// tags and hashes.
func selects(s purge.Selector, p page) bool {
	switch s.Kind {
	case purge.ByURL:
		return s.Target.Path == p.path
	case purge.ByKey:
		return slices.Contains(p.keys, s.Key)
	case purge.ByPath:
		return s.Target.Path == p.path || strings.HasPrefix(p.path, s.Target.Path+"/")
	case purge.ByHeader:
		return s.Header.Value == p.keys[0]
	case purge.ByBan:
		return strings.Contains(s.Ban, p.keys[0])
	}
	return true
}

// anySelectors draws what a purge names.
func (w *World) anySelectors() []purge.Selector {
	p := w.pages[w.rng.IntN(len(w.pages))]
	var s purge.Selector
	var err error
	switch n := w.rng.IntN(100); {
	case n < 45:
		s, err = purge.URL("http://" + Host + p.path)
	case n < 75:
		s, err = purge.Key(p.keys[w.rng.IntN(len(p.keys))])
	case n < 80:
		s, err = purge.Header(firstKey, p.keys[0], "")
	case n < 85:
		s, err = purge.ParseBan("obj.http." + firstKey + " == " + p.keys[0])
	case n < 94:
		s, err = purge.Path(p.path[:strings.LastIndexByte(p.path, '/')])
	case n < 97:
		s, err = purge.Host(Host)
	default:
		s = purge.All()
	}
	if err != nil {
		panic(err) // the names are constants
	}
	if s.Kind == purge.ByKey && w.rng.IntN(4) == 0 {
		other, _ := purge.Key(fmt.Sprint("k", w.rng.IntN(4)))
		return []purge.Selector{s, other}
	}
	return []purge.Selector{s}
}

// anyEffect draws what a purge does: most are hard.
func anyEffect(rng *rand.Rand) purge.Effect {
	switch rng.IntN(8) {
	case 0:
		return purge.SoftEffect()
	case 1:
		return purge.Effect{Mode: purge.Soft, TTL: randomTime(rng, 0, second), Grace: randomTime(rng, 0, second), Keep: purge.Untouched}
	}
	return purge.Effect{}
}
