package store

import (
	"cmp"
	"encoding/binary"
	"net/textproto"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// HeadSpec is what a Head is made of.
type HeadSpec struct {
	Status  int
	Fields  field.Fields           // end-to-end fields in the origin's order
	Hidden  func(name string) bool // fields kept but not delivered, such as tag headers; nil: none
	Tags    []field.Tag
	Keys    []string // surrogate keys, for people who ask
	Stamp   field.Position
	Times   field.Times
	Born    int64  // Unix nanoseconds from which age counts
	Variant string // the variant key of httpcache
	URL     string // for people, logs and the count of a URL purge
	Flags   Flags
	Length  int64 // of the body, -1 while unknown
}

const (
	colon = ": "
	crlf  = "\r\n"
)

// specLine is one field line on its way into a Head.
type specLine struct {
	field.Field
	hidden bool
	at     int // where its text begins
}

// keyPlace says where a key's text is: within a line's value, or nowhere yet.
type keyPlace struct {
	line, at int // line < 0: in no line
}

// NewHead makes a Head on the heap. Names longer than 65,535 bytes do not occur:
// the client towards the origin bounds a head far below. A key that long is cut.
func NewHead(s HeadSpec) *Head {
	var room [24]specLine
	lines, shown := sortedLines(room[:0], s)
	places, loose := placeKeys(lines, s.Keys)

	index := fixedBytes + tagBytes*len(s.Tags)
	at := index + refBytes*(len(lines)+len(s.Keys)) + loose
	for i := range lines {
		lines[i].at = at
		at += len(lines[i].Name) + len(colon) + len(lines[i].Value) + len(crlf)
	}
	size := at + len(s.Variant) + len(s.URL)
	h := newBlock(size)
	*h = Head{
		size: uint32(size), end: uint32(at), status: uint16(s.Status), flags: s.Flags, tags: uint32(len(s.Tags)),
		fields: uint32(len(lines)), shown: uint32(shown), keys: uint32(len(s.Keys)), variant: uint32(len(s.Variant)),
		stamp: uint64(s.Stamp), times: s.Times, born: s.Born, length: s.Length,
	}
	b := h.block(size)
	for i, t := range s.Tags {
		*(*field.Tag)(h.at(fixedBytes + tagBytes*i)) = t
	}
	for i, l := range lines {
		putRef(b[index+refBytes*i:], l.at, len(l.Name))
		n := l.at + copy(b[l.at:], l.Name)
		n += copy(b[n:], colon)
		n += copy(b[n:], l.Value)
		copy(b[n:], crlf)
	}
	index += refBytes * len(lines)
	free := index + refBytes*len(s.Keys)
	for i, k := range s.Keys {
		k = cutKey(k)
		off := free
		if p := places[i]; p.line >= 0 {
			off = lines[p.line].at + len(lines[p.line].Name) + len(colon) + p.at
		} else {
			free += copy(b[free:], k)
		}
		putRef(b[index+refBytes*i:], off, len(k))
	}
	copy(b[at:], s.Variant)
	copy(b[at+len(s.Variant):], s.URL)
	return h
}

func putRef(b []byte, off, n int) {
	binary.LittleEndian.PutUint32(b, uint32(off))
	binary.LittleEndian.PutUint16(b[4:], uint16(n))
}

// sortedLines appends the lines in the order of a Head, and returns how many
// are shown.
func sortedLines(lines []specLine, s HeadSpec) ([]specLine, int) {
	shown := len(s.Fields)
	for _, f := range s.Fields {
		hidden := s.Hidden != nil && s.Hidden(f.Name)
		if hidden {
			shown--
		}
		f.Name = textproto.CanonicalMIMEHeaderKey(f.Name)
		lines = append(lines, specLine{Field: f, hidden: hidden})
	}
	slices.SortStableFunc(lines, func(a, b specLine) int {
		if a.hidden != b.hidden {
			if a.hidden {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return lines, shown
}

const mostKeyBytes = 1<<16 - 1

func cutKey(k string) string { return k[:min(len(k), mostKeyBytes)] }

// placeKeys finds the text of keys in the lines that they came from, where it
// need not be stored again; loose is how many bytes are not there. Keys come in
// the order of their field, so one pass finds them; the first that it does not
// find ends the search.
func placeKeys(lines []specLine, keys []string) (places []keyPlace, loose int) {
	if len(keys) == 0 {
		return nil, 0
	}
	places = make([]keyPlace, len(keys))
	line, at := 0, 0
	for i, k := range keys {
		k = cutKey(k)
		for line < len(lines) {
			if n := strings.Index(lines[line].Value[at:], k); n >= 0 {
				at += n
				places[i] = keyPlace{line, at}
				at += len(k)
				break
			}
			line, at = line+1, 0
		}
		if line == len(lines) {
			places[i] = keyPlace{line: -1}
			loose += len(k)
		}
	}
	return places, loose
}
