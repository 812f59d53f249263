package accesslog_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// hostile puts one text wherever a client has a say.
func hostile(s string) *event.Request {
	e := &event.Request{
		Remote: s, Method: s, Scheme: s, Host: s, Target: s, Proto: s, Reason: s, Origin: s, Service: s, ID: s,
		RequestFields: field.Fields{
			{Name: "Referer", Value: s}, {Name: "User-Agent", Value: s}, {Name: "X", Value: s}, {Name: "x", Value: s},
			{Name: "Authorization", Value: "Basic " + s},
		},
		ResponseFields: http.Header{"X": {s, s}},
	}
	if addr, err := netip.ParseAddr("fe80::1%" + s); err == nil {
		e.Client = addr
	}
	return e
}

// oneLine fails unless a line has nothing that a terminal or a reader of lines
// would obey. A tab may come from the format.
func oneLine(t *testing.T, line []byte) {
	t.Helper()
	for rest := line; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 || r != '\t' && !unicode.IsPrint(r) {
			t.Fatalf("%q in %q", rest[:n], line)
		}
		rest = rest[n:]
	}
}

func FuzzFormat(f *testing.F) {
	for _, s := range []string{
		"combined", "common", "json", "", "%h %l %u %t \"%r\" %s %b", "%{X}i", "%{", "%{}", "%", "%%", "\t%{X}o\"%{X}i", "%{sec}t",
		"%>s", "é %h", "%{Rescind:outcome}x", "%{us}T%q%U", "\xff%h",
	} {
		f.Add(s, "a\r\n\x00\"\\\x9b\u202e")
	}
	f.Fuzz(func(t *testing.T, format, text string) {
		compiled, err := accesslog.Compile(accesslog.Config{Format: format})
		if err != nil {
			return
		}
		oneLine(t, compiled.Append(nil, hostile(text)))
	})
}

func FuzzEscaping(f *testing.F) {
	for _, s := range []string{
		"", "plain", "a b", `"`, `\`, "\r\nx", "\x00\x1f\x7f\x80\xff", "\u2028\u202e\u009b\ufeff", "😀\U000e0001", "YTpi",
		"\xed\xa0\x80", "-", " [x] \"- - 200",
	} {
		f.Add(s)
	}
	asJSON := compile(f, accesslog.Config{RequestFields: []string{"X"}, ResponseFields: []string{"X"}})
	quoted := compile(f, accesslog.Config{Format: `%h %u %m %U %v %{X}i %{X}o "%{Referer}i" "%r"`})
	f.Fuzz(func(t *testing.T, s string) {
		e := hostile(s)
		line := asJSON.Append(nil, e)
		oneLine(t, line)
		if !json.Valid(line) {
			t.Fatalf("not JSON: %q", line)
		}
		purge := accesslog.AppendPurged(nil, &event.Purged{Note: s, Actor: s, Addr: e.Client, Selectors: []event.Selector{{Kind: "key", Value: s}}})
		oneLine(t, purge)
		if !json.Valid(purge) {
			t.Fatalf("not JSON: %q", purge)
		}
		line = quoted.Append(nil, e)
		oneLine(t, line)
		if n := columns(line); n != 9 {
			t.Fatalf("%d values instead of 9 in %q", n, line)
		}
	})
}

// columns counts values as readers of such lines do: a space separates them
// outside quotes, and a backslash takes the meaning off what follows.
func columns(line []byte) int {
	n, inQuotes := 1, false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			inQuotes = !inQuotes
		case ' ':
			if !inQuotes {
				n++
			}
		}
	}
	if inQuotes {
		return -1
	}
	return n
}
