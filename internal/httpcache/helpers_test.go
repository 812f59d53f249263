package httpcache

import (
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// t0 is when responses arrive in these tests: Sun, 06 Nov 1994 08:49:37 GMT.
const (
	t0     = 784111777 * int64(time.Second)
	t0Date = imfDate
)

func date(offset time.Duration) string { return formatDate(t0 + int64(offset)) }

// head makes fields of "Name: value" lines.
func head(lines ...string) field.Fields {
	f := field.Fields{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			panic("no colon in " + line)
		}
		f = f.Add(name, field.Trim(value))
	}
	return f
}

// got makes an exchange of a GET that was answered at once.
func got(status int, lines ...string) Exchange {
	return Exchange{
		Method: "GET", Request: head(), Response: head(lines...), Status: status,
		RequestTime: t0, ResponseTime: t0,
	}
}

// ttl is for how long a stored response is fresh from t0 on.
func ttl(s Storing) time.Duration { return time.Duration(s.Times.Fresh - t0) }

func wantFresh(t *testing.T, s Storing, want time.Duration) {
	t.Helper()
	if !s.Store {
		t.Fatalf("not stored: %v", s.Reason)
	}
	if got := ttl(s); got != want {
		t.Fatalf("fresh for %v, want %v", got, want)
	}
}

func wantRefused(t *testing.T, s Storing, want Reason) {
	t.Helper()
	if s.Store || s.Reason != want {
		t.Fatalf("stored %v with reason %q, want refused with %q", s.Store, s.Reason, want)
	}
}

func wantFields(t *testing.T, f field.Fields, lines ...string) {
	t.Helper()
	var have []string
	for _, line := range f {
		have = append(have, line.Name+": "+line.Value)
	}
	if strings.Join(have, "\n") != strings.Join(lines, "\n") {
		t.Fatalf("fields are\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(lines, "\n"))
	}
}
