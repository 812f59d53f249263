package live

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// span is the numbers from lo to hi. It is empty where lo > hi.
type span struct{ lo, hi int64 }

// numberTest asks whether a number is in one of some spans.
type numberTest struct {
	of    func(*event.Request) int64
	spans []span
	not   bool
}

func (t numberTest) match(r *event.Request) bool {
	n := t.of(r)
	for _, s := range t.spans {
		if s.lo <= n && n <= s.hi {
			return !t.not
		}
	}
	return t.not
}

// number builds tests of a number whose values parse reads: as a span, since a
// value may stand for several numbers. What parse refuses, it says what it wants.
func number(parse func(string) (s span, want string), of func(*event.Request) int64) builder {
	return func(p *parser, c clause) (test, error) {
		if err := p.allow(c, equal, notEqual, less, lessEqual, greater, greaterEqual); err != nil {
			return nil, err
		}
		t := numberTest{of: of, not: c.op.negated()}
		for _, v := range c.values {
			s, want := parse(v.text)
			if want == "" && c.op.ordered() && s.lo != s.hi {
				want = "one number"
			}
			if want != "" {
				return nil, p.errorf(v.at, "%s: want %s, not %.40q", c.name, want, v.text)
			}
			t.spans = append(t.spans, beside(c.op, s))
		}
		return t, nil
	}
}

// beside returns the numbers that compare to a span's as an operator says.
func beside(op operator, s span) span {
	switch op {
	case less:
		return span{math.MinInt64, s.lo - 1} // no value is negative
	case lessEqual:
		return span{math.MinInt64, s.hi}
	case greater:
		if s.hi == math.MaxInt64 {
			return span{1, 0}
		}
		return span{s.hi + 1, math.MaxInt64}
	case greaterEqual:
		return span{s.lo, math.MaxInt64}
	}
	return s
}

func parseCount(s string) (span, string) {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return span{}, "a number"
	}
	return span{int64(n), int64(n)}, ""
}

// parseStatus also takes a class: "5xx".
func parseStatus(s string) (span, string) {
	if len(s) == 3 && s[0] >= '1' && s[0] <= '9' && s[1:] == "xx" {
		from := int64(s[0]-'0') * 100
		return span{from, from + 99}, ""
	}
	n, want := parseCount(s)
	if want != "" || n.lo > 999 {
		return span{}, "a status such as 404 or 5xx"
	}
	return n, ""
}

// units of sizes. None is the end of another.
var units = [...]struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}

func parseSize(s string) (span, string) {
	digits, factor := s, int64(1)
	for _, u := range units {
		if cut, ok := strings.CutSuffix(s, u.name); ok {
			digits, factor = cut, u.bytes
			break
		}
	}
	n, want := parseCount(digits)
	if want != "" || n.lo > math.MaxInt64/factor {
		return span{}, "a size such as 1500 or 2MiB"
	}
	return span{n.lo * factor, n.lo * factor}, ""
}

func parseDuration(s string) (span, string) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return span{}, "a time such as 250ms or 1.5s"
	}
	return span{int64(d), int64(d)}, ""
}
