package httpcache

import "github.com/rescind-edge/rescind/internal/field"

// normalReader yields the normal form of a field's value byte by byte: its
// lines joined by commas, no white space around commas and at the ends, one
// space for any other run of it, and quoted strings as they are (RFC 9111
// section 4.1). Byte by byte, because look-ups compare it without building it.
type normalReader struct {
	fields field.Fields
	name   string

	rest    string // of the current line
	started bool   // the first line was found
	quoted  bool   // inside a quoted string
	escaped bool   // behind a backslash inside it
	last    byte   // yielded last; 0 at first
	held    byte   // to be yielded after a space; 0: none
}

func (r *normalReader) next() (c byte, ok bool) {
	if r.held != 0 {
		c, r.held = r.held, 0
		return r.yield(c), true
	}
	space := false
	for {
		c, ok = r.raw()
		switch {
		case !ok:
			return 0, false
		case !r.quoted && (c == ' ' || c == '\t'):
			space = true
			continue
		case space && c != ',' && r.last != ',' && r.last != 0:
			r.held = c
			return r.yield(' '), true
		}
		return r.yield(c), true
	}
}

func (r *normalReader) yield(c byte) byte {
	switch {
	case r.escaped:
		r.escaped = false
	case c == '\\':
		r.escaped = r.quoted
	case c == '"':
		r.quoted = !r.quoted
	}
	r.last = c
	return c
}

// raw yields the bytes of all lines, with a comma between lines. A quoted
// string does not reach over the end of a line.
func (r *normalReader) raw() (c byte, ok bool) {
	if r.rest != "" {
		c, r.rest = r.rest[0], r.rest[1:]
		return c, true
	}
	for len(r.fields) > 0 {
		f := r.fields[0]
		r.fields = r.fields[1:]
		if !field.EqualFold(f.Name, r.name) {
			continue
		}
		if r.started {
			r.rest, r.quoted, r.escaped = f.Value, false, false
			return ',', true
		}
		r.started = true
		if f.Value != "" {
			c, r.rest = f.Value[0], f.Value[1:]
			return c, true
		}
	}
	return 0, false
}

func appendNormal(dst []byte, req field.Fields, name string) []byte {
	r := normalReader{fields: req, name: name}
	for c, ok := r.next(); ok; c, ok = r.next() {
		dst = append(dst, c)
	}
	return dst
}
