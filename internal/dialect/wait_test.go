package dialect_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestWaitOf(t *testing.T) {
	door := dialect.Door{WaitAtMost: 10 * time.Second}
	for _, tc := range []struct {
		query, header, timeout string
		want                   dialect.Wait
		bad                    bool
	}{
		{want: dialect.Wait{Level: control.WaitNone, AtMost: 10 * time.Second}},
		{query: "wait=all", want: dialect.Wait{Level: control.WaitAll, AtMost: 10 * time.Second}},
		{query: "wait=pop&timeout=2s", want: dialect.Wait{Level: control.WaitPOP, AtMost: 2 * time.Second}},
		{query: "wait=all&timeout=5m", want: dialect.Wait{Level: control.WaitAll, AtMost: 10 * time.Second}},
		{header: "peer", timeout: "1s", want: dialect.Wait{Level: control.WaitPeer, AtMost: time.Second}},
		{query: "wait=none", header: "all", want: dialect.Wait{Level: control.WaitNone, AtMost: 10 * time.Second}},
		{query: "wait=everybody", bad: true},
		{header: "ALL", bad: true},
		{query: "wait=all&timeout=5", bad: true},
		{query: "wait=all&timeout=0s", bad: true},
		{header: "all", timeout: "-1s", bad: true},
	} {
		query, _ := neturl.ParseQuery(tc.query)
		h := http.Header{}
		if tc.header != "" {
			h.Set("Rescind-Wait", tc.header)
		}
		if tc.timeout != "" {
			h.Set("Rescind-Wait-Timeout", tc.timeout)
		}
		got, err := door.WaitOf(h, query)
		if tc.bad != errors.Is(err, control.ErrBadRequest) || !tc.bad && got != tc.want {
			t.Errorf("%+v: %+v, %v", tc, got, err)
		}
	}
}

// asks sends one purge of a key through a door and returns its answer's header
// and the time that it took.
func asks(t *testing.T, n *dialecttest.Node, ctx context.Context, level, timeout string) (http.Header, time.Duration) {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, "POST", "/", nil)
	r.Header.Set("Rescind-Wait", level)
	r.Header.Set("Rescind-Wait-Timeout", timeout)
	w, began := httptest.NewRecorder(), time.Now()
	creds := control.Credentials{Token: dialecttest.Root}
	request := control.Request{Service: "shop", Selectors: []purge.Selector{{Kind: purge.ByKey, Key: "k"}}}
	if _, _, err := n.Door().Purge(w, r, nil, creds, request); err != nil {
		t.Fatal(err)
	}
	if n.State(t, "shop", "https://www.example.com/", "k") != purge.Withdrawn {
		t.Error("it was not purged")
	}
	return w.Header(), time.Since(began)
}

func TestPurgeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialecttest.New(t)
		if h, _ := asks(t, n, t.Context(), "all", "5s"); h.Get("Rescind-Confirmed") != "all" || h.Get("Rescind-Missing") != "" || n.Others.Asked != control.WaitAll {
			t.Errorf("all have it: %v", h)
		}
		n.Others.Missing = []string{"ams1", "sin1"}
		h, took := asks(t, n, t.Context(), "all", "5s")
		if h.Get("Rescind-Missing") != "ams1, sin1" || h.Get("Rescind-Confirmed") != "" || took != 5*time.Second {
			t.Errorf("none has it: %v after %v", h, took)
		}
		if h, took := asks(t, n, t.Context(), "none", "5s"); len(h) != 0 || took != 0 {
			t.Errorf("nobody is waited for: %v after %v", h, took)
		}
		gone, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if _, took := asks(t, n, gone, "all", "5s"); took != time.Second {
			t.Errorf("a client that leaves was waited with for %v", took)
		}
	})
}

// Where too many wait, what is known is said at once.
func TestPurgeDoesNotWaitAmongTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialecttest.New(t)
		n.Others = dialecttest.Others{Missing: []string{"sin1"}, Full: errors.New("full")}
		for level, want := range map[string]string{"all": "sin1", "peer": ""} {
			h, took := asks(t, n, t.Context(), level, "5s")
			if h.Get("Rescind-Missing") != want || took != 0 {
				t.Errorf("%s: %v after %v", level, h, took)
			}
		}
	})
}

// Where it is not even known who would have to confirm, nothing is confirmed.
func TestNobodyKnownIsNotNobodyMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialecttest.New(t)
		n.Others = dialecttest.Others{Unknown: true, Full: errors.New("full")}
		if h, _ := asks(t, n, t.Context(), "all", "5s"); h.Get("Rescind-Missing") == "" {
			t.Errorf("confirmed by nobody: %v", h)
		}
	})
}

func TestManyMissingFitAHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialecttest.New(t)
		for i := range 1000 {
			n.Others.Missing = append(n.Others.Missing, strings.Repeat("x", 60)+strconv.Itoa(1000+i))
		}
		h, _ := asks(t, n, t.Context(), "all", "1s")
		if got := h.Get("Rescind-Missing"); len(got) > 5000 || !strings.HasSuffix(got, ", and 936 more") {
			t.Errorf("%d bytes: …%s", len(got), got[len(got)-40:])
		}
	})
}
