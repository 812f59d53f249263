package httpcache

import (
	"strings"
	"time"
)

const (
	imfDate     = "Sun, 06 Nov 1994 08:49:37 GMT" // IMF-fixdate, the one that is written
	asctimeDate = "Sun Nov  6 08:49:37 1994"
	rfc850Rest  = "06-Nov-94 08:49:37 GMT" // behind the full name of the day
)

// parseDate reads an HTTP date in any of its three formats (RFC 9110 section
// 5.6.7), in seconds of Unix time. ref is about the present, also in seconds;
// it settles the century of two-digit years.
//
// Nanoseconds would not do: an Expires in the year 9999 does not fit.
func parseDate(s string, ref int64) (seconds int64, ok bool) {
	switch {
	case len(s) == len(imfDate) && s[3] == ',':
		return parseIMF(s)
	case len(s) == len(asctimeDate):
		return parseASCTime(s)
	}
	return parseRFC850(s, ref)
}

func parseIMF(s string) (int64, bool) {
	if indexOf(shortDays, s[:3]) < 0 || s[4] != ' ' || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' || s[25:] != " GMT" {
		return 0, false
	}
	return assemble(number(s[12:16]), indexOf(months, s[8:11]), number(s[5:7]), s[17:25])
}

func parseASCTime(s string) (int64, bool) {
	if indexOf(shortDays, s[:3]) < 0 || s[3] != ' ' || s[7] != ' ' || s[10] != ' ' || s[19] != ' ' {
		return 0, false
	}
	day := s[8:10]
	if day[0] == ' ' {
		day = day[1:]
	}
	return assemble(number(s[20:]), indexOf(months, s[4:7]), number(day), s[11:19])
}

func parseRFC850(s string, ref int64) (int64, bool) {
	day, rest, ok := strings.Cut(s, ", ")
	if !ok || len(rest) != len(rfc850Rest) || indexOf(longDays, day) < 0 {
		return 0, false
	}
	if rest[2] != '-' || rest[6] != '-' || rest[9] != ' ' || rest[18:] != " GMT" {
		return 0, false
	}
	year := number(rest[7:9])
	if year < 0 {
		return 0, false
	}
	return assemble(fullYear(year, time.Unix(ref, 0).UTC().Year()), indexOf(months, rest[3:6]), number(rest[:2]), rest[10:18])
}

// fullYear completes a two-digit year to the one nearest to the present: more
// than 50 years ahead means the past.
func fullYear(twoDigits, present int) int {
	year := present - present%100 + twoDigits
	switch {
	case year > present+50:
		return year - 100
	case year <= present-50:
		return year + 100
	}
	return year
}

// assemble checks every part; clock is hh:mm:ss. A part that could not be read
// is negative.
func assemble(year, month, day int, clock string) (int64, bool) {
	if year < 0 || month < 0 || day < 1 || clock[2] != ':' || clock[5] != ':' {
		return 0, false
	}
	hour, minute, second := number(clock[:2]), number(clock[3:5]), number(clock[6:])
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0, false
	}
	t := time.Date(year, time.Month(month+1), day, hour, minute, second, 0, time.UTC)
	midnight := time.Date(year, time.Month(month+1), day, 0, 0, 0, 0, time.UTC)
	if midnight.Day() != day {
		return 0, false // the month is shorter
	}
	return t.Unix(), true
}

// number reads digits only, and returns -1 for anything else.
func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// Names as they stand in dates; they are case-sensitive.
const (
	shortDays = "Sun Mon Tue Wed Thu Fri Sat"
	longDays  = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday"
	months    = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
)

// indexOf returns the place of a word in a space-separated list, or -1.
func indexOf(words, word string) int {
	for i := 0; words != ""; i++ {
		var first string
		if first, words, _ = strings.Cut(words, " "); first == word {
			return i
		}
	}
	return -1
}

// formatDate writes an instant, in Unix nanoseconds, as IMF-fixdate.
func formatDate(ns int64) string {
	return time.Unix(0, ns).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
}
