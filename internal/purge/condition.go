package purge

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// condition is a compiled Condition.
type condition struct {
	part   Part
	field  string
	negate bool
	exact  string
	re     *regexp.Regexp // nil: compare with exact
	query  field.QueryRule
	weight int
}

// compile makes a condition ready. Its query rule is the service's.
func (c Condition) compile(query field.QueryRule) (condition, error) {
	out := condition{part: c.Part, field: c.Field, exact: c.Text, query: query, weight: 1}
	if c.Part < PartURL || c.Part > PartHeader || c.Op < Equal || c.Op > Mismatch {
		return out, badSelector("a condition of a ban that looks at nothing, or compares with nothing")
	}
	if c.Part == PartHeader && !field.ValidName(c.Field) || c.Part != PartHeader && c.Field != "" {
		return out, badSelector("%q cannot be the name of a header", clip(c.Field))
	}
	if !field.ValidValue(c.Text) {
		return out, badSelector("a condition of a ban holds a control character")
	}
	out.negate = c.Op.negative()
	var err error
	switch {
	case c.Op == Matches || c.Op == Mismatch:
		out.re, out.weight, err = compileRegexp(c.Text, maxRegexpBytes)
	case c.Part == PartStatus:
		if n, bad := strconv.Atoi(c.Text); bad != nil || n < 100 || n > 999 {
			err = badSelector("%q is not a status code", clip(c.Text))
		}
	case c.Part == PartHost:
		out.exact = strings.ToLower(c.Text)
	}
	return out, err
}

// holds tells whether a response satisfies the condition.
func (c *condition) holds(o Subject) bool {
	switch c.part {
	case PartStatus:
		var room [20]byte
		return c.test(string(strconv.AppendInt(room[:0], int64(o.Status()), 10)))
	case PartHeader:
		return c.holdsForField(o)
	}
	host, raw := splitURL(o.URL())
	switch {
	case host == "":
		return false // known by its tags alone
	case c.part == PartHost:
		return c.test(host) || c.test(field.Hostname(host))
	}
	return c.holdsForTarget(raw)
}

// test compares one text. What is too long for a regular expression satisfies
// it and its opposite.
func (c *condition) test(text string) bool {
	if c.re == nil {
		return (text == c.exact) != c.negate
	}
	return len(text) > maxTested || c.re.MatchString(text) != c.negate
}

// holdsForField is satisfied by one line, or, where negative, by all. A field
// that is not there is an empty one.
func (c *condition) holdsForField(o Subject) bool {
	found := false
	for i := range o.NumFields() {
		f, _ := o.Field(i)
		if !field.EqualFold(f.Name, c.field) {
			continue
		}
		found = true
		if holds := c.test(f.Value); holds != c.negate {
			return holds
		}
	}
	if !found {
		return c.test("")
	}
	return c.negate
}

// holdsForTarget is satisfied by one of the spellings of a target: as it was
// asked for, with its path in normal form, and with what the cache key keeps of
// the query.
func (c *condition) holdsForTarget(raw string) bool {
	if c.test(raw) {
		return true
	}
	path, query, hasQuery := field.SplitRaw(raw)
	normal := field.NormalPath(path)
	if normal == path && (!hasQuery || c.query.Mode == field.QueryAll) {
		return false
	}
	keyed := c.query.Apply(field.Target{Path: path, Query: query, HasQuery: hasQuery})
	if c.test(keyed.Raw()) {
		return true
	}
	keyed.Path = normal
	return c.test(keyed.Raw())
}

// splitURL returns host and target of an absolute URL.
func splitURL(url string) (host, raw string) {
	_, rest, ok := strings.Cut(url, "//")
	if !ok {
		return "", ""
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		return rest, "/"
	}
	return rest[:end], rest[end:]
}
