package stackpath

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestWindow(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	w := &Window{}
	for _, step := range []struct {
		account string
		n, at   int           // seconds
		wait    time.Duration // 0: counted
	}{
		{"a", 120, 0, time.Minute}, // never fits
		{"a", 50, 0, 0},
		{"a", 50, 5, 0},
		{"a", 1, 5, 55 * time.Second},
		{"b", 100, 5, 0},
		{"a", 51, 6, 59 * time.Second}, // needs both to leave
		{"a", 120, 6, 59 * time.Second},
		{"a", 50, 59, time.Second},
		{"a", 50, 60, 0},
		{"a", 1, 60, 5 * time.Second},
		{"a", 50, 65, 0},
		{"a", 100, 125, 0},
	} {
		if got := w.Take(step.account, step.n, after(step.at)); got != step.wait {
			t.Errorf("%+v: wait %v", step, got)
		}
	}
	w.Elsewhere = func(account string, since time.Time) []Taken {
		if account != "c" || !since.Equal(after(140)) {
			t.Errorf("asked for %q after %v", account, since)
		}
		return []Taken{{after(190), 30}, {after(150), 30}}
	}
	if w.Take("c", 40, after(200)) != 0 {
		t.Error("with what others took it is not too many")
	}
	if got := w.Take("c", 1, after(200)); got != 10*time.Second {
		t.Errorf("with what others took: wait %v", got)
	}
	w.Elsewhere = nil
	w.SetPerMinute(-1)
	if w.Take("a", 1e6, after(125)) != 0 {
		t.Error("a limit where there is none")
	}
	w.SetPerMinute(101)
	if w.Take("a", 1, after(126)) != 0 || w.Take("a", 1, after(126)) == 0 {
		t.Error("a changed limit forgot what was taken, or does not count")
	}
}

// TestLimit is the limit at its edge: all of a call or nothing, and an answer
// that says when to come again.
func TestLimit(t *testing.T) {
	node := dialecttest.New(t)
	now := time.Now()
	c := newAPI(node)
	c.Quota, c.Now = &Window{}, func() time.Time { return now }
	call := func(prefix string, n int) dialecttest.Answer {
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf(`{"url":"//www.example.com/%s%d"}`, prefix, i))
		}
		return send(t, c, "POST /cdn/v1/stacks/shop/purge HTTP/1.1\nHost: a\nAuthorization: Bearer deploy-secret", `{"items":[`+strings.Join(items, ",")+`]}`)
	}
	if got := call("too-many", 101); got.Status != 429 {
		t.Errorf("101 at once: %d %s", got.Status, got.Body)
	}
	if got := call("first", 44); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	now = now.Add(4 * time.Second)
	if got := call("second", 56); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	got := call("third", 1)
	var f failure
	if err := json.Unmarshal([]byte(got.Body), &f); err != nil || got.Status != 429 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if f.Code != 8 || f.Message != "Too many CDN purge requests received. Please retry this request in 56 seconds." || len(f.Details) != 2 ||
		f.Details[0].Type != "stackpath.rpc.RetryInfo" || f.Details[0].RetryDelay != "56s" || f.Details[1].RequestID == "" || got.Header.Get("Retry-After") != "56" {
		t.Errorf("%s %v", got.Body, got.Header)
	}
	for path, want := range map[string]purge.State{"too-many0": purge.Live, "first43": purge.Withdrawn, "second55": purge.Withdrawn, "third0": purge.Live} {
		if state := node.State(t, "shop", "//www.example.com/"+path); state != want {
			t.Errorf("%s is %v, want %v", path, state, want)
		}
	}
	now = now.Add(56 * time.Second)
	if got := call("fourth", 44); got.Status != 200 {
		t.Errorf("56 seconds later: %d %s", got.Status, got.Body)
	}
}
