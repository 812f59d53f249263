package proxy

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/shield"
	"github.com/rescind-edge/rescind/internal/shield/catch"
)

// knower says what a test wants to be known.
type knower struct {
	known  bool
	undone []shield.Purge
}

func (k *knower) Covers(context.Context, *shield.Ask) catch.Covering {
	if k.known {
		return catch.Covered
	}
	return catch.NotCovered
}
func (k *knower) Confirms(*shield.Ask) bool    { return k.known }
func (k *knower) Undone(string) []shield.Purge { return k.undone }

func (k *knower) Own() shield.Session { return shield.Session{9} }

func shieldSite(t *testing.T, shields bool) (*site, *knower) {
	s := newSite(t, func(_ *site, service *Service, _ *fetch.Config) { service.Shields = shields })
	k := &knower{known: true}
	cfg := s.proxy.now.Load().Config
	cfg.Catcher = k
	s.proxy.Reconfigure(cfg)
	return s, k
}

var anAsk = func() string {
	a := shield.Ask{From: "e", Session: shield.Session{1}, Since: 4, At: 7}
	return shield.AskField + ": " + string(a.Append(nil))
}()

// edge asks as another node does.
func (s *site) edge(method, path string, fields ...string) (out seen, w shield.Word) {
	s.t.Helper()
	out = newSeen()
	s.proxy.Edges().ServeHTTP(out, s.request(context.Background(), method, path, nil, fields...))
	w, err := shield.ParseWord(out.Header().Get(shield.WordField))
	if err != nil {
		s.t.Fatalf("%s %s: %d, %q: %v", method, path, out.Code, out.Header().Get(shield.WordField), err)
	}
	return out, w
}

func TestAnEdgeIsToldEverything(t *testing.T) {
	s, _ := shieldSite(t, true)
	s.says("x", "Cache-Control: max-age=600", "Surrogate-Key: k", "Surrogate-Control: max-age=60")
	if got, w := s.edge("GET", "/a", anAsk); w.How != shield.Filled || got.Header().Get("Surrogate-Key") != "k" || got.Header().Get("Surrogate-Control") == "" {
		t.Errorf("%v %v", w, got.Header())
	}
	_, w := s.edge("GET", "/a", anAsk)
	if w.How != shield.Hit || !w.Confirms || w.Confirmed != 7 || w.Session != (shield.Session{9}) {
		t.Errorf("%+v", w)
	}
	if !w.HasLeft || w.Left.Fresh > time.Minute || w.Left.Fresh < 55*time.Second {
		t.Errorf("left: %+v", w.Left)
	}
	s.purgeKey("k", purge.Effect{Mode: purge.Soft, TTL: 10 * time.Second, Grace: purge.Untouched, Keep: purge.Untouched})
	if _, w = s.edge("GET", "/a", anAsk); w.How != shield.Hit || w.Left.Fresh > 10*time.Second {
		t.Errorf("after a soft purge: %+v", w)
	}
	if s.lastRequest().Fields.Has(shield.AskField) {
		t.Error("the origin is told what edges tell shields")
	}
	if got := s.get("/a", anAsk); got.Header().Get("Surrogate-Key") != "" || got.Header().Get(shield.WordField) != "" {
		t.Errorf("a client that says it is an edge is told %v", got.Header())
	}
}

// TestARecordNamesTheEdge tells requests of other nodes from those of clients, also
// of nodes that are refused.
func TestARecordNamesTheEdge(t *testing.T) {
	for _, shields := range []bool{true, false} {
		s, _ := shieldSite(t, shields)
		var got []string
		cfg := s.proxy.now.Load().Config
		cfg.EdgePOP = func(node string) string { return "pop of " + node }
		cfg.Done = func(r *event.Request) { got = append(got, r.Edge+", "+r.EdgePOP) }
		s.proxy.Reconfigure(cfg)
		s.says("x", "Cache-Control: max-age=600")
		s.edge("GET", "/a", anAsk)
		s.edge("GET", "/a", anAsk)
		s.get("/a", anAsk) // a client that says it is an edge
		s.edge("GET", "/a", "Rescind-Edge: 1 e")
		if want := []string{"e, pop of e", "e, pop of e", ", ", ", "}; !slices.Equal(got, want) {
			t.Errorf("shields %v: %q, want %q", shields, got, want)
		}
	}
}

// TestAnEdgeIsToldWhatWasTakenBack hears of reverts with what may have been stored
// before the purge, and not with what the origin says now.
func TestAnEdgeIsToldWhatWasTakenBack(t *testing.T) {
	s, k := shieldSite(t, true)
	s.says("x", "Cache-Control: max-age=600")
	k.undone = []shield.Purge{{7}}
	for i, want := range []shield.How{shield.Filled, shield.Hit, shield.Behind} {
		k.known = i < 2
		_, w := s.edge("GET", "/a", anAsk)
		if w.How != want || (len(w.Undone) == 1) != want.Kept() {
			t.Errorf("%+v, want %s", w, want)
		}
	}
}

// TestAShieldThatIsBehind looks nothing up, and stores what the origin says.
func TestAShieldThatIsBehind(t *testing.T) {
	s, k := shieldSite(t, true)
	s.says("old", "Cache-Control: max-age=600", `ETag: "1"`)
	s.edge("GET", "/a", anAsk)
	s.says("new", "Cache-Control: max-age=600", `ETag: "2"`)
	k.known = false
	got, w := s.edge("GET", "/a", anAsk)
	if got.body() != "new" || w.How != shield.Behind || w.Confirms {
		t.Errorf("%q %+v", got.body(), w)
	}
	if s.lastRequest().Fields.Has("If-None-Match") {
		t.Error("what may have been purged was to be confirmed")
	}
	k.known = true
	if got, w := s.edge("GET", "/a", anAsk); got.body() != "new" || w.How != shield.Hit {
		t.Errorf("it was not stored: %q %+v", got.body(), w)
	}
}

func TestWhatIsNoShieldRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		shields bool
		method  string
		fields  []string
		want    int
	}{
		"a node that is none":   {false, "GET", []string{anAsk}, http.StatusMisdirectedRequest},
		"an unknown host":       {true, "GET", []string{anAsk, "Host: other.example"}, http.StatusMisdirectedRequest},
		"nothing is asked":      {true, "GET", nil, http.StatusBadRequest},
		"it is asked twice":     {true, "GET", []string{anAsk, anAsk}, http.StatusBadRequest},
		"what is asked is long": {true, "GET", []string{shield.AskField + ": " + strings.Repeat("1 ", 9999)}, http.StatusBadRequest},
		"a purge":               {true, "PURGE", []string{anAsk}, http.StatusMethodNotAllowed},
	} {
		s, _ := shieldSite(t, tc.shields)
		s.says("x")
		if got, w := s.edge(tc.method, "/a", tc.fields...); got.Code != tc.want || w.How != shield.Refused || s.fetches() > 0 {
			t.Errorf("%s: %d %+v, %d fetches", name, got.Code, w, s.fetches())
		}
	}
}
