package httpcache

import (
	"math"
	"time"
)

// maxSeconds is what longer times count as. RFC 9111 section 1.2.2 asks for
// this value; it also keeps sums of several in 63 bits of nanoseconds.
const maxSeconds = 1 << 31

// parseSeconds reads delta-seconds (RFC 9111 section 1.2.2): digits only.
func parseSeconds(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = min(n*10+int64(s[i]-'0'), maxSeconds)
	}
	return n, true
}

// Seconds is a directive's time, and whether it was given.
type Seconds struct {
	Given bool
	Value time.Duration // at most 2^31 seconds, never negative
}

// lifetime is a response directive's time. A wrong value, or two that
// contradict each other, count as zero: stale (RFC 9111 section 4.2.1).
type lifetime struct {
	given, invalid bool
	seconds        int64
}

func (l *lifetime) add(d directive) {
	n, ok := parseSeconds(d.value)
	if !ok || d.malformed || l.given && n != l.seconds {
		l.invalid = true
	}
	l.given, l.seconds = true, n
}

func (l lifetime) duration() time.Duration {
	if l.invalid {
		return 0
	}
	return time.Duration(l.seconds) * time.Second
}

// later returns the instant d after t, saturating instead of wrapping.
func later(t int64, d time.Duration) int64 {
	d = max(d, 0)
	if t > math.MaxInt64-int64(d) {
		return math.MaxInt64
	}
	return t + int64(d)
}

// since returns the time from one instant to another, saturating.
func since(from, to int64) time.Duration {
	d := to - from
	switch {
	case to > from && d < 0:
		return math.MaxInt64
	case to < from && d > 0:
		return math.MinInt64
	}
	return time.Duration(d)
}
