package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// directive is one member of Cache-Control (RFC 9111 section 5.2).
type directive struct {
	name      string
	value     string // without its quotes
	hasValue  bool
	malformed bool // has white space around "=", or a value of a type it cannot have
}

func (d *directive) is(name string) bool { return field.EqualFold(d.name, name) }

// directives walks the members of all lines of a field. Each line is read by
// itself: a quote left open on one does not hide what the next forbids.
type directives struct {
	fields field.Fields
	name   string
	rest   string
}

func (s *directives) next() (d directive, ok bool) {
	for {
		for s.rest == "" {
			if s.rest, ok = s.line(); !ok {
				return directive{}, false
			}
		}
		var member string
		member, s.rest = cutMember(s.rest)
		if member = field.Trim(member); member != "" {
			return parseDirective(member), true
		}
	}
}

func (s *directives) line() (value string, ok bool) {
	for len(s.fields) > 0 {
		f := s.fields[0]
		s.fields = s.fields[1:]
		if field.EqualFold(f.Name, s.name) {
			return f.Value, true
		}
	}
	return "", false
}

// cutMember cuts a list at its first comma outside of a quoted string. A quote
// that is never closed quotes nothing.
func cutMember(list string) (member, rest string) {
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case ',':
			return list[:i], list[i+1:]
		case '"':
			if end := quotedEnd(list[i:]); end > 0 {
				i += end - 1
			}
		}
	}
	return list, ""
}

// quotedEnd returns the length of the quoted string that s begins with, or 0
// where it is not closed (RFC 9110 section 5.6.4).
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func parseDirective(member string) directive {
	name, value, hasValue := strings.Cut(member, "=")
	if !hasValue {
		return directive{name: name}
	}
	d := directive{name: field.Trim(name), value: field.Trim(value), hasValue: true}
	d.malformed = len(d.name) != len(name) || len(d.value) != len(value)
	if len(d.value) >= 2 && d.value[0] == '"' && quotedEnd(d.value) == len(d.value) {
		d.value = d.value[1 : len(d.value)-1]
	}
	return d
}
