package dialect_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/cloudflare"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/invalidation"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/dialect/varnish"
)

// TestEveryDoorWaits has a member that does not confirm: each dialect answers with
// its own status for a success, and names who is missing.
func TestEveryDoorWaits(t *testing.T) {
	const json = "Content-Type: application/json\n"
	for _, tc := range []struct {
		name, raw string
		door      func(*dialecttest.Node) http.Handler
		status    int
	}{
		{"native", "POST /v1/purges HTTP/1.1\nHost: a\n" + json + "\n" + `{"service":"shop","keys":["k"]}`,
			func(n *dialecttest.Node) http.Handler { return native.New(native.Config{Door: n.Door()}) }, 202},
		{"fastly", "PURGE /a HTTP/1.1\nHost: www.example.com\n\n",
			func(n *dialecttest.Node) http.Handler { return fastly.API(n.Door()) }, 200},
		{"varnish", "BAN /a HTTP/1.1\nHost: www.example.com\n\n",
			func(n *dialecttest.Node) http.Handler { return varnish.New(n.Door(), control.AdminListener) }, 200},
		{"cloudflare", "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nHost: a\n" + json + "\n" + `{"tags":["k"]}`,
			func(n *dialecttest.Node) http.Handler { return cloudflare.New(n.Door()) }, 200},
		{"invalidation", "POST " + invalidation.Path + " HTTP/1.1\nHost: a\n\n" + `{"type":"uri","selectors":["https://www.example.com/a"]}`,
			func(n *dialecttest.Node) http.Handler { return invalidation.New(n.Door(), nil) }, 200}, // by itself it waits for all, where it can
	} {
		n := dialecttest.New(t)
		n.Others.Missing = []string{"sin1"}
		for wait, status := range map[string]int{"all": tc.status, "everybody": 400} {
			got := dialecttest.Send(t, tc.door(n), asking(tc.raw, wait))
			missing := ""
			if status < 300 {
				missing = "sin1"
			}
			if got.Status != status || got.Header.Get("Rescind-Missing") != missing {
				t.Errorf("%s, %s: %d %v %s", tc.name, wait, got.Status, got.Header, got.Body)
			}
		}
	}
}

// asking adds to a raw request whose confirmation it waits for, its token and the
// length of its body.
func asking(raw, wait string) string {
	head, body, _ := strings.Cut(raw, "\n\n")
	lines := []string{"Rescind-Wait: " + wait, "Rescind-Wait-Timeout: 1ms", "Authorization: Bearer " + dialecttest.Root}
	return head + "\n" + strings.Join(lines, "\n") + contentLength(body) + "\n\n" + body
}

func contentLength(body string) string {
	if body == "" {
		return ""
	}
	return "\nContent-Length: " + strconv.Itoa(len(body))
}
