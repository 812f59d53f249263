package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

func TestDuration(t *testing.T) {
	var p api.Purge
	if err := json.Unmarshal([]byte(`{"ttl":"1h30m","grace":"0s"}`), &p); err != nil {
		t.Fatal(err)
	}
	if time.Duration(*p.TTL) != 90*time.Minute || *p.Grace != 0 || p.Keep != nil {
		t.Errorf("got %v, %v, %v", p.TTL, p.Grace, p.Keep)
	}
	data, err := json.Marshal(p)
	if want := `{"ttl":"1h30m0s","grace":"0s"}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
	for _, bad := range []string{`{"ttl":30}`, `{"ttl":"30"}`, `{"ttl":""}`, `{"ttl":"` + strings.Repeat("x", 1000) + `"}`} {
		if err := json.Unmarshal([]byte(bad), &p); err == nil || len(err.Error()) > 300 {
			t.Errorf("%.40s: %v, want a short error", bad, err)
		}
	}
}

// A count of no objects is an answer; an unknown count is none.
func TestUnknownCountIsAbsent(t *testing.T) {
	none := 0
	for want, count := range map[string]*int{`"count":0`: &none, "": nil} {
		data, err := json.Marshal(api.Receipt{Count: count})
		if err != nil || strings.Contains(string(data), `"count"`) != (want != "") || !strings.Contains(string(data), want) {
			t.Errorf("count %v: %s, %v", count, data, err)
		}
	}
}

func TestProblemText(t *testing.T) {
	for want, p := range map[string]api.Problem{
		"no such service; ask for status":     {Title: "Not found", Detail: "no such service", Next: "ask for status"},
		"Not found":                           {Title: "Not found", Status: 404},
		"the server answered with status 500": {Status: 500},
	} {
		if got := p.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
