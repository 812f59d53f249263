package varnish

import (
	"fmt"
	"net/http"
	"regexp/syntax"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// maxExpression bounds an expression, in bytes. Unions of tags may be as long
// as a field; what is matched one by one has its own, lower bound.
const maxExpression = 64 << 10

// ban understands a BAN: the tags that its expression names, or what its
// expressions for host, URL and content type say.
func ban(r *http.Request) ([]purge.Selector, error) {
	for _, name := range [...]string{"Apiplatform-Ban-Regex", "X-Cache-Tags"} {
		lines := r.Header.Values(name)
		if len(lines) == 0 {
			continue
		}
		tagField := name
		if name == "Apiplatform-Ban-Regex" {
			tagField = "Cache-Tags"
		}
		c, err := banned(r)
		switch {
		case err != nil:
			return nil, err
		case c.any():
			return byPattern(tagField, lines)
		}
		for _, e := range lines {
			c.add(purge.PartHeader, tagField, e)
		}
		return c.selectors()
	}
	if keys := piped(r.Header); keys != nil {
		return keySelectors(keys)
	}
	if !hasField("X-Host", "X-Url", "X-Content-Type")(r) {
		if err := notUnderstood(r.Header); err != nil {
			return nil, err
		}
		return targetPattern(r)
	}
	c, err := banned(r)
	if err != nil {
		return nil, err
	}
	return c.selectors()
}

// piped returns the keys that the purgers of Drupal send in one of these fields,
// separated by "|"; nil where there is none.
func piped(h http.Header) []string {
	return members(h, func(c rune) bool { return c == '|' || c == ' ' || c == ',' }, []string{"Cache-Tags", "Purge-Cache-Tags", "Surrogate-Key", "Xkey"})
}

// notUnderstood refuses a BAN with a field that reads as if it said what to
// ban, in the words of some other recipe: to purge the URL instead would be too
// little, and look like a success.
func notUnderstood(h http.Header) error {
	for name := range h {
		lower := strings.ToLower(name)
		if name == "Fastly-Key" || name == "X-Auth-Key" {
			continue
		}
		for _, word := range [...]string{"ban", "tag", "key", "purge", "invalidat", "pattern", "regex"} {
			if strings.Contains(lower, word) {
				return fmt.Errorf("%w: the field %s is not understood with BAN; send X-Cache-Tags, X-Host, X-Url or X-Content-Type", control.ErrBadRequest, name)
			}
		}
	}
	return nil
}

// byPattern selects by expressions for a list of tags in a field.
func byPattern(name string, expressions []string) (selectors []purge.Selector, err error) {
	for _, e := range expressions {
		if len(e) > maxExpression {
			return nil, tooLong(e)
		}
		u, ok := parseUnion(e)
		switch {
		case ok && u.all:
			return []purge.Selector{purge.All()}, nil
		case ok:
			keys, err := keySelectors(u.tags)
			if err != nil {
				return nil, err
			}
			selectors = append(selectors, keys...)
		default:
			ban, err := purge.Ban(matches(purge.PartHeader, name, e))
			if err != nil {
				return nil, err
			}
			selectors = append(selectors, ban)
		}
	}
	return selectors, nil
}

func tooLong(expression string) error {
	return fmt.Errorf("%w: an expression of %d bytes; the limit is %d", control.ErrBadRequest, len(expression), maxExpression)
}

// conditions of a BAN, all of which must hold. An empty one does.
type conditions struct {
	hosts []string // exact; nil: any that the others allow
	path  plainPath
	rest  []purge.Condition
}

// banned reads the fields that FOSHttpCache agreed on with its VCL: expressions
// for host, URL (path and query) and content type.
func banned(r *http.Request) (c conditions, err error) {
	for _, f := range []struct {
		name string
		take func(expression string)
	}{
		{"X-Host", c.takeHost}, {"X-Url", c.takeURL},
		{"X-Content-Type", func(e string) { c.add(purge.PartHeader, "Content-Type", e) }},
	} {
		e := r.Header.Get(f.name)
		if len(e) > maxExpression {
			return c, tooLong(e)
		}
		if !matchesAll(e) {
			f.take(e)
		}
	}
	return c, nil
}

// takeHost takes "^(a|b)$" as hosts, and any other expression as it is.
func (c *conditions) takeHost(expression string) {
	u, ok := parseUnion(expression)
	if !ok || u.all || !strings.HasPrefix(expression, "^") {
		c.add(purge.PartHost, "", expression)
		return
	}
	for _, host := range u.tags {
		if _, err := purge.Host(host); err != nil {
			c.hosts = nil
			c.add(purge.PartHost, "", expression)
			return
		}
		c.hosts = append(c.hosts, host)
	}
}

func (c *conditions) takeURL(expression string) {
	if c.path = readPath(expression); c.path.kind == pathNone {
		c.add(purge.PartURL, "", expression)
	}
}

func (c *conditions) add(part purge.Part, name, expression string) {
	c.rest = append(c.rest, matches(part, name, expression))
}

// matches is the condition that an expression matches a part, of which a name
// is needed with headers.
func matches(part purge.Part, name, expression string) purge.Condition {
	return purge.Condition{Part: part, Field: name, Op: purge.Matches, Text: expression}
}

// any tells whether there is no condition.
func (c *conditions) any() bool { return c.hosts == nil && c.path.kind == pathNone && c.rest == nil }

// selectors returns what the conditions come down to: everything, paths or
// URLs, those of each host where hosts are named, and bans of what is below
// these where there are other conditions.
func (c conditions) selectors() (selectors []purge.Selector, err error) {
	if c.hosts == nil && c.path.kind == pathExact {
		c.rest = append(c.rest, matches(purge.PartURL, "", c.path.expression))
		c.path = plainPath{}
	}
	scopes, err := c.scopes()
	if err != nil || c.rest == nil {
		return scopes, err
	}
	ban, err := purge.Ban(c.rest...)
	if err != nil || ban.Kind.HasTag() { // conditions that always hold
		return scopes, err
	}
	for _, scope := range scopes {
		s, err := ban.Under(scope)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, s)
	}
	return selectors, nil
}

// scopes returns hosts and path as selectors, everything where there are none.
func (c conditions) scopes() (scopes []purge.Selector, err error) {
	switch {
	case c.hosts == nil && c.path.kind == pathNone:
		return []purge.Selector{purge.All()}, nil
	case c.hosts == nil:
		return one(purge.Path(c.path.text))
	}
	for _, host := range c.hosts {
		s, err := c.path.on(host)
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

// matchesAll tells whether an expression is met by any text.
func matchesAll(expression string) bool {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return false
	}
	room := maxTextBytes
	texts, ok := expand(re, &room)
	if !ok || len(texts) != 1 {
		return false
	}
	rest := strings.TrimSuffix(strings.TrimPrefix(texts[0], textBegin), textEnd)
	return rest == textRest || rest == "" && texts[0] != textBegin+textEnd
}
