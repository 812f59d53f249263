package dialect_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/cloudflare"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/invalidation"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
	"github.com/rescind-edge/rescind/internal/dialect/varnish"
)

// TestEveryDoorWaits has a member that does not confirm: each dialect answers with
// its own status for a success, and names who is missing.
func TestEveryDoorWaits(t *testing.T) {
	for _, tc := range doors() {
		n := dialecttest.New(t)
		n.Others.Missing = []string{"sin1"}
		for wait, status := range map[string]int{"all": tc.missing, "everybody": 400} {
			got := dialecttest.Send(t, tc.door(n.Door()), asking(tc.raw, wait))
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

// everyDoor is one dialect and a purge in it.
type everyDoor struct {
	name, raw string
	door      func(dialect.Door) http.Handler
	missing   int  // the status of a success that not all have confirmed who were waited for
	siteQuery bool // the query is the purged site's
}

func doors() []everyDoor {
	const json = "Content-Type: application/json\n"
	return []everyDoor{
		{"native", "POST /v1/purges HTTP/1.1\nHost: a\n" + json + "\n" + `{"service":"shop","keys":["k"]}`,
			func(d dialect.Door) http.Handler { return native.New(native.Config{Door: d}) }, 202, false},
		{"fastly", "PURGE /a HTTP/1.1\nHost: www.example.com\n\n",
			fastly.API, 200, true},
		{"varnish", "BAN /a HTTP/1.1\nHost: www.example.com\n\n",
			func(d dialect.Door) http.Handler { return varnish.New(d, control.AdminListener) }, 200, true},
		{"cloudflare", "POST /client/v4/zones/shop/purge_cache HTTP/1.1\nHost: a\n" + json + "\n" + `{"tags":["k"]}`,
			cloudflare.New, 200, false},
		{"invalidation", "POST " + invalidation.Path + " HTTP/1.1\nHost: a\n\n" + `{"type":"uri","selectors":["https://www.example.com/a"]}`,
			func(d dialect.Door) http.Handler { return invalidation.New(d, nil) }, 202, false},
		{"fastly key", "POST /service/shop/purge/k HTTP/1.1\nHost: a\n\n", fastly.API, 200, false},
		{"fastly keys", "POST /service/shop/purge HTTP/1.1\nHost: a\nSurrogate-Key: k l\n\n", fastly.API, 200, false},
		{"fastly all", "POST /service/shop/purge_all HTTP/1.1\nHost: a\n\n", fastly.API, 200, false},
		{"fastly on a site", "PURGE /a HTTP/1.1\nHost: www.example.com\n\n", fastly.Purge, 200, true},
		{"varnish on a site", "PURGE /a HTTP/1.1\nHost: www.example.com\n\n",
			func(d dialect.Door) http.Handler { return varnish.New(d, control.DataListener) }, 200, true},
		{"stackpath", "POST /cdn/v1/stacks/shop/purge HTTP/1.1\nHost: a\n\n" + `{"items":[{"url":"https://www.example.com/a"}]}`,
			func(d dialect.Door) http.Handler { return stackpath.New(stackpath.Config{Door: d}) }, 200, false},
	}
}

// TestEveryDoorReadsTheQuery has requests ask by the parameters of their URL.
func TestEveryDoorReadsTheQuery(t *testing.T) {
	for _, tc := range doors() {
		if tc.siteQuery {
			continue
		}
		n := dialecttest.New(t)
		n.Others.Missing = []string{"sin1"}
		for wait, status := range map[string]int{"?wait=all&timeout=1ms": tc.missing, "?wait=everybody": 400} {
			got := dialecttest.Send(t, tc.door(n.Door()), withToken(strings.Replace(tc.raw, " HTTP", wait+" HTTP", 1)))
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

// TestEveryDoorWaitsForASecondDisk has nodes whose answers mean two disks, and
// requests that ask for nothing: none is answered before another member has it, or
// without saying that none has.
func TestEveryDoorWaitsForASecondDisk(t *testing.T) {
	for _, tc := range doors() {
		for missing, want := range map[string]string{"": "", "sin1": "", "ams1 sin1": "ams1, sin1"} {
			n := dialecttest.New(t)
			n.Others.Missing, n.Others.AnyOne = strings.Fields(missing), true
			door := n.Door()
			door.DurableOn, door.WaitAtMost = 2, 10*time.Millisecond
			began := time.Now()
			got := dialecttest.Send(t, tc.door(door), withToken(tc.raw))
			status, confirmed := 200, "peer"
			if want != "" {
				status, confirmed = tc.missing, ""
			}
			if got.Status != status || got.Header.Get("Rescind-Missing") != want || got.Header.Get("Rescind-Confirmed") != confirmed {
				t.Errorf("%s, without %q: %d %v %s", tc.name, missing, got.Status, got.Header, got.Body)
			}
			if id := got.Header.Get(dialect.HeaderPurge); len(id) != 26 && tc.name != "native" {
				t.Errorf("%s: the id in its field is %q", tc.name, id)
			}
			if want != "" && time.Since(began) < door.WaitAtMost {
				t.Errorf("%s was answered before the time was over", tc.name)
			}
		}
	}
}

// TestEveryDoorSaysThatNobodyHasADisk has others confirm that have none: nobody is
// waited for, and the answer says what is missing.
func TestEveryDoorSaysThatNobodyHasADisk(t *testing.T) {
	for _, tc := range doors() {
		n := dialecttest.New(t)
		n.Others.NoDisk = true
		door := n.Door()
		door.DurableOn = 2
		got := dialecttest.Send(t, tc.door(door), withToken(tc.raw))
		if got.Status != tc.missing || got.Header.Get("Rescind-Missing") != "a second disk" || got.Header.Get("Rescind-Confirmed") != "" {
			t.Errorf("%s: %d %v %s", tc.name, got.Status, got.Header, got.Body)
		}
	}
}

// What a request asks counts on top of the second disk: the answering node may be
// alone at its POP, and whoever provably serves nothing holds nothing.
func TestASecondDiskBesideALevel(t *testing.T) {
	for _, tc := range []struct {
		wait, missing string
		alone         bool
		want          string
		asked         []control.Level
	}{
		{wait: "all", missing: "ams1 sin1", want: "ams1, sin1", asked: []control.Level{"peer", "all"}},
		{wait: "all", missing: "sin1", want: "sin1", asked: []control.Level{"peer", "all"}},
		{wait: "pop", asked: []control.Level{"peer", "pop"}},
		{wait: "peer", missing: "sin1", asked: []control.Level{"peer"}},
		{wait: "none", missing: "ams1 sin1", want: "ams1, sin1", asked: []control.Level{"peer"}},
		{wait: "all", alone: true, want: "a second member", asked: []control.Level{"peer", "all"}},
	} {
		n := dialecttest.New(t)
		n.Others.Missing, n.Others.AnyOne, n.Others.None = strings.Fields(tc.missing), true, tc.alone
		door := n.Door()
		door.DurableOn = 2
		got := dialecttest.Send(t, fastly.API(door), asking("PURGE /a HTTP/1.1\nHost: www.example.com\n\n", tc.wait))
		if got.Status != 200 || got.Header.Get("Rescind-Missing") != tc.want || !slices.Equal(n.Others.All, tc.asked) {
			t.Errorf("wait=%s without %q: %d %v, asked for %v", tc.wait, tc.missing, got.Status, got.Header, n.Others.All)
		}
	}
}

// asking adds to a raw request whose confirmation it waits for, its token and the
// length of its body.
func asking(raw, wait string) string {
	return withToken(raw, "Rescind-Wait: "+wait, "Rescind-Wait-Timeout: 1ms")
}

func withToken(raw string, lines ...string) string {
	head, body, _ := strings.Cut(raw, "\n\n")
	lines = append(lines, "Authorization: Bearer "+dialecttest.Root)
	return head + "\n" + strings.Join(lines, "\n") + contentLength(body) + "\n\n" + body
}

func contentLength(body string) string {
	if body == "" {
		return ""
	}
	return "\nContent-Length: " + strconv.Itoa(len(body))
}
