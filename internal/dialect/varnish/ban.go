package varnish

import (
	"fmt"
	"net/http"
	"regexp/syntax"
	"strings"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
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
		if rest, err := banned(r); err != nil || !rest.any() {
			return rest.withField(tagField, lines).selectors(err)
		}
		return byPattern(tagField, lines)
	}
	if !hasField("X-Host", "X-Url", "X-Content-Type")(r) {
		return targetPattern(r)
	}
	b, err := banned(r)
	return b.selectors(err)
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
			match, err := byMatch(dialect.Match{Fields: []dialect.FieldMatch{{Name: name, Regexp: e}}})
			if err != nil {
				return nil, err
			}
			selectors = append(selectors, match...)
		}
	}
	return selectors, nil
}

func tooLong(expression string) error {
	return fmt.Errorf("%w: an expression of %d bytes; the limit is %d", control.ErrBadRequest, len(expression), maxExpression)
}

func byMatch(m dialect.Match) ([]purge.Selector, error) { return one(m.Selector()) }

// conditions of a BAN, all of which must hold. An empty one does.
type conditions struct {
	hosts []string // exact; nil: match.Host decides
	path  plainPath
	match dialect.Match
}

// banned reads the fields that FOSHttpCache agreed on with its VCL: expressions
// for host, URL (path and query) and content type.
func banned(r *http.Request) (c conditions, err error) {
	for _, f := range []struct {
		name string
		take func(expression string)
	}{
		{"X-Host", c.takeHost}, {"X-Url", c.takeURL},
		{"X-Content-Type", func(e string) { c.addField("Content-Type", e) }},
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

func (c *conditions) takeHost(expression string) {
	u, ok := parseUnion(expression)
	if ok && strings.HasPrefix(expression, "^") && !u.all {
		for _, host := range u.tags {
			if normal, valid := field.NormalHost("", host); valid {
				c.hosts = append(c.hosts, field.Hostname(normal))
			}
		}
		if len(c.hosts) == len(u.tags) {
			return
		}
	}
	c.hosts, c.match.Host = nil, expression
}

func (c *conditions) takeURL(expression string) {
	if p := readPath(expression); p.kind != pathNone {
		c.path = p
		return
	}
	c.match.URL = expression
}

func (c *conditions) addField(name, expression string) {
	c.match.Fields = append(c.match.Fields, dialect.FieldMatch{Name: name, Regexp: expression})
}

// withField adds expressions for a field, all of which must hold.
func (c conditions) withField(name string, expressions []string) conditions {
	for _, e := range expressions {
		c.addField(name, e)
	}
	return c
}

func (c *conditions) any() bool {
	return c.hosts == nil && c.path.kind == pathNone && c.match.Host == "" && c.match.URL == "" && c.match.Fields == nil
}

// selectors returns what the conditions come down to: everything, hosts, paths
// or URLs where they are as plain as that.
func (c conditions) selectors(err error) ([]purge.Selector, error) {
	switch plain := c.match.Host == "" && c.match.URL == "" && c.match.Fields == nil; {
	case err != nil:
		return nil, err
	case c.any():
		return []purge.Selector{purge.All()}, nil
	case !plain, c.path.kind == pathExact && c.hosts == nil:
		return byMatch(c.asMatch())
	case c.hosts == nil:
		return one(purge.Path(c.path.text))
	}
	var selectors []purge.Selector
	for _, host := range c.hosts {
		s, err := c.path.on(host)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, s)
	}
	return selectors, nil
}

// asMatch gives all conditions the form of expressions.
func (c conditions) asMatch() dialect.Match {
	m := c.match
	if c.hosts != nil {
		m.Host = "^(" + joinQuoted(c.hosts) + ")$"
	}
	if c.path.kind != pathNone {
		m.URL = c.path.expression
	}
	return m
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
