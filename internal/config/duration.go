package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var durationUnits = [...]struct {
	name   string
	length time.Duration
}{
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
}

// maxDuration bounds every duration, so that sums of a few cannot overflow.
const maxDuration = 100 * 365 * 24 * time.Hour

var (
	errNotDuration = errors.New("is not a duration; write whole numbers with their units d, h, m, s or ms, such as 90s, 1h30m or 1d")
	errTooLong     = errors.New("is too long; a hundred years are the most")
)

// ParseDuration reads whole numbers with their units, the largest first, each
// unit at most once: d (24 hours), h, m, s and ms. Only 0 needs no unit.
func ParseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if text == "" {
		return 0, errNotDuration
	}
	var sum time.Duration
	units := durationUnits[:]
	for rest := text; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		letters := len(rest[digits:]) - len(strings.TrimLeft(rest[digits:], "dhms"))
		number, unit := rest[:digits], rest[digits:digits+letters]
		rest = rest[digits+letters:]
		for len(units) > 0 && units[0].name != unit {
			units = units[1:]
		}
		if number == "" || len(units) == 0 {
			return 0, errNotDuration
		}
		count, err := strconv.ParseInt(number, 10, 64)
		if err != nil || count > int64(maxDuration/units[0].length) {
			return 0, errTooLong
		}
		if sum += time.Duration(count) * units[0].length; sum > maxDuration {
			return 0, errTooLong
		}
		units = units[1:]
	}
	return sum, nil
}

// durationText returns d as ParseDuration reads it.
func durationText(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, unit := range durationUnits {
		if count := d / unit.length; count > 0 {
			b.WriteString(strconv.FormatInt(int64(count), 10) + unit.name)
			d -= count * unit.length
		}
	}
	return b.String()
}
