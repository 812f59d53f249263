package live

import (
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/event"
)

// textTest compares a text with values or with patterns.
type textTest struct {
	of       func(*event.Request) string
	values   []string  // without patterns
	patterns []pattern // without values
	not      bool
}

func (t textTest) match(r *event.Request) bool { return t.holds(t.of(r)) != t.not }

func (t textTest) holds(s string) bool {
	return slices.Contains(t.values, s) || slices.ContainsFunc(t.patterns, func(p pattern) bool { return p.match(s) })
}

// text builds tests of a text.
func text(of func(*event.Request) string) builder {
	return func(p *parser, c clause) (test, error) {
		if err := p.allow(c, equal, notEqual, like, notLike); err != nil {
			return nil, err
		}
		t := textTest{of: of, not: c.op.negated()}
		for _, v := range c.values {
			t.add(c.op, v.text)
		}
		return t, nil
	}
}

func (t *textTest) add(op operator, value string) {
	if op == like || op == notLike {
		t.patterns = append(t.patterns, newPattern(value))
	} else {
		t.values = append(t.values, value)
	}
}

// outcomes are the values that the field of that name can have.
var outcomes = [...]event.Outcome{
	event.OutcomeHit, event.OutcomeStale, event.OutcomeMiss, event.OutcomePass, event.OutcomeError, event.OutcomePurge,
	event.OutcomeRefused,
}

// outcome builds tests of the outcome. A word that is none would never match,
// so it is a mistake.
func outcome(p *parser, c clause) (test, error) {
	for _, v := range c.values {
		exact := c.op == equal || c.op == notEqual
		if exact && !slices.Contains(outcomes[:], event.Outcome(v.text)) {
			return nil, p.errorf(v.at, "unknown outcome %.40q: want one of hit, stale, miss, pass, error, purge, refused", v.text)
		}
	}
	return text(func(r *event.Request) string { return string(r.Outcome) })(p, c)
}

// hostTest compares hosts in lower case, with their port for the values that
// have one.
type hostTest struct {
	with, without textTest
	not           bool
}

func (t hostTest) match(r *event.Request) bool {
	whole := strings.ToLower(r.Host)
	name := whole
	if i := portAt(whole); i >= 0 {
		name = whole[:i]
	}
	return (t.with.holds(whole) || t.without.holds(name)) != t.not
}

// host builds tests of the host.
func host(p *parser, c clause) (test, error) {
	if err := p.allow(c, equal, notEqual, like, notLike); err != nil {
		return nil, err
	}
	t := hostTest{not: c.op.negated()}
	for _, v := range c.values {
		if value := strings.ToLower(v.text); portAt(value) >= 0 {
			t.with.add(c.op, value)
		} else {
			t.without.add(c.op, value)
		}
	}
	return t, nil
}

// portAt returns the index of the colon before a host's port, or -1. The colons
// of an IPv6 address stand in brackets.
func portAt(host string) int {
	i := strings.LastIndexByte(host, ':')
	if strings.IndexByte(host[i+1:], ']') >= 0 {
		return -1
	}
	return i
}
