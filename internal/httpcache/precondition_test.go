package httpcache

import (
	"testing"
	"time"
)

func TestPrecondition(t *testing.T) {
	tagged := head("Date: "+date(time.Hour), `ETag: "a"`, "Last-Modified: "+t0Date)
	weak := head(`ETag: W/"a"`)
	dated := head("Date: "+date(time.Hour), "Last-Modified: "+t0Date)
	plain := head("Date: " + date(time.Hour))
	before, after := date(-time.Second), date(time.Second)
	for _, c := range []struct {
		name   string
		stored []string
		req    []string
		want   Condition
	}{
		{"no conditions", nil, []string{"A: 1", "If: x"}, Proceed},
		{"same tag", nil, []string{`If-None-Match: "a"`}, NotModified},
		{"another tag", nil, []string{`If-None-Match: "b"`}, Proceed},
		{"compared weakly", nil, []string{`If-None-Match: W/"a"`}, NotModified},
		{"in a list", nil, []string{`If-None-Match: "x", W/"y,\", "a"`}, NotModified},
		{"on the second line", nil, []string{`If-None-Match: "x"`, `If-None-Match: "a"`}, NotModified},
		{"any", nil, []string{"If-None-Match: *"}, NotModified},
		{"a tag with a comma is one", nil, []string{`If-None-Match: "x,"a"`}, Proceed},
		{"a quote left open", nil, []string{`If-None-Match: "a`}, Proceed},
		{"without quotes is another", nil, []string{`If-None-Match: a`}, Proceed},
		{"a matching tag beats the date", nil, []string{`If-None-Match: "a"`, "If-Modified-Since: " + before}, NotModified},
		{"a tag that does not match beats the date", nil, []string{`If-None-Match: "b"`, "If-Modified-Since: " + after}, Proceed},
		{"unmodified since the same date", nil, []string{"If-Modified-Since: " + t0Date}, NotModified},
		{"unmodified since a later date", nil, []string{"If-Modified-Since: " + after}, NotModified},
		{"modified since", nil, []string{"If-Modified-Since: " + before}, Proceed},
		{"in RFC 850 format", nil, []string{"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"}, NotModified},
		{"in asctime format", nil, []string{"If-Modified-Since: Sun Nov  6 08:49:37 1994"}, NotModified},
		{"invalid date", nil, []string{"If-Modified-Since: now"}, Proceed},
		{"several dates", nil, []string{"If-Modified-Since: " + after, "If-Modified-Since: " + after}, Proceed},
		{"matches", nil, []string{`If-Match: "x", "a"`}, Proceed},
		{"does not match", nil, []string{`If-Match: "b"`}, Failed},
		{"matches any", nil, []string{"If-Match: *"}, Proceed},
		{"If-Match compares strongly", nil, []string{`If-Match: W/"a"`}, Failed},
		{"a failed If-Match beats If-None-Match", nil, []string{`If-Match: "b"`, `If-None-Match: "a"`}, Failed},
		{"If-None-Match behind a met If-Match", nil, []string{`If-Match: "a"`, `If-None-Match: "a"`}, NotModified},
		{"unmodified", nil, []string{"If-Unmodified-Since: " + t0Date}, Proceed},
		{"modified meanwhile", nil, []string{"If-Unmodified-Since: " + before}, Failed},
		{"If-Match beats If-Unmodified-Since", nil, []string{`If-Match: "a"`, "If-Unmodified-Since: " + before}, Proceed},
		{"invalid If-Unmodified-Since", nil, []string{"If-Unmodified-Since: x"}, Proceed},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if got := Precondition(method, head(c.req...), tagged); got != c.want {
				t.Errorf("%s: %s gives %v, want %v", c.name, method, got, c.want)
			}
		}
	}
	for _, c := range []struct {
		name string
		got  Condition
		want Condition
	}{
		{"weak stored tag", Precondition("GET", head(`If-None-Match: "a"`), weak), NotModified},
		{"weak stored tag for If-Match", Precondition("GET", head(`If-Match: W/"a"`), weak), Failed},
		{"no stored tag", Precondition("GET", head(`If-None-Match: "a"`), dated), Proceed},
		{"no stored tag, any", Precondition("GET", head("If-None-Match: *"), dated), NotModified},
		{"no stored tag for If-Match", Precondition("GET", head(`If-Match: "a"`), dated), Failed},
		{"no Last-Modified: Date counts", Precondition("GET", head("If-Modified-Since: "+date(time.Hour)), plain), NotModified},
		{"no Last-Modified and Date later", Precondition("GET", head("If-Modified-Since: "+t0Date), plain), Proceed},
		{"no Last-Modified for If-Unmodified-Since", Precondition("GET", head("If-Unmodified-Since: "+before), plain), Proceed},
		{"unquoted on both sides", Precondition("GET", head("If-None-Match: x, abc"), head("ETag: abc")), NotModified},
		{"a known tag of an unsafe request", Precondition("PUT", head(`If-None-Match: "a"`), tagged), Failed},
		{"dates of an unsafe request", Precondition("PUT", head("If-Modified-Since: "+after), tagged), Proceed},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestParseDate(t *testing.T) {
	const want = t0 / int64(time.Second)
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
		"Tue, 06 Nov 1994 08:49:37 GMT", // the name of the day is not checked against the date
	} {
		if got, ok := parseDate(s, want); !ok || got != want {
			t.Errorf("%q is %d, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "0", "-1", "now", "784111777", "1994-11-06T08:49:37Z",
		"SUN, 06 Nov 1994 08:49:37 GMT", "Sun, 06 NOV 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 gMT",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +00", "Sun 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 1994 08.49.37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06  Nov  1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 1995 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT", "Xun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Xov 1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-xx 08:49:37 GMT",
		"Sun Nov 06 08:49:37 94", "Sun Nov  6 08:49:37 199x", "Sun, 06 Nov 1994 08:49:37 GMT, x",
		"Sun, 06 Nov", ", ",
	} {
		if got, ok := parseDate(s, want); ok {
			t.Errorf("%q is taken for %d", s, got)
		}
	}
	if got, ok := parseDate("Sat, 31 Dec 2016 23:59:60 GMT", want); !ok || got != 1483228800 {
		t.Errorf("a leap second is %d, %v", got, ok)
	}
	for _, c := range []struct {
		twoDigits, present, want int
	}{
		{94, 1994, 1994}, {94, 2026, 1994}, {26, 2026, 2026}, {76, 2026, 2076}, {77, 2026, 1977},
		{5, 1999, 2005}, {99, 2001, 1999}, {0, 2099, 2100},
	} {
		if got := fullYear(c.twoDigits, c.present); got != c.want {
			t.Errorf("%d in %d is %d, want %d", c.twoDigits, c.present, got, c.want)
		}
	}
}
