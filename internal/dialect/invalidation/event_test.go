package invalidation

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

const page = "https://www.example.com/foo/bar"

func send(t *testing.T, n *dialecttest.Node, reach dialect.Reach, head, body string) dialecttest.Answer {
	t.Helper()
	return dialecttest.Send(t, New(n.Door(), reach), fmt.Sprintf("%s\nContent-Length: %d\n\n%s", head, len(body), body))
}

const post = "POST /invalidation HTTP/1.1\nHost: a\nContent-Type: application/json"

func TestEvents(t *testing.T) {
	group := func(name string) string { return "group https://www.example.com " + name }
	for _, tc := range []struct {
		body string
		url  string // of an object, with its keys, that must be in state
		keys []string
		want purge.State
		live string // of one that must stay
	}{
		{`{"type":"uri","selectors":["https://www.example.com/foo/bar"]}`, page, nil, purge.Softened, page + "/baz"},
		{`{"type":"uri","selectors":["https://www.example.com/foo/bar","https://www.example.com/x"],"purge":true}`, page, nil, purge.Withdrawn, "http://www.example.com/foo/bar"},
		{`{"type":"uri-prefix","selectors":["https://www.example.com/foo/bar"],"purge":true}`, page + "/x?y", nil, purge.Withdrawn, page + "baz"},
		{`{"type":"origin","selectors":["https://www.example.com"],"purge":true,"unknown":[]}`, page, nil, purge.Withdrawn, ""},
		{`{"type":"origin","selectors":["https://www.example.com:443/"]}`, page, nil, purge.Softened, ""},
		{`{"type":"group","selectors":["https://www.example.com"],"groups":["a","b c"],"purge":true}`, page, []string{group("b c")}, purge.Withdrawn, page},
		{`{"type":"group","selectors":["www.example.com"],"groups":["a"]}`, page, []string{group("a")}, purge.Softened, page},
	} {
		node := dialecttest.New(t)
		got := send(t, node, nil, post, tc.body)
		if got.Status != 200 || !regexp.MustCompile(`^{"ids":\["\w{26}"\]}\n$`).MatchString(got.Body) {
			t.Errorf("%s: %d %s", tc.body, got.Status, got.Body)
		}
		if state := node.State(t, "shop", tc.url, tc.keys...); state != tc.want {
			t.Errorf("%s: the object is %v, want %v", tc.body, state, tc.want)
		}
		if tc.live != "" && node.State(t, "shop", tc.live) != purge.Live {
			t.Errorf("%s: %s is %v", tc.body, tc.live, node.State(t, "shop", tc.live))
		}
	}
}

// lagging is the Reach of a cluster in which one node has yet to hear of it.
type lagging struct{ dialect.ThisNode }

func (lagging) Everywhere(context.Context, control.Receipt) bool { return false }

func TestAcceptedUntilItIsEverywhere(t *testing.T) {
	got := send(t, dialecttest.New(t), lagging{}, post, `{"type":"uri","selectors":["https://www.example.com/foo/bar"]}`)
	if got.Status != 202 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestServicesOfOneCall has selectors of two services.
func TestServicesOfOneCall(t *testing.T) {
	node := dialecttest.New(t)
	const body = `{"type":"uri","purge":true,"selectors":["https://www.example.com/foo/bar","https://blog.example/"]}`
	got := send(t, node, nil, post+"\nAuthorization: Bearer deploy-secret", body)
	if got.Status != 403 || node.State(t, "shop", page) != purge.Live {
		t.Errorf("a token for one of them: %d %s", got.Status, got.Body)
	}
	got = send(t, node, nil, post+"\nAuthorization: Bearer root-secret", body)
	if got.Status != 200 || strings.Count(got.Body, ",") != 1 || node.State(t, "shop", page) != purge.Withdrawn || node.State(t, "blog", "https://blog.example/") != purge.Withdrawn {
		t.Errorf("a token for both: %d %s", got.Status, got.Body)
	}
}

func TestRefused(t *testing.T) {
	const good = `{"type":"uri","selectors":["https://www.example.com/foo/bar"]}`
	for _, tc := range []struct {
		head, body string
		from       control.Credentials
		status     int
	}{
		{post, good, dialecttest.Stranger, 401},
		{post, good, control.Credentials{Addr: dialecttest.Loopback.Addr, Forwarded: true}, 401},
		{post + "\nAuthorization: Bearer watcher-secret", good, dialecttest.Stranger, 403},
		{post, `{"type":"regex","selectors":["https://www.example.com/.*"]}`, dialecttest.Loopback, 501},
		{post, `{"selectors":["https://www.example.com/"]}`, dialecttest.Loopback, 400},
		{post, `{"type":"uri","selectors":[]}`, dialecttest.Loopback, 400},
		{post, `{"type":"uri","selectors":"https://www.example.com/"}`, dialecttest.Loopback, 400},
		{post, `{"type":"uri","selectors":["/foo"]}`, dialecttest.Loopback, 400},
		{post, `{"type":"group","selectors":["https://www.example.com"]}`, dialecttest.Loopback, 400},
		{post, `{"type":"group","selectors":["https://www.example.com"],"groups":["` + strings.Repeat("x", 300) + `"]}`, dialecttest.Loopback, 400},
		{post, `{"type":"uri","selectors":["https://nobody.example/"]}`, dialecttest.Loopback, 404},
		{post, ``, dialecttest.Loopback, 400},
		{"GET /invalidation HTTP/1.1\nHost: a", ``, dialecttest.Loopback, 405},
		{"POST /invalidation/x HTTP/1.1\nHost: a", good, dialecttest.Loopback, 404},
	} {
		node := dialecttest.New(t)
		node.From = tc.from
		got := send(t, node, nil, tc.head, tc.body)
		if got.Status != tc.status || got.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.Body, fmt.Sprintf(`"status":%d`, tc.status)) {
			t.Errorf("%.80s %.80s: %d %s", tc.head, tc.body, got.Status, got.Body)
		}
		if node.State(t, "shop", page) != purge.Live {
			t.Errorf("%.80s purged", tc.body)
		}
	}
}

// FuzzEvent holds that an event is refused, or each of its selectors names
// something on a host.
func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		`{"type":"uri","selectors":["https://a/b"]}`, `{"type":"group","selectors":["a"],"groups":["x"],"purge":true}`, `{"type":"origin","selectors":["http://a:1"]}`,
		`{"type":"uri-prefix","selectors":["//a/b?c#d"]}`, `[]`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := parse(body)
		if err != nil {
			return
		}
		for _, text := range e.Selectors {
			selectors, host, err := e.selected(text)
			if err == nil && (len(selectors) == 0 || selectors[0].Kind == 0 || host == "") {
				t.Errorf("%q of %q names nothing", text, e.Type)
			}
		}
	})
}
