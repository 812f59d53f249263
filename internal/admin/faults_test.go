package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/fastly"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/purge"
)

// matrix has the answer of every door to every fault. Doors that take no body
// ignore what one holds, like Fastly's. A dash is a fault that a door cannot
// have: every method but PURGE is a site's own request there, and a URL or a
// Surrogate-Key field that is longer, or has more keys, is no fault.
//
//	key, json, header, all, url: POST to Fastly's paths
//	purge, site: PURGE on the admin listener and on a site's own
//	native, revert, tokens: POST to /v1/purges, /v1/purges/{id}/revert, /v1/tokens
const matrix = `
fault           key json header all url purge site native revert tokens
none            200  200    200 200 200   200  200    200    200    201
257-keys        200  400      - 200 200   200  200    400    200    400
2-KB-key        400  400    400   -   -     -    -    400    404    400
malformed-JSON  200  400    400 200 200   200  200    400    200    400
wrong-type      200  400    400 200 200   200  200    400    200    400
unknown-service 404  404    404 404 404   404  404    404    404    404
missing-token   401  401    401 401 401   401  401    401    401    401
wrong-token     401  401    401 401 401   401  401    401    401    401
expired-token   401  401    401 401 401   401  401    401    401    401
unscoped-token  403  403    403 403 403   403  403    403    403    403
oversize-body   200  413    413 200 200   200  200    413    200    413
slow-body       200  408    408 200 200   200  200    408    200    408
unknown-method  405  405    405 405 405   404    -    405    405    405
content-type    200  200    200 200 200   200  200    415    200    415
`

// sent is a request to a door.
type sent struct {
	door                      string
	method, target, host      string
	token, kind, keys, length string // header fields; "" leaves them out
	body                      string
}

func (s sent) raw() string {
	lines := []string{s.method + " " + s.target + " HTTP/1.1", "Host: " + s.host}
	for name, value := range map[string]string{"Fastly-Key": s.token, "Content-Type": s.kind, "Surrogate-Key": s.keys} {
		if value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	if s.length == "" {
		s.length = strconv.Itoa(len(s.body))
	}
	return strings.Join(append(lines, "Content-Length: "+s.length), "\n") + "\n\n" + s.body
}

// fine returns a request that a door accepts. id is a purge to revert.
func fine(door, id string) sent {
	s := sent{door: door, method: "POST", host: "www.example.com", token: dialecttest.Root, kind: api.ContentType}
	switch door {
	case "key":
		s.target = "/service/shop/purge/k"
	case "json":
		s.target, s.body = "/service/shop/purge", `{"surrogate_keys":["k"]}`
	case "header":
		s.target, s.keys = "/service/shop/purge", "k"
	case "all":
		s.target = "/service/shop/purge_all"
	case "url":
		s.target = "/purge/https://www.example.com/page"
	case "purge", "site":
		s.method, s.target = "PURGE", "/page"
	case "native":
		s.target, s.body = api.PathPurges, `{"service":"shop","keys":["k"]}`
	case "revert":
		s.target = api.PathPurges + "/" + id + api.RevertSuffix
	case "tokens":
		s.target, s.body = api.PathTokens, `{"name":"ci","scopes":["purge_select"],"services":["shop"]}`
	}
	return s
}

// spoil makes a request have a fault.
func spoil(s *sent, fault string) {
	long := strings.Repeat("k", 2048)
	switch fault {
	case "257-keys":
		many := strings.Repeat(`"k",`, 256) + `"k"`
		s.body = `{"surrogate_keys":[` + many + `]}`
		if s.door == "native" {
			s.body = `{"service":"shop","keys":[` + many + `]}`
		}
	case "2-KB-key":
		s.target = strings.NewReplacer("/purge/k", "/purge/"+long, "/v1/purges/", "/v1/purges/"+long).Replace(s.target)
		s.body = strings.NewReplacer(`"k"`, `"`+long+`"`, `"ci"`, `"`+long+`"`).Replace(s.body)
		if s.keys != "" {
			s.keys = long
		}
	case "malformed-JSON":
		s.body = `{"service":"shop","surrogate_keys":["k"`
	case "wrong-type":
		s.body = `{"surrogate_keys":7}`
		if s.door == "native" || s.door == "tokens" {
			s.body = `{"service":7,"name":7}`
		}
	case "unknown-service":
		for _, part := range []*string{&s.target, &s.host, &s.body} {
			*part = strings.NewReplacer("/shop/", "/nobody/", `"shop"`, `"nobody"`, "www.example.com", "nobody.example").Replace(*part)
		}
		if s.door == "revert" {
			s.target = api.PathPurges + "/01ARZ3NDEKTSV4RRFFQ69G5FAV" + api.RevertSuffix
		}
	case "missing-token":
		s.token = ""
	case "wrong-token":
		s.token = dialecttest.Wrong
	case "expired-token":
		s.token = dialecttest.Expired
	case "unscoped-token":
		s.token = dialecttest.Watcher
	case "oversize-body":
		s.body = `{"x":"` + strings.Repeat("x", dialect.MaxBody) + `"}`
	case "slow-body":
		s.body, s.length = `{"service":`, "99"
	case "unknown-method":
		s.method = "BREW"
	case "content-type":
		s.kind = "text/plain"
	}
}

func TestFaultsAtEveryDoor(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(matrix), "\n")
	doors := strings.Fields(rows[0])[1:]
	for _, row := range rows[1:] {
		cells := strings.Fields(row)
		for i, door := range doors {
			status, err := strconv.Atoi(cells[i+1])
			if err != nil {
				continue // a dash
			}
			t.Run(cells[0]+"/"+door, func(t *testing.T) { try(t, cells[0], door, status) })
		}
	}
}

