package varnish

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// part is what a request asks for with one effect.
type part struct {
	selectors []purge.Selector
	effect    purge.Effect
}

// form is one way to say in a PURGE what else than its URL is meant.
type form struct {
	asked func(*http.Request) bool
	read  func(*http.Request) ([]part, error)
}

// purgeForms are tried in this order; without any, a PURGE is for its URL.
var purgeForms = [...]form{
	{hasField("X-Magento-Tags-Pattern"), func(r *http.Request) ([]part, error) {
		return hard(byPattern("X-Magento-Tags", r.Header.Values("X-Magento-Tags-Pattern")))
	}},
	{hasField("X-Pool"), func(r *http.Request) ([]part, error) {
		return hard(one(purge.Ban(matches(purge.PartHeader, "X-Pool", r.Header.Get("X-Pool")))))
	}},
	{clearsCache, func(*http.Request) ([]part, error) { return hard([]purge.Selector{purge.All()}, nil) }},
	{hasField("Xkey-Purge", "Xkey-Softpurge"), keyParts},
	{hasField("Xkey", "Surrogate-Key", "X-Cache-Tags", "Cache-Tags"), func(r *http.Request) ([]part, error) {
		return hard(keySelectors(list(r.Header, "Xkey", "Surrogate-Key"), commaList(r.Header, "X-Cache-Tags", "Cache-Tags")))
	}},
	{byExpression, func(r *http.Request) ([]part, error) { return hard(targetPattern(r)) }},
}

// read understands a request.
func read(r *http.Request) ([]part, error) {
	switch r.Method {
	case methodKeys:
		return keyParts(r)
	case methodTags:
		return hard(keySelectors(commaList(r.Header, "X-Cache-Tags", "Cache-Tags"), list(r.Header, "Xkey")))
	case methodBan:
		return hard(ban(r))
	case methodPurge:
		for _, f := range purgeForms {
			if f.asked(r) {
				return f.read(r)
			}
		}
		return hard(one(purge.URL(dialect.TargetURL(r))))
	}
	return nil, fmt.Errorf("%w: the method %s does not purge", control.ErrBadRequest, r.Method)
}

func hard(selectors []purge.Selector, err error) ([]part, error) {
	return []part{{selectors: selectors}}, err
}

func one(s purge.Selector, err error) ([]purge.Selector, error) { return []purge.Selector{s}, err }

// keyParts reads the fields of xkey: keys to purge and keys to purge softly, in
// one request if need be.
func keyParts(r *http.Request) (parts []part, err error) {
	for _, f := range []struct {
		field  string
		effect purge.Effect
	}{{"Xkey-Purge", purge.Effect{}}, {"Xkey-Softpurge", purge.SoftEffect()}} {
		keys := list(r.Header, f.field)
		if len(keys) == 0 {
			continue
		}
		selectors, err := keySelectors(keys)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{selectors, f.effect})
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("%w: neither xkey-purge nor xkey-softpurge names a key", control.ErrBadRequest)
	}
	return parts, nil
}

func keySelectors(lists ...[]string) (selectors []purge.Selector, err error) {
	for _, keys := range lists {
		for _, key := range keys {
			s, err := purge.Key(key)
			if err != nil {
				return nil, err
			}
			selectors = append(selectors, s)
		}
	}
	if len(selectors) == 0 {
		return nil, fmt.Errorf("%w: no key is named", control.ErrBadRequest)
	}
	return selectors, nil
}

// list returns the members of fields that spaces or commas separate, which one
// client does after the other.
func list(h http.Header, names ...string) []string {
	return members(h, func(c rune) bool { return c == ' ' || c == '\t' || c == ',' }, names)
}

// commaList returns the members of fields that commas separate.
func commaList(h http.Header, names ...string) []string {
	return members(h, func(c rune) bool { return c == ',' }, names)
}

func members(h http.Header, separates func(rune) bool, names []string) (all []string) {
	for _, name := range names {
		for _, line := range h.Values(name) {
			for _, member := range strings.FieldsFunc(line, separates) {
				if member = strings.TrimSpace(member); member != "" {
					all = append(all, member)
				}
			}
		}
	}
	return all
}

func hasField(names ...string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		for _, name := range names {
			if _, ok := r.Header[name]; ok {
				return true
			}
		}
		return false
	}
}

func clearsCache(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Clear-Cache")), "true")
}

// byExpression tells whether a PURGE's target is meant as an expression, as
// WordPress plugins do to clear a site or a part of it.
func byExpression(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("X-Purge-Method"), "regex") || r.URL != nil && r.URL.RawQuery == "vhp-regex"
}
