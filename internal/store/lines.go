package store

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// NumFields returns the number of field lines, hidden ones included.
func (h *Head) NumFields() int { return int(h.fields) }

// NumShown returns the number of field lines that are delivered: lines from
// there on are hidden.
func (h *Head) NumShown() int { return int(h.shown) }

// lineBounds returns where line i begins and ends, and the length of its name.
func (h *Head) lineBounds(i int) (from, to, name int) {
	from, name = h.ref(i)
	to = int(h.end)
	if i+1 < int(h.fields) {
		to, _ = h.ref(i + 1)
	}
	return from, to, name
}

// Name returns the name of line i of NumFields.
func (h *Head) Name(i int) string {
	off, n := h.ref(i)
	return h.text(off, off+n)
}

// Field returns line i of NumFields, and whether it is not delivered.
func (h *Head) Field(i int) (f field.Field, hidden bool) {
	from, to, name := h.lineBounds(i)
	return lineField(h.text(from, to), name), i >= int(h.shown)
}

// lineField takes a line's text apart.
func lineField(line string, name int) field.Field {
	return field.Field{Name: line[:name], Value: line[name+len(colon) : len(line)-len(crlf)]}
}

// Wire returns lines from up to but not including to as they go on an HTTP/1
// wire, each ended by CRLF: 0 <= from <= to <= NumFields. It copies nothing.
func (h *Head) Wire(from, to int) string {
	if from >= to {
		return ""
	}
	begin, _ := h.ref(from)
	_, end, _ := h.lineBounds(to - 1)
	return h.text(begin, end)
}

// Find returns the first line of that name at or behind line from, and whether
// there is one. Lines of one name follow each other.
func (h *Head) Find(name string, from int) (i int, ok bool) {
	for i := from; i < int(h.fields); i++ {
		off, n := h.ref(i)
		if n == len(name) && field.EqualFold(h.text(off, off+n), name) {
			return i, true
		}
	}
	return 0, false
}

// Get returns the first value of a field, hidden or not.
func (h *Head) Get(name string) (string, bool) {
	i, ok := h.Find(name, 0)
	if !ok {
		return "", false
	}
	f, _ := h.Field(i)
	return f.Value, true
}

// AppendFields appends the field lines to dst, with the hidden ones only where
// they are asked for.
func (h *Head) AppendFields(dst field.Fields, withHidden bool) field.Fields {
	for i := range h.count(withHidden) {
		f, _ := h.Field(i)
		dst = append(dst, f)
	}
	return dst
}

// CopyFields is AppendFields for those who use the fields after they released
// the Head: one copy of their text on the heap stands behind all of them.
func (h *Head) CopyFields(dst field.Fields, withHidden bool) field.Fields {
	n := h.count(withHidden)
	if n == 0 {
		return dst
	}
	first, _ := h.ref(0)
	text := strings.Clone(h.Wire(0, n))
	for i := range n {
		from, to, name := h.lineBounds(i)
		dst = append(dst, lineField(text[from-first:to-first], name))
	}
	return dst
}

func (h *Head) count(withHidden bool) int {
	if withHidden {
		return int(h.fields)
	}
	return int(h.shown)
}
