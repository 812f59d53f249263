package httpcache

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRange(t *testing.T) {
	type ranges = []ByteRange
	many := "bytes=0-0" + strings.Repeat(",2-2", maxRanges)
	for _, c := range []struct {
		name  string
		value string
		size  int64
		kind  RangeKind
		want  ranges
	}{
		{"from to", "bytes=0-4", 10, Partial, ranges{{0, 5}}},
		{"up to the last", "bytes=9-9", 10, Partial, ranges{{9, 1}}},
		{"past the end", "bytes=5-99", 10, Partial, ranges{{5, 5}}},
		{"from", "bytes=4-", 10, Partial, ranges{{4, 6}}},
		{"all of it", "bytes=0-", 10, Partial, ranges{{0, 10}}},
		{"suffix", "bytes=-3", 10, Partial, ranges{{7, 3}}},
		{"suffix longer than the body", "bytes=-30", 10, Partial, ranges{{0, 10}}},
		{"suffix of nothing", "bytes=-0", 10, Unsatisfiable, nil},
		{"behind the end", "bytes=10-", 10, Unsatisfiable, nil},
		{"overflow", "bytes=99999999999999999999-", 10, Unsatisfiable, nil},
		{"overflow of the end", "bytes=1-99999999999999999999", 10, Partial, ranges{{1, 9}}},
		{"overflow of the suffix", "bytes=-99999999999999999999", 10, Partial, ranges{{0, 10}}},
		{"unit in another case", "BYTES=0-0", 10, Partial, ranges{{0, 1}}},
		{"unknown unit", "lines=0-4", 10, Whole, nil},
		{"no unit", "0-4", 10, Whole, nil},
		{"no range", "bytes=", 10, Whole, nil},
		{"backwards", "bytes=4-0", 10, Whole, nil},
		{"one of several is backwards", "bytes=0-1, 4-0", 10, Whole, nil},
		{"letters", "bytes=a-b", 10, Whole, nil},
		{"sign", "bytes=+1-2", 10, Whole, nil},
		{"dash only", "bytes=-", 10, Whole, nil},
		{"two dashes", "bytes=--1", 10, Whole, nil},
		{"space inside", "bytes=0 -1", 10, Whole, nil},
		{"several", "bytes=0-1, 4-5 ,-1", 10, Partial, ranges{{0, 2}, {4, 2}, {9, 1}}},
		{"several in another order", "bytes=8-9,0-1", 10, Partial, ranges{{8, 2}, {0, 2}}},
		{"empty members", "bytes=,0-1,,", 10, Partial, ranges{{0, 2}}},
		{"those that are there", "bytes=0-1,20-30", 10, Partial, ranges{{0, 2}}},
		{"none is there", "bytes=10-,20-30", 10, Unsatisfiable, nil},
		{"overlapping", "bytes=0-5,5-9", 10, Whole, nil},
		{"the same twice", "bytes=0-,0-", 10, Whole, nil},
		{"too many", many, 10, Whole, nil},
		{"empty body", "bytes=0-", 0, Whole, nil},
		{"suffix of an empty body", "bytes=-5", 0, Whole, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Range(head("Range: "+c.value), head(), c.size)
			if got.Kind != c.kind || !slices.Equal(got.Ranges, c.want) {
				t.Errorf("%v %v, want %v %v", got.Kind, got.Ranges, c.kind, c.want)
			}
		})
	}
	if got := Range(head("Range: bytes=0-1", "Range: bytes=0-1"), head(), 10); got.Kind != Whole {
		t.Error("several lines are not ignored")
	}
	if got := Range(head(), head(), 10); got.Kind != Whole {
		t.Error("a request without Range does not get the whole")
	}
}

func TestIfRange(t *testing.T) {
	later, same := "Date: "+date(time.Second), "Date: "+t0Date
	const lm = "Last-Modified: " + t0Date
	for _, c := range []struct {
		name    string
		ifRange string
		stored  []string
		want    bool
	}{
		{"same tag", `"a"`, []string{`ETag: "a"`}, true},
		{"another tag", `"b"`, []string{`ETag: "a"`}, false},
		{"weak tag asked for", `W/"a"`, []string{`ETag: "a"`}, false},
		{"weak tag stored", `"a"`, []string{`ETag: W/"a"`}, false},
		{"weak on both sides", `W/"a"`, []string{`ETag: W/"a"`}, false},
		{"no tag stored", `"a"`, []string{lm, later}, false},
		{"same date", t0Date, []string{lm, later}, true},
		{"same date in another format", "Sun Nov  6 08:49:37 1994", []string{lm, later}, true},
		{"a later date", date(time.Second), []string{lm, later}, false},
		{"an earlier date", date(-time.Second), []string{lm, later}, false},
		{"a date that may hide a change", t0Date, []string{lm, same}, false},
		{"no Date to tell", t0Date, []string{lm}, false},
		{"no Last-Modified", t0Date, []string{later}, false},
		{"neither", "yesterday", []string{lm, later, `ETag: "a"`}, false},
		{"empty", "", []string{`ETag: "a"`}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := head("Range: bytes=0-0", "If-Range: "+c.ifRange)
			if got := IfRange(req, head(c.stored...)); got != c.want {
				t.Errorf("the range counts: %v", got)
			}
			if got := Range(req, head(c.stored...), 10).Kind == Partial; got != c.want {
				t.Errorf("the range is answered: %v", got)
			}
		})
	}
	if !IfRange(head(), head()) {
		t.Error("without If-Range the range does not count")
	}
	if IfRange(head(`If-Range: "a"`, `If-Range: "a"`), head(`ETag: "a"`)) {
		t.Error("two If-Range count")
	}
}

func TestContentRange(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{ContentRange(ByteRange{0, 5}, 10), "bytes 0-4/10"},
		{ContentRange(ByteRange{9, 1}, 10), "bytes 9-9/10"},
		{ContentRange(ByteRange{0, 5}, -1), "bytes 0-4/*"},
		{UnsatisfiableRange(10), "bytes */10"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestRangeModel compares with a map of the bytes that were asked for.
func TestRangeModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		size := r.Int64N(20)
		value, asked, once := "bytes=", map[int64]bool{}, true
		for i := range 1 + r.IntN(3) {
			first, last := r.Int64N(25), r.Int64N(25)
			if first > last {
				first, last = last, first
			}
			if i > 0 {
				value += ","
			}
			value += ContentRange(ByteRange{first, last - first + 1}, -1)[len("bytes "):]
			value = strings.TrimSuffix(value, "/*")
			for b := first; b <= last && b < size; b++ {
				once = once && !asked[b]
				asked[b] = true
			}
		}
		got := Range(head("Range: "+value), head(), size)
		sent := map[int64]bool{}
		for _, part := range got.Ranges {
			for b := part.Start; b < part.Start+part.Length; b++ {
				sent[b] = true
			}
		}
		switch {
		case size == 0 || !once:
			if got.Kind != Whole {
				t.Fatalf("%s of %d: %v", value, size, got)
			}
		case len(asked) == 0:
			if got.Kind != Unsatisfiable {
				t.Fatalf("%s of %d: %v", value, size, got)
			}
		case got.Kind != Partial || len(sent) != len(asked):
			t.Fatalf("%s of %d: %v", value, size, got)
		}
		for b := range sent {
			if !asked[b] {
				t.Fatalf("%s of %d sends byte %d", value, size, b)
			}
		}
	}
}
