package httpcache

import (
	"math"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// maxRanges bounds the parts of one answer: each has a head of its own, so that
// a short request could ask for much more than the whole (RFC 9110 section
// 17.15). A request for more gets the whole.
const maxRanges = 16

// ByteRange is a part of a body, in bytes.
type ByteRange struct{ Start, Length int64 }

// rangeSpec is one member of Range: from first to last, both included. A last
// of toEnd means up to the end, a first of suffix the last so many bytes.
type rangeSpec struct{ first, last int64 }

const (
	toEnd  = math.MaxInt64
	suffix = -1
)

// RangeSet is a parsed Range. The zero value asks for the whole.
type RangeSet struct {
	n     int
	specs [maxRanges]rangeSpec
}

// ParseRange reads the Range of a request (RFC 9110 section 14.2). Another unit
// than bytes, a syntax error, several lines and more ranges than are worth
// answering all mean that it is ignored. It is for GET only; whether If-Range
// lets it count is another question. It does not allocate.
func ParseRange(req field.Fields) RangeSet {
	value, ok := req.Get("Range")
	if !ok || req.Count("Range") > 1 {
		return RangeSet{}
	}
	unit, list, ok := strings.Cut(value, "=")
	if !ok || !field.EqualFold(unit, "bytes") {
		return RangeSet{}
	}
	var s RangeSet
	for list != "" {
		var member string
		member, list, _ = strings.Cut(list, ",")
		if member = field.Trim(member); member == "" {
			continue
		}
		spec, ok := parseRangeSpec(member)
		if !ok || s.n == maxRanges {
			return RangeSet{}
		}
		s.specs[s.n] = spec
		s.n++
	}
	return s
}

func parseRangeSpec(member string) (spec rangeSpec, ok bool) {
	first, last, ok := strings.Cut(member, "-")
	if !ok {
		return rangeSpec{}, false
	}
	if first == "" {
		n, ok := parseOffset(last)
		return rangeSpec{suffix, n}, ok
	}
	if spec.first, ok = parseOffset(first); !ok {
		return rangeSpec{}, false
	}
	if last == "" {
		spec.last = toEnd
		return spec, true
	}
	spec.last, ok = parseOffset(last)
	return spec, ok && spec.first <= spec.last
}

// parseOffset saturates below toEnd: no body is that long.
func parseOffset(s string) (n int64, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if n < (toEnd-10)/10 {
			n = n*10 + int64(s[i]-'0')
		} else {
			n = toEnd - 1
		}
	}
	return n, s != ""
}

// ContentRange returns the Content-Range of a part (RFC 9110 section 14.4). A
// negative size is unknown.
func ContentRange(r ByteRange, size int64) string {
	return string(AppendContentRange(make([]byte, 0, 48), r, size))
}

// AppendContentRange appends what ContentRange returns.
func AppendContentRange(b []byte, r ByteRange, size int64) []byte {
	b = append(b, "bytes "...)
	b = strconv.AppendInt(b, r.Start, 10)
	b = append(b, '-')
	b = strconv.AppendInt(b, r.Start+r.Length-1, 10)
	b = append(b, '/')
	if size < 0 {
		return append(b, '*')
	}
	return strconv.AppendInt(b, size, 10)
}

// UnsatisfiableRange returns the Content-Range of a 416 (RFC 9110 section 15.5.17).
func UnsatisfiableRange(size int64) string {
	return "bytes */" + strconv.FormatInt(size, 10)
}
