package native

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// recorded is a request as it goes over the wire.
func recorded(line, token, body string, header ...string) string {
	return fmt.Sprintf("%s HTTP/1.1\nHost: a\nAuthorization: Bearer %s\nContent-Type: application/json\n%sContent-Length: %d\n\n%s",
		line, token, strings.Join(append(header, ""), "\n"), len(body), body)
}

// TestEveryAnswerIsDescribed sends requests until every answer that the
// document describes was seen, and held against it.
func TestEveryAnswerIsDescribed(t *testing.T) {
	const (
		key    = `{"service":"shop","keys":["k"],"mode":"soft","ttl":"1m30s","note":"n"}`
		other  = `{"urls":["//www.example.com/"]}`
		ci     = `{"name":"ci","scopes":["purge_select"],"services":["shop"],"expires_in":"1h"}`
		nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	)
	big := `{"note":"` + strings.Repeat("x", dialect.MaxBody) + `"}`
	n := dialecttest.New(t)
	c := newConforming(t, everything(n))
	ask := func(h http.Handler, status int, raw string) dialecttest.Answer {
		t.Helper()
		got := dialecttest.Send(t, h, raw)
		if got.Status != status {
			t.Errorf("%.60q answered %d %s, want %d", raw, got.Status, got.Body, status)
		}
		return got
	}

	ask(c, 200, recorded("POST /v1/purges", dialecttest.Deploy, other))
	first := ask(c, 200, recorded("POST /v1/purges", dialecttest.Deploy, key, "Idempotency-Key: 1"))
	again := ask(c, 200, recorded("POST /v1/purges", dialecttest.Deploy, key, "Idempotency-Key: 1"))
	if again.Body != first.Body || first.Header.Get("Idempotent-Replay") != "" || again.Header.Get("Idempotent-Replay") != "true" {
		t.Errorf("repeated: %s %v, first %s", again.Body, again.Header, first.Body)
	}
	id := decode[struct{ ID string }](t, first).ID
	ask(c, 422, recorded("POST /v1/purges", dialecttest.Deploy, other, "Idempotency-Key: 1"))
	ask(c, 400, recorded("POST /v1/purges", dialecttest.Deploy, other, "Idempotency-Key:"))
	ask(c, 400, recorded("POST /v1/purges", dialecttest.Deploy, `{`))
	ask(c, 401, recorded("POST /v1/purges", dialecttest.Expired, key))
	ask(c, 403, recorded("POST /v1/purges", dialecttest.Watcher, key))
	ask(c, 404, recorded("POST /v1/purges", dialecttest.Root, `{"service":"nobody","all":true}`))
	ask(c, 415, strings.Replace(recorded("POST /v1/purges", dialecttest.Root, key), "application/json", "text/plain", 1))
	ask(c, 200, recorded("GET /v1/purges?limit=2", dialecttest.Watcher, ""))
	ask(c, 400, recorded("GET /v1/purges?limit=x", dialecttest.Watcher, ""))
	ask(c, 401, recorded("GET /v1/purges", dialecttest.Wrong, ""))
	ask(c, 200, recorded("GET /v1/purges/"+id, dialecttest.Watcher, ""))
	ask(c, 401, recorded("GET /v1/purges/"+id, dialecttest.Wrong, ""))
	ask(c, 404, recorded("GET /v1/purges/"+nobody, dialecttest.Watcher, ""))
	ask(c, 401, recorded("POST /v1/purges/"+id+"/revert", dialecttest.Wrong, ""))
	ask(c, 403, recorded("POST /v1/purges/"+id+"/revert", dialecttest.Watcher, ""))
	ask(c, 404, recorded("POST /v1/purges/"+nobody+"/revert", dialecttest.Root, ""))
	ask(c, 200, recorded("POST /v1/purges/"+id+"/revert", dialecttest.Deploy, ""))
	ask(c, 200, recorded("GET /v1/purges/"+id, dialecttest.Watcher, ""))

	ask(c, 200, recorded("POST /v1/purges?wait=all", dialecttest.Deploy, key))
	n.Others.Missing = []string{"sin1"}
	ask(c, 202, recorded("POST /v1/purges?wait=all&timeout=1ms", dialecttest.Deploy, key))
	ask(c, 400, recorded("POST /v1/purges?wait=some", dialecttest.Deploy, key))
	fresh := decode[struct{ ID string }](t, ask(c, 202, recorded("POST /v1/purges?wait=peer&timeout=1ms", dialecttest.Deploy, key))).ID
	ask(c, 400, recorded("POST /v1/purges/"+fresh+"/revert?wait=some", dialecttest.Deploy, ""))
	ask(c, 202, recorded("POST /v1/purges/"+fresh+"/revert?wait=all&timeout=1ms", dialecttest.Deploy, ""))
	ask(c, 400, recorded("POST /v1/tokens?wait=some", dialecttest.Root, ci))
	late := decode[struct{ ID string }](t, ask(c, 202, recorded("POST /v1/tokens?wait=all&timeout=1ms", dialecttest.Root, strings.Replace(ci, "ci", "late", 1)))).ID
	ask(c, 400, recorded("DELETE /v1/tokens/"+late+"?wait=some", dialecttest.Root, ""))
	ask(c, 202, recorded("DELETE /v1/tokens/"+late+"?wait=all&timeout=1ms", dialecttest.Root, ""))
	n.Others.Refuses = errors.New("the queue is full")
	ask(c, 503, recorded("POST /v1/purges", dialecttest.Deploy, key))
	n.Others = dialecttest.Others{}

	for _, path := range []string{"/v1/cluster/members", "/v1/cluster/keys"} {
		ask(c, 200, recorded("GET "+path, dialecttest.Watcher, ""))
		ask(c, 401, recorded("GET "+path, dialecttest.Wrong, ""))
		ask(c, 403, recorded("GET "+path, dialecttest.Deploy, ""))
	}
	for name, status := range map[string]int{"gone": 204, "nobody": 404, "ams1": 409, "stuck": 503} {
		ask(c, status, recorded("DELETE /v1/cluster/members/"+name, dialecttest.Root, ""))
	}
	ask(c, 200, recorded("POST /v1/cluster/leave", dialecttest.Root, ""))
	for _, line := range []string{"DELETE /v1/cluster/members/gone", "POST /v1/cluster/leave"} {
		ask(c, 401, recorded(line, "", "")) // loopback is not enough
		ask(c, 403, recorded(line, dialecttest.Watcher, ""))
	}
	stuck := newCovering(c, dialecttest.New(t))
	stuck.h.Cluster = members{leaving: ErrNotRecorded}
	stuck.h.routes = stuck.h.table()
	ask(stuck, 503, recorded("POST /v1/cluster/leave", dialecttest.Root, ""))
	alone := newCovering(c, dialecttest.New(t))
	alone.h.Cluster = members{leaving: ErrNoCluster, all: ErrNoCluster}
	alone.h.routes = alone.h.table()
	for _, line := range []string{"GET /v1/cluster/members", "GET /v1/cluster/keys", "POST /v1/cluster/leave"} {
		ask(alone, 404, recorded(line, dialecttest.Root, ""))
	}

	hasty := dialecttest.New(t)
	hasty.NoUndo("shop")
	final := decode[struct{ ID string }](t, ask(newCovering(c, hasty), 200, recorded("POST /v1/purges", dialecttest.Deploy, key))).ID
	ask(newCovering(c, hasty), 409, recorded("POST /v1/purges/"+final+"/revert", dialecttest.Deploy, ""))

	for _, path := range []string{"/v1/services", "/v1/status", "/v1/top", "/v1/log", "/v1/explain?url=https://www.example.com/page"} {
		ask(c, 200, recorded("GET "+path, dialecttest.Watcher, ""))
		ask(c, 401, recorded("GET "+path, dialecttest.Wrong, ""))
	}
	for _, path := range []string{"/v1/top", "/v1/log"} {
		ask(c, 403, recorded("GET "+path, dialecttest.Deploy, ""))
	}
	ask(c, 400, recorded("GET /v1/top?limit=101", dialecttest.Root, ""))
	ask(c, 400, recorded("GET /v1/log?filter=status%3E", dialecttest.Root, ""))
	ask(c, 503, recorded("GET /v1/log?filter=busy", dialecttest.Root, ""))
	ask(c, 400, recorded("GET /v1/explain?url=ftp://x", dialecttest.Root, ""))
	ask(c, 404, recorded("GET /v1/explain?url=https://blog.example/", dialecttest.Deploy, ""))

	created := ask(c, 201, recorded("POST /v1/tokens", dialecttest.Root, ci))
	ask(c, 400, recorded("POST /v1/tokens", dialecttest.Root, `{"name":"a","scopes":["global"],"expires":"2030-01-01T00:00:00Z","expires_in":"1h"}`))
	ask(c, 401, recorded("POST /v1/tokens", "", ci)) // loopback is not enough
	ask(c, 403, recorded("POST /v1/tokens", dialecttest.Deploy, ci))
	ask(c, 404, recorded("POST /v1/tokens", dialecttest.Root, `{"name":"a","scopes":["global"],"services":["nobody"]}`))
	ask(c, 409, recorded("POST /v1/tokens", dialecttest.Root, ci))
	ask(c, 415, strings.Replace(recorded("POST /v1/tokens", dialecttest.Root, ci), "application/json", "text/plain", 1))
	ask(newCovering(c, dialecttest.NewWithoutDataDir(t)), 501, recorded("POST /v1/tokens", dialecttest.Root, ci))
	ask(c, 200, recorded("GET /v1/tokens", dialecttest.Root, ""))
	ask(c, 401, recorded("GET /v1/tokens", dialecttest.Expired, ""))
	ask(c, 403, recorded("GET /v1/tokens", dialecttest.Watcher, ""))
	path := "DELETE " + created.Header.Get("Location")
	ask(c, 401, recorded(path, dialecttest.Wrong, ""))
	ask(c, 403, recorded(path, dialecttest.Watcher, ""))
	ask(c, 404, recorded("DELETE /v1/tokens/deploy", dialecttest.Root, ""))
	n.Disk.Fault = func(vfs.Op, string) error { return errors.New("no space left on device") }
	ask(c, 500, recorded("POST /v1/tokens", dialecttest.Root, `{"name":"next","scopes":["global"]}`))
	ask(c, 500, recorded(path, dialecttest.Root, ""))
	ask(c, 500, recorded("POST /v1/purges", dialecttest.Root, key))
	n.Disk.Fault = nil
	ask(c, 204, recorded(path, dialecttest.Root, ""))

	limited := dialecttest.New(t)
	limited.Config.Limits.AllPerHour = 1
	if err := limited.Control.Reconfigure(limited.Config); err != nil {
		t.Fatal(err)
	}
	all, h := recorded("POST /v1/purges", dialecttest.Root, `{"service":"shop","all":true}`), newCovering(c, limited)
	ask(h, 200, all)
	ask(h, 429, all)
	synctest.Test(t, func(t *testing.T) {
		for _, path := range []string{"/v1/purges", "/v1/tokens"} {
			if got := dialecttest.Stall(t, c, recorded("POST "+path, dialecttest.Root, big), 30*time.Second); got.Status != 413 {
				t.Errorf("a body that is too long: %d %s", got.Status, got.Body)
			}
			raw := fmt.Sprintf("POST %s HTTP/1.1\nHost: a\nAuthorization: Bearer %s\nContent-Length: 99\n\n{", path, dialecttest.Root)
			if got := dialecttest.Stall(t, c, raw, 30*time.Second); got.Status != 408 {
				t.Errorf("a body that never ends: %d %s", got.Status, got.Body)
			}
		}
	})

	for _, what := range c.described() {
		if !c.covered[what] {
			t.Errorf("%s is described and was never seen", what)
		}
	}
}

// newCovering returns what checks another node's answers and counts them to c.
func newCovering(c *conforming, n *dialecttest.Node) *conforming {
	return &conforming{t: c.t, h: everything(n), d: c.d, covered: c.covered} // one request at a time
}
