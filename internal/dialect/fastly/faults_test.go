package fastly

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const page = "https://www.example.com/page"

// TestFaultsAtEveryDoor sends every fault to every door that can have it.
func TestFaultsAtEveryDoor(t *testing.T) {
	doors := []struct{ name, line, unknown string }{
		{"key", "POST /service/shop/purge/page-key", "POST /service/nobody/purge/page-key"},
		{"keys", "POST /service/shop/purge", "POST /service/nobody/purge"},
		{"all", "POST /service/shop/purge_all", "POST /service/nobody/purge_all"},
		{"url", "POST /purge/www.example.com/page", "POST /purge/nobody.example/page"},
		{"method", "PURGE /page", "PURGE /https://nobody.example/page"},
	}
	faults := []struct {
		name    string
		token   string
		from    string
		unknown bool
		status  int
		msg     string
	}{
		{"missing token", "", "stranger", false, 401, msgUnauthenticated},
		{"missing token, unknown service", "", "stranger", true, 401, msgUnauthenticated},
		{"missing token, address allowed for sites alone", "", "office", false, 401, msgUnauthenticated},
		{"wrong token", dialecttest.Wrong, "loopback", false, 401, msgUnauthenticated},
		{"token that only reads", dialecttest.Watcher, "loopback", false, 403, msgForbidden},
		{"unknown service", dialecttest.Root, "stranger", true, 404, msgNotFound},
		{"unknown service without a token", "", "loopback", true, 404, msgNotFound},
	}
	for _, door := range doors {
		for _, fault := range faults {
			t.Run(door.name+"/"+fault.name, func(t *testing.T) {
				node := dialecttest.New(t)
				switch fault.from {
				case "office":
					node.From = dialecttest.Office
				case "stranger":
					node.From = dialecttest.Stranger
				}
				line := door.line
				if fault.unknown {
					line = door.unknown
				}
				got := dialecttest.Send(t, API(node.Door()), line+" HTTP/1.1\nHost: www.example.com\nFastly-Key: "+
					fault.token+"\nSurrogate-Key: page-key\nContent-Length: 0\n\n")
				check(t, got, fault.status, fault.msg)
				if node.State(t, "shop", page, "page-key") != purge.Live {
					t.Error("it was purged all the same")
				}
			})
		}
	}
}

// check tells whether an answer is a failure that clients can read.
func check(t *testing.T, got dialecttest.Answer, status int, msg string) {
	t.Helper()
	var f failure
	if err := json.Unmarshal([]byte(got.Body), &f); err != nil {
		t.Fatalf("answered %d %q, which is no JSON object: %v", got.Status, got.Body, err)
	}
	if got.Status != status || f.Msg != msg {
		t.Errorf("answered %d %s; want %d with msg %q", got.Status, got.Body, status, msg)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type is %q", kind)
	}
	if challenge := got.Header.Get("WWW-Authenticate"); (status == 401) != (challenge != "") {
		t.Errorf("WWW-Authenticate is %q", challenge)
	}
}

func TestFaultsOfRequests(t *testing.T) {
	post := func(target, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\nHost: a\nFastly-Key: deploy-secret\nContent-Length: %d\n\n%s", target, len(body), body)
	}
	bulk := func(body string) string { return post("/service/shop/purge", body) }
	list, err := json.Marshal(map[string]any{"surrogate_keys": manyKeys(257)})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 2048)
	for _, tc := range []struct {
		name   string
		raw    string
		status int
		msg    string
	}{
		{"257 keys in a body", bulk(string(list)), 400, msgBadRequest},
		{"too many keys in a header", "POST /service/shop/purge HTTP/1.1\nHost: a\nFastly-Key: deploy-secret\nSurrogate-Key: " +
			strings.Join(manyKeys(maxHeaderKeys+1), " ") + "\nContent-Length: 0\n\n", 400, msgBadRequest},
		{"a key of 2 KB", post("/service/shop/purge/"+long, ""), 400, msgBadRequest},
		{"a key of 2 KB in a body", bulk(`{"surrogate_keys":["` + long + `","page-key"]}`), 400, msgBadRequest},
		{"an empty key", bulk(`{"surrogate_keys":["","page-key"]}`), 400, msgBadRequest},
		{"no keys", bulk(`{"surrogate_keys":[]}`), 400, msgBadRequest},
		{"neither header nor body", bulk(""), 400, msgBadRequest},
		{"malformed JSON", bulk(`{"surrogate_keys":["page-key"`), 400, msgBadRequest},
		{"JSON with something behind it", bulk(`{"surrogate_keys":["page-key"]} x`), 400, msgBadRequest},
		{"keys of the wrong type", bulk(`{"surrogate_keys":"page-key"}`), 400, msgBadRequest},
		{"a key of the wrong type", bulk(`{"surrogate_keys":["page-key",7]}`), 400, msgBadRequest},
		{"a body that is a list", bulk(`["page-key"]`), 400, msgBadRequest},
		{"an oversize body", bulk(`{"surrogate_keys":["page-key"],"x":"` + strings.Repeat("x", dialect.MaxBody) + `"}`), 413, msgTooLarge},
		{"a URL without a host", post("/purge//", ""), 400, msgBadRequest},
		{"a URL with a bad host", post("/purge/https://www.exa%20mple.com/", ""), 400, msgBadRequest},
		{"GET of a purge", "GET /service/shop/purge_all HTTP/1.1\nHost: a\n\n", 405, msgMethod},
		{"DELETE of a key", "DELETE /service/shop/purge/page-key HTTP/1.1\nHost: a\n\n", 405, msgMethod},
		{"POST to the services", post("/service", ""), 405, msgMethod},
		{"an unknown method on no path", "BREW /pot HTTP/1.1\nHost: a\n\n", 404, msgNotFound},
		{"an unknown path", post("/service/shop/version/1", ""), 404, msgNotFound},
		{"the service list without a token", "GET /service HTTP/1.1\nHost: a\nFastly-Key: wrong-secret\n\n", 401, msgUnauthenticated},
		{"all with a token for some", "POST /service/shop/purge_all HTTP/1.1\nHost: a\nFastly-Key: editor-secret\nContent-Length: 0\n\n", 403, msgForbidden},
		{"another's service", post("/service/blog/purge/page-key", ""), 403, msgForbidden},
		{"another's host", post("/purge/blog.example/", ""), 403, msgForbidden},
	} {
		t.Run(tc.name, func(t *testing.T) {
			node := dialecttest.New(t)
			check(t, dialecttest.Send(t, API(node.Door()), tc.raw), tc.status, tc.msg)
			if node.State(t, "shop", page, "page-key") != purge.Live {
				t.Error("something was purged all the same")
			}
		})
	}
}

func TestLimitSaysWhenToComeBack(t *testing.T) {
	node := dialecttest.New(t)
	node.Config.Limits.PerHour = 1
	if err := node.Control.Reconfigure(node.Config); err != nil {
		t.Fatal(err)
	}
	raw := "POST /service/shop/purge HTTP/1.1\nHost: a\nSurrogate-Key: " + strings.Join(manyKeys(200), " ") + "\nContent-Length: 0\n\n"
	var got dialecttest.Answer
	for range 200 { // the first may use what a burst of the former limit left
		if got = dialecttest.Send(t, API(node.Door()), raw); got.Status != 200 {
			break
		}
	}
	check(t, got, 429, msgLimited)
	for _, name := range []string{"Retry-After", "Fastly-RateLimit-Remaining", "Fastly-RateLimit-Reset"} {
		if got.Header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
}
