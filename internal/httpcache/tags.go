package httpcache

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Limits of a tag header where it sets none: those that the clients of
// Surrogate-Key were built for.
const (
	DefaultMaxKey   = 1024
	DefaultMaxValue = 16384
)

// TagHeader is a response field that carries surrogate keys, and how it is read.
type TagHeader struct {
	Name string
	// Separators is the set of bytes that separate keys. "": a space. White
	// space around a key is never part of it.
	Separators string
	FoldCase   bool // keys compare without regard to ASCII case, and are returned in lower case
	Keep       bool // the field is delivered to clients
	FirstOnly  bool // only the first line of the field counts
	MaxKey     int  // longest key, in bytes; 0: DefaultMaxKey
	MaxValue   int  // how far into all lines together a key may reach, in bytes; 0: DefaultMaxValue
	MaxKeys    int  // most keys of the field; 0: no limit but MaxValue
}

var defaultTagHeaders = [...]TagHeader{{Name: "Surrogate-Key", Separators: " \t"}}

func effective(headers []TagHeader) []TagHeader {
	if headers == nil {
		return defaultTagHeaders[:]
	}
	return headers
}

// HidesField tells whether a response field is for this cache and not for
// clients: tag headers, unless they are kept, and Surrogate-Control. It stays
// with the stored response, because a 304 need not repeat it. nil headers:
// Surrogate-Key.
func HidesField(headers []TagHeader, name string) bool {
	if field.EqualFold(name, "Surrogate-Control") {
		return true
	}
	for _, h := range effective(headers) {
		if !h.Keep && field.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

// TagList is the surrogate keys of a response.
type TagList struct {
	Keys    []string // in the order of the headers; a key may be there twice
	Ignored int      // keys that were not taken: over a limit, or not printable ASCII
}

// Tags returns the surrogate keys of a response. The key that reaches a limit
// of its header is ignored with all that follow in that header; a key that has
// bytes outside of 0x21 to 0x7E is ignored alone. nil headers: Surrogate-Key.
func Tags(headers []TagHeader, resp field.Fields) TagList {
	var list TagList
	headers = effective(headers)
	for i := range headers {
		t := tagReader{header: &headers[i], list: &list}
		for _, f := range resp {
			if !field.EqualFold(f.Name, t.header.Name) {
				continue
			}
			t.line(f.Value)
			if t.header.FirstOnly {
				break
			}
		}
	}
	return list
}

// usualKeys is room for the keys that most responses have.
const usualKeys = 8

// tagReader reads one tag header.
type tagReader struct {
	header *TagHeader
	list   *TagList
	offset int // bytes in the lines before
	keys   int
	full   bool // a limit was reached
}

func (t *tagReader) line(value string) {
	separators := t.header.Separators
	if separators == "" {
		separators = " "
	}
	for start := 0; start <= len(value); {
		end := strings.IndexAny(value[start:], separators)
		if end < 0 {
			end = len(value) - start
		}
		if key := field.Trim(value[start : start+end]); key != "" {
			t.key(key, t.offset+start+end)
		}
		start += end + 1
	}
	t.offset += len(value)
}

// key takes a key that ends at an offset into the header.
func (t *tagReader) key(key string, end int) {
	h := t.header
	t.full = t.full || len(key) > orDefault(h.MaxKey, DefaultMaxKey) ||
		end > orDefault(h.MaxValue, DefaultMaxValue) || h.MaxKeys > 0 && t.keys == h.MaxKeys
	if t.full || !printable(key) {
		t.list.Ignored++
		return
	}
	if h.FoldCase {
		key = strings.ToLower(key)
	}
	t.keys++
	if t.list.Keys == nil {
		t.list.Keys = make([]string, 0, usualKeys)
	}
	t.list.Keys = append(t.list.Keys, key)
}

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func printable(key string) bool {
	for i := 0; i < len(key); i++ {
		if key[i] < 0x21 || key[i] > 0x7e {
			return false
		}
	}
	return true
}