// try sends one fault to one door of a node of its own.
func try(t *testing.T, fault, door string, status int) {
	n := dialecttest.New(t)
	earlier, err := n.Control.Purge(control.Credentials{Token: dialecttest.Root}, control.Request{
		Service: "shop", Selectors: []purge.Selector{{Kind: purge.ByKey, Key: "earlier"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.From = dialecttest.Stranger
	s := fine(door, earlier.ID.String())
	spoil(&s, fault)
	got := answerOf(t, handlerOf(n, door), s, fault)
	if got.Status != status {
		t.Fatalf("answered %d %s, want %d", got.Status, got.Body, status)
	}
	if status < 400 {
		return
	}
	checkShape(t, got, door)
	if (fault == "expired-token") != strings.Contains(got.Body, "expired") && strings.HasPrefix(s.target, "/v1/") {
		t.Errorf("the reason is %s", got.Body)
	}
	if n.State(t, "shop", "https://www.example.com/page", "k") != purge.Live || n.State(t, "shop", "https://www.example.com/x", "earlier") != purge.Withdrawn {
		t.Error("something was done all the same")
	}
}

func handlerOf(n *dialecttest.Node, door string) http.Handler {
	if door == "site" {
		return fastly.Purge(n.Door())
	}
	return New(Config{
		Ready:    func() error { return nil },
		Native:   native.New(native.Config{Door: n.Door(), Status: func() api.Status { return api.Status{} }}),
		Fallback: fastly.API(n.Door()),
	})
}

// answerOf sends a request, in virtual time where the server waits: for the rest
// of a body, or before it closes a connection on one that is too long.
func answerOf(t *testing.T, h http.Handler, s sent, fault string) (got dialecttest.Answer) {
	t.Helper()
	if fault != "slow-body" && fault != "oversize-body" {
		return dialecttest.Send(t, h, s.raw())
	}
	synctest.Test(t, func(t *testing.T) { got = dialecttest.Stall(t, h, s.raw(), 30*time.Second) })
	return got
}

// checkShape tells whether a refusal is one that the door's clients can read.
func checkShape(t *testing.T, got dialecttest.Answer, door string) {
	t.Helper()
	var body struct {
		Msg, Title, Next string
		Status           int
	}
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
		t.Errorf("%q is no JSON object: %v", got.Body, err)
	}
	kind, ok := "application/json", body.Msg != ""
	if door == "native" || door == "revert" || door == "tokens" {
		kind, ok = api.ProblemContentType, body.Title != "" && body.Next != "" && body.Status == got.Status
	}
	if !ok || got.Header.Get("Content-Type") != kind {
		t.Errorf("%s %s", got.Header.Get("Content-Type"), got.Body)
	}
	for name, want := range map[string]bool{
		"WWW-Authenticate": got.Status == 401, "Allow": got.Status == 405,
		"Fastly-RateLimit-Remaining": kind == "application/json", "Fastly-RateLimit-Reset": kind == "application/json",
	} {
		if (got.Header.Get(name) != "") != want {
			t.Errorf("%s is %q", name, got.Header.Get(name))
		}
	}
	if len(got.Body) > 1000 {
		t.Errorf("an answer of %d bytes: %s", len(got.Body), fmt.Sprintf("%.100s", got.Body))
	}
}
