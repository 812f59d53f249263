package purge

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// HeaderMatch is what a selector ByHeader looks for: a field line of the stored
// response, delivered or not, whose name and value both match. Build it by
// Header, which validates.
type HeaderMatch struct {
	// Name is a glob for the field's name, whose case never counts.
	Name string
	// Value is a glob for the line's value; empty: any.
	Value string
	// Separator splits the value into elements, each of which is tested by
	// itself without the white space around it; empty: the value is one.
	Separator string
	// Fold ignores the case of letters in the value.
	Fold bool
}

// foldPrefix before a glob ignores case.
const foldPrefix = "(?i)"

// maxSeparatorBytes bounds HeaderMatch.Separator: "," and ", " are what is used.
const maxSeparatorBytes = 8

// Header selects responses by a header field. In name and value "*" stands for
// any bytes but "/", "?" for one, and a backslash takes the next character for
// itself; "(?i)" before either ignores the case of the value. An empty value
// matches any.
func Header(name, value, separator string) (Selector, error) {
	m := HeaderMatch{Separator: separator}
	var foldName, foldValue bool
	m.Name, foldName = strings.CutPrefix(name, foldPrefix)
	m.Value, foldValue = strings.CutPrefix(value, foldPrefix)
	m.Fold = (foldName || foldValue) && m.Value != ""
	switch {
	case m.Name != "" && strings.Trim(m.Name, "*") == "" && strings.Trim(m.Value, "*") == "":
		return Selector{}, badSelector("any value of any header takes everything; purge everything instead")
	case m.Name != "" && !globName(m.Name):
		return Selector{}, badSelector("%q cannot be the name of a header", clip(m.Name))
	case !field.ValidValue(m.Value):
		return Selector{}, badSelector("the header's value holds a control character")
	case len(separator) > maxSeparatorBytes || !field.ValidValue(separator):
		return Selector{}, badSelector("%q cannot separate values", clip(separator))
	}
	if _, err := compileHeader(m); err != nil {
		return Selector{}, err
	}
	return Selector{Kind: ByHeader, Header: m}, nil
}

// globName tells whether a glob could be a field name: a name, but for "?",
// which no name holds ("*" does).
func globName(s string) bool {
	return field.ValidName(strings.ReplaceAll(s, "?", ""))
}

// String returns the match as one line, such as "X-Product: shoes/*", or the
// name alone where any value will do.
func (m HeaderMatch) String() string {
	text := m.Name
	if m.Value != "" {
		text += ": "
		if m.Fold {
			text += foldPrefix
		}
		text += m.Value
	}
	if m.Separator != "" {
		text += " separated by " + quote(m.Separator)
	}
	return text
}

// header is a compiled HeaderMatch.
type header struct {
	name      string // up to the first wildcard
	names     *glob  // nil: name is the whole
	value     *glob  // nil: any
	separator string
}

func compileHeader(m HeaderMatch) (*header, error) {
	if m.Name == "" {
		return nil, badSelector("the name of the header is empty")
	}
	h := &header{separator: m.Separator}
	h.name = m.Name
	if i := strings.IndexAny(m.Name, "*?"); i >= 0 {
		names, err := compileGlob(m.Name, true)
		if err != nil {
			return nil, err
		}
		h.name, h.names = m.Name[:i], &names
	}
	if m.Value != "" {
		value, err := compileGlob(m.Value, m.Fold)
		if err != nil {
			return nil, err
		}
		h.value = &value
	}
	return h, nil
}

func (h *header) weight() int {
	n := 1
	if h.names != nil {
		n += h.names.weight
	}
	if h.value != nil {
		n += h.value.weight
	}
	return n
}

func (h *header) matches(o Subject) bool {
	for i := range o.NumFields() {
		if f, _ := o.Field(i); h.matchesName(f.Name) && h.matchesValue(f.Value) {
			return true
		}
	}
	return false
}

func (h *header) matchesName(name string) bool {
	if h.names == nil {
		return field.EqualFold(h.name, name)
	}
	n := len(h.name)
	return len(name) >= n && field.EqualFold(h.name, name[:n]) && h.names.test(name)
}

func (h *header) matchesValue(value string) bool {
	if h.value == nil {
		return true
	}
	if h.separator == "" {
		return h.value.test(value)
	}
	for element := range strings.SplitSeq(value, h.separator) {
		if h.value.test(field.Trim(element)) {
			return true
		}
	}
	return false
}

// test is matches, but for a text that is too long for a regular expression.
func (g *glob) test(text string) bool {
	return g.re != nil && len(text) > maxTested || g.matches(text)
}
