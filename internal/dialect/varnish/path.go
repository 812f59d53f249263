package varnish

import (
	"net/http"
	"regexp/syntax"
	"strings"

	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// plainPath is an expression for path and query that needs no matching.
type plainPath struct {
	kind       pathKind
	text       string // path, and with pathExact the query
	expression string // where it comes from
}

type pathKind uint8

const (
	pathNone  pathKind = iota // it is not plain
	pathExact                 // one path and query
	pathUnder                 // all below a path that ends in a slash
)

// readPath takes an expression apart that begins at the beginning: "^/a$" is one
// path, "^/a/.*" and "^/a/" are all below it. "^/a" is neither: it takes "/ab".
func readPath(expression string) plainPath {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return plainPath{}
	}
	room := maxTextBytes
	texts, ok := expand(re, &room)
	if !ok || len(texts) != 1 {
		return plainPath{}
	}
	text, anchored := strings.CutPrefix(texts[0], textBegin)
	text, ended := strings.CutSuffix(text, textEnd)
	text, open := strings.CutSuffix(text, textRest)
	p := plainPath{text: text, expression: expression}
	switch {
	case !anchored || !strings.HasPrefix(text, "/") || strings.ContainsAny(text, textBegin+textEnd+textRest):
		return plainPath{}
	case ended && !open:
		p.kind = pathExact
	case strings.HasSuffix(text, "/") && !strings.Contains(text, "?"):
		p.kind = pathUnder
	default:
		return plainPath{}
	}
	return p
}

// on selects the path on a host, all of the host where there is no path.
func (p plainPath) on(host string) (purge.Selector, error) {
	switch p.kind {
	case pathExact:
		return purge.URL("//" + host + dialect.EscapeHash(p.text))
	case pathUnder:
		return purge.Path("//" + host + dialect.EscapeHash(p.text))
	}
	return purge.Host(host)
}

// targetPattern selects by a request's own target: the URL itself, or, where it
// holds what only an expression does, all that the expression matches on the
// request's host. Expressions of this kind begin at the beginning.
func targetPattern(r *http.Request) ([]purge.Selector, error) {
	raw := strings.TrimSuffix(dialect.OriginForm(r.RequestURI), "?vhp-regex")
	if under, ok := strings.CutSuffix(raw, ".*"); ok && !expressive(under) && strings.HasSuffix(under, "/") {
		return one(underTarget(r, under))
	}
	switch plain := !expressive(raw); {
	case plain && !byExpression(r):
		return one(purge.URL(dialect.TargetURL(r)))
	case plain && strings.HasSuffix(raw, "/"):
		return one(underTarget(r, raw))
	}
	host, err := purge.Host(r.Host)
	if err != nil {
		return nil, err
	}
	ban, err := purge.Ban(matches(purge.PartURL, "", "^"+raw))
	if err != nil || ban.Kind.HasTag() { // it matches any URL
		return one(host, err)
	}
	return one(ban.Under(host))
}

func underTarget(r *http.Request, path string) (purge.Selector, error) {
	host, ok := field.NormalHost("", r.Host)
	if !ok {
		return purge.Host(r.Host)
	}
	return purge.Path("//" + field.Hostname(host) + dialect.EscapeHash(path))
}

// expressive tells whether a target holds what URLs do not hold, or not
// escaped, and expressions do. A dot, a plus, a question mark and parentheses
// stand in plain URLs; behind ".", "*" and "+" are expressions.
func expressive(raw string) bool {
	return strings.ContainsAny(raw, `^\|{}[]`) || strings.HasSuffix(raw, "$") ||
		strings.Contains(raw, ".*") || strings.Contains(raw, ".+")
}
