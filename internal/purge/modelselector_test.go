package purge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// modelSelector is a predicate and, in the plainest words, what it means.
type modelSelector struct {
	text      string
	predicate *Predicate
	means     func(path, product, lang string, status int) bool
	scope     field.Tag // 0: everything
}

// allTag is carried by every object of the model, and is no tag of someTags.
const allTag = field.Tag(1) << 40

var modelBans = []struct {
	selector func() (Selector, error)
	means    func(path, product, lang string, status int) bool
}{
	{
		func() (Selector, error) { return Header("X-Product", "shoes/*", "") },
		func(_, product, _ string, _ int) bool {
			return product == "shoes/a" || product == "shoes/b"
		},
	}, {
		func() (Selector, error) { return Header("x-prod*", "(?i)HATS/?", "") },
		func(_, product, _ string, _ int) bool { return product == "hats/a" },
	}, {
		func() (Selector, error) { return Header("Content-Language", "de", ",") },
		func(_, _, lang string, _ int) bool { return strings.Contains(lang, "de") },
	}, {
		func() (Selector, error) { return ParseBan("req.url ~ ^/shop/ && obj.http.content-language !~ en") },
		func(path, _, lang string, _ int) bool {
			return strings.HasPrefix(path, "/shop/") && !strings.Contains(lang, "en")
		},
	}, {
		func() (Selector, error) { return ParseBan("obj.status == 404") },
		func(_, _, _ string, status int) bool { return status == 404 },
	}, {
		func() (Selector, error) { return ParseBan("req.url == /shop/a && obj.status != 404") },
		func(path, _, _ string, status int) bool { return path == "/shop/a" && status != 404 },
	},
}

// ask chooses what a purge is of: tags, predicates, or both.
func (w *world) ask(p *modelPurge) {
	if w.pick(2) {
		p.tags = w.someTags(3)
		if w.pick(4) {
			return
		}
	}
	for range 1 + w.rng.IntN(2) {
		if a := w.someSelector(); !slices.ContainsFunc(p.asked, func(b modelSelector) bool { return a.text == b.text }) {
			p.asked = append(p.asked, a)
		}
	}
}

func (w *world) someSelector() modelSelector {
	i := w.rng.IntN(len(modelBans))
	p := *w.bans[i]
	a := modelSelector{text: fmt.Sprint(i), predicate: &p, means: modelBans[i].means}
	p.scope = allTag
	if w.pick(2) {
		a.scope = w.someTags(1)[0]
		p.scope, p.everywhere = a.scope, false
		a.text += fmt.Sprint(" ", a.scope)
	}
	return a
}

// compiledBans returns the predicates of modelBans.
func compiledBans(t testing.TB) (list []*Predicate) {
	for _, b := range modelBans {
		s, err := b.selector()
		list = append(list, compiled(t, s, err))
	}
	return list
}

var modelHasher = field.NewHasher([16]byte{1})

func (w *world) someHead(tags Tags) *Response {
	one := func(list ...string) string { return list[w.rng.IntN(len(list))] }
	fields := field.Fields{{Name: "Content-Type", Value: "text/html"}}
	fields = fields.Add("X-Product", one("shoes/a", "shoes/b", "shoes/a/b", "hats/a", "hats"))
	if w.pick(2) {
		fields = fields.Add("Content-Language", one("de", "en", "de, en"))
	}
	status := 200
	if w.pick(5) {
		status = 404
	}
	tags = append(slices.Clone(tags), allTag)
	return NewResponse(tags, "https://www.example.com"+one("/shop/a", "/shop/b?q", "/news"), status, fields)
}

// concerns is what a purge means, worked out from scratch.
func (p *modelPurge) concerns(r *Response) bool {
	if intersects(p.tags, r.Tags) {
		return true
	}
	product, _ := r.fields.Get("X-Product")
	lang, _ := r.fields.Get("Content-Language")
	path := strings.TrimPrefix(r.url, "https://www.example.com")
	return slices.ContainsFunc(p.asked, func(a modelSelector) bool {
		return (a.scope == 0 || slices.Contains(r.Tags, a.scope)) && a.means(path, product, lang, r.status)
	})
}

// checkRenewed holds that what a 304 leaves of a response's times is what the
// purges allow that concern its old form and not its new one, and that it is
// not withdrawn if nothing concerns either.
func (w *world) checkRenewed(f *fetch, own field.Times, got Verdict) {
	want, both := own, false
	for _, p := range w.purges {
		if p.service != f.service || p.step <= f.began || p.reverted || p.unsure {
			continue
		}
		switch old, next := p.concerns(f.base.head), p.concerns(f.head); {
		case (old || next) && p.effect.Mode == Hard:
			w.t.Errorf("step %d: a 304 renews what a purge took", w.step)
		case old && !next:
			want = want.Min(p.effect.Bound(own))
		default:
			both = both || old // by one part each, maybe: then either may be counted
		}
	}
	if w.tight {
		return // one that folded may concern both by now, and bounds the new form at each look-up
	}
	if got.Times.Min(want) != got.Times {
		w.t.Errorf("step %d: the purges of what a 304 replaced allow %+v, the engine %+v", w.step, want, got.Times)
	}
	if !both && !w.anyUnsure() && got.Times != want {
		w.t.Errorf("step %d: want %+v of a renewed response, got %+v", w.step, want, got.Times)
	}
}
