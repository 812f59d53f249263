package field

import (
	"slices"
	"strings"
)

// Field is one header field line as it was received: the name in the sender's
// spelling, the value without surrounding white space.
type Field struct {
	Name, Value string
}

// Fields is an ordered list of field lines. Names compare without regard to
// ASCII case (RFC 9110 section 5.1). Lists are short, so every look-up is a
// scan; a scan over contiguous memory is cheaper than a map at these sizes and
// keeps the order that combining repeated lines depends on.
type Fields []Field

// Get returns the value of the first line named name, and whether there is one.
func (f Fields) Get(name string) (value string, ok bool) {
	for i := range f {
		if EqualFold(f[i].Name, name) {
			return f[i].Value, true
		}
	}
	return "", false
}

// Has tells whether there is a line named name.
func (f Fields) Has(name string) bool {
	_, ok := f.Get(name)
	return ok
}

// Count returns the number of lines named name.
func (f Fields) Count(name string) int {
	n := 0
	for i := range f {
		if EqualFold(f[i].Name, name) {
			n++
		}
	}
	return n
}

// Joined returns all lines named name combined with ", " in their order
// (RFC 9110 section 5.3), and whether there is one. One line costs nothing;
// several allocate.
func (f Fields) Joined(name string) (value string, ok bool) {
	first := -1
	for i := range f {
		if EqualFold(f[i].Name, name) {
			if first < 0 {
				first = i
				continue
			}
			return f.joinFrom(first, name), true
		}
	}
	if first < 0 {
		return "", false
	}
	return f[first].Value, true
}

func (f Fields) joinFrom(first int, name string) string {
	var b strings.Builder
	b.WriteString(f[first].Value)
	for i := first + 1; i < len(f); i++ {
		if EqualFold(f[i].Name, name) {
			b.WriteString(", ")
			b.WriteString(f[i].Value)
		}
	}
	return b.String()
}

// Add returns f with a line appended.
func (f Fields) Add(name, value string) Fields {
	return append(f, Field{Name: name, Value: value})
}

// Without returns f with every line named name removed, in place.
func (f Fields) Without(name string) Fields {
	kept := f[:0]
	for _, line := range f {
		if !EqualFold(line.Name, name) {
			kept = append(kept, line)
		}
	}
	return kept
}

// Set returns f with one line of that name and value: the first is replaced,
// others removed; where there is none, it is appended.
func (f Fields) Set(name, value string) Fields {
	kept, done := f[:0], false
	for _, line := range f {
		if EqualFold(line.Name, name) {
			if done {
				continue
			}
			line, done = Field{Name: name, Value: value}, true
		}
		kept = append(kept, line)
	}
	if !done {
		kept = kept.Add(name, value)
	}
	return kept
}

// mostInserted is up to how many lines inserting one after the other is quick
// enough whatever their order.
const mostInserted = 64

// SortByName puts the lines in the order of their names as they are spelled,
// those of one name in their own. It is quick where few are out of place.
func (f Fields) SortByName() {
	if len(f) > mostInserted {
		slices.SortStableFunc(f, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(f); i++ {
		for j := i; j > 0 && f[j].Name < f[j-1].Name; j-- {
			f[j], f[j-1] = f[j-1], f[j]
		}
	}
}

// Clone returns a copy that shares no lines with f.
func (f Fields) Clone() Fields {
	return append(Fields(nil), f...)
}

// Size returns the bytes that f takes on an HTTP/1 wire: name, value, a colon,
// a space and a line end for each line.
func (f Fields) Size() int {
	n := 0
	for i := range f {
		n += len(f[i].Name) + len(f[i].Value) + 4
	}
	return n
}

// EqualFold compares two field names without regard to ASCII case.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}

// ValidName tells whether s is a token, as a field name must be
// (RFC 9110 section 5.1).
func ValidName(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !IsTokenByte(s[i]) {
			return false
		}
	}
	return true
}

// IsTokenByte tells whether c may stand in a token (RFC 9110 section 5.6.2).
func IsTokenByte(c byte) bool { return tokenBytes[c] }

var tokenBytes = func() (is [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		is[c] = true
	}
	return is
}()

// ValidValue tells whether s may be a field value: visible bytes, spaces, tabs
// and bytes above 0x7f, and no control characters (RFC 9110 section 5.5).
func ValidValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 0x20 && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

// Trim removes optional white space (spaces and tabs) from both ends.
func Trim(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
