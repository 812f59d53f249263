package httpcache

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// maxVaryNames bounds what every look-up of a variant compares. Responses that
// differ by more fields than this have as many variants as requests.
const maxVaryNames = 32

// A variant key lists the selecting fields of a response, sorted by name, each
// as its name in lower case and the value that the request had, in normal form.
// Both are preceded by their length as a uvarint; that of the value is one
// more, so that 0 means absent. The key of a response without Vary is "".

// Variant returns the variant key of a response whose Vary lines are joined to
// vary, for the request that it answered (RFC 9111 section 4.1). ok is false
// where no later request can match: Vary has "*", something that is no field
// name, or more names than are worth comparing.
func Variant(vary string, req field.Fields) (key string, ok bool) {
	names, ok := varyNames(vary)
	if !ok || len(names) == 0 {
		return "", ok
	}
	var b []byte
	for _, name := range names {
		b = appendSelecting(b, name, req)
	}
	return string(b), true
}

func variantOf(resp, req field.Fields) (key string, ok bool) {
	vary, _ := resp.Joined("Vary")
	return Variant(vary, req)
}

// varyNames returns the names of Vary in lower case, sorted and each once.
func varyNames(vary string) (names []string, ok bool) {
	for vary != "" {
		var name string
		name, vary, _ = strings.Cut(vary, ",")
		if name = field.Trim(name); name == "" {
			continue
		}
		if name == "*" || !field.ValidName(name) {
			return nil, false
		}
		if name = strings.ToLower(name); slices.Contains(names, name) {
			continue
		}
		if len(names) == maxVaryNames {
			return nil, false
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, true
}

func appendSelecting(b []byte, name string, req field.Fields) []byte {
	b = binary.AppendUvarint(b, uint64(len(name)))
	b = append(b, name...)
	if !req.Has(name) {
		return binary.AppendUvarint(b, 0)
	}
	value := appendNormal(nil, req, name)
	b = binary.AppendUvarint(b, uint64(len(value))+1)
	return append(b, value...)
}

// SameVariant returns the key that a response to req would have if it varied by
// the same fields as the one with the given key. Of a key that Variant did not
// make it reads what it can.
func SameVariant(key string, req field.Fields) string {
	var b []byte
	for key != "" {
		s, ok := cutSelecting(&key)
		if !ok {
			break
		}
		b = appendSelecting(b, s.name, req)
	}
	return string(b)
}

// VariantMatches tells whether the response with that key may answer the
// request (RFC 9111 section 4.1). It does not allocate.
func VariantMatches(key string, req field.Fields) bool {
	for key != "" {
		s, ok := cutSelecting(&key)
		if !ok || !s.matches(req) {
			return false
		}
	}
	return true
}

// VariantSelects tells whether a variant key has a field whose name, in lower
// case, is wanted.
func VariantSelects(key string, wanted func(name string) bool) bool {
	for key != "" {
		s, ok := cutSelecting(&key)
		if !ok {
			return false
		}
		if wanted(s.name) {
			return true
		}
	}
	return false
}

// VariantText returns a variant key for people: "accept-language: en", several
// fields apart by "; ", and "-" for a field that the request did not have.
func VariantText(key string) string {
	var parts []string
	for key != "" {
		s, ok := cutSelecting(&key)
		if !ok {
			break
		}
		value := s.value
		if !s.present {
			value = "-"
		}
		parts = append(parts, s.name+": "+value)
	}
	return strings.Join(parts, "; ")
}

// selecting is one field in a variant key.
type selecting struct {
	name, value string
	present     bool
}

// cutSelecting takes the first field off a key.
func cutSelecting(key *string) (s selecting, ok bool) {
	n, ok := cutUvarint(key)
	if !ok || n > uint64(len(*key)) {
		return selecting{}, false
	}
	s.name, *key = (*key)[:n], (*key)[n:]
	n, ok = cutUvarint(key)
	if !ok || n == 0 {
		return s, ok
	}
	if n-1 > uint64(len(*key)) {
		return selecting{}, false
	}
	s.present = true
	s.value, *key = (*key)[:n-1], (*key)[n-1:]
	return s, true
}

// cutUvarint is binary.Uvarint for a string.
func cutUvarint(s *string) (n uint64, ok bool) {
	for i := 0; i < len(*s) && i < binary.MaxVarintLen64; i++ {
		c := (*s)[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			*s = (*s)[i+1:]
			return n, true
		}
	}
	return 0, false
}

func (s *selecting) matches(req field.Fields) bool {
	value, present := req.Get(s.name)
	if present != s.present {
		return false
	}
	if !present || value == s.value && req.Count(s.name) == 1 {
		return true
	}
	r := normalReader{fields: req, name: s.name}
	for i := 0; ; i++ {
		c, more := r.next()
		if !more {
			return i == len(s.value)
		}
		if i == len(s.value) || c != s.value[i] {
			return false
		}
	}
}
