package accesslog_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// The fields are what operators' queries are written against: this line only
// ever gets longer.
func TestJSONFieldsAreStable(t *testing.T) {
	f := compile(t, accesslog.Config{
		Format: "json", RequestFields: []string{"Accept-Language", "X-None"}, ResponseFields: []string{"x-cache", "Vary"},
	})
	want := `{"time":"2026-03-14T14:09:26.535897Z","event":"request","outcome":"hit","reason":"fresh","status":200,"bytes":5120,` +
		`"received":3,"duration_us":2345678,"first_byte_us":1500,"cut":true,"id":"r1","service":"shop","node":"fra1-a",` +
		`"client":"192.0.2.7","edge":"ams1-a","edge_pop":"ams1","peer":"10.1.2.3:5555","tls":"TLSv1.3","method":"GET","scheme":"https","host":"www.example.com",` +
		`"target":"/product/42?size=l&x=1","proto":"HTTP/2.0","origin":"127.0.0.1:9000","origin_status":304,"age":61,"hits":7,` +
		`"collapsed":true,"referer":"https://a.example/","user_agent":"Mozilla/5.0 \"x\"",` +
		`"request_headers":{"accept-language":"de, en"},"response_headers":{"x-cache":"HIT","vary":"Accept, Cookie"}}`
	if got := string(f.Append(nil, sample())); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSONLeavesOutWhatIsEmpty(t *testing.T) {
	want := `{"time":"0001-01-01T00:00:00.000000Z","event":"request","outcome":"miss","status":0,"bytes":0,"duration_us":0}`
	if got := line(t, "", &event.Request{Outcome: event.OutcomeMiss}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSONEscapesWhatDoesNotPrint(t *testing.T) {
	in := "ä\u00e9 😀 \x00\n\t\x7f\u009b\u2028\u202e\U000e0001\xff\"\\"
	want := `{"value":"äé 😀 \u0000\u000a\u0009\u007f\u009b\u2028\u202e\udb40\udc01` + "\ufffd" + `\"\\"}`
	e := &event.Request{RequestFields: field.Fields{{Name: "Value", Value: in}}}
	got := string(compile(t, accesslog.Config{RequestFields: []string{"VALUE"}}).Append(nil, e))
	var parsed struct {
		Headers json.RawMessage `json:"request_headers"`
	}
	if err := json.Unmarshal([]byte(got), &parsed); err != nil {
		t.Fatal(err)
	}
	if string(parsed.Headers) != want {
		t.Errorf("got  %s\nwant %s", parsed.Headers, want)
	}
}

func TestPurgeRecords(t *testing.T) {
	at, addr := time.Date(2026, 3, 14, 15, 9, 26, 1000, time.UTC), netip.MustParseAddr("::1")
	purged := event.Purged{
		Time: at, ID: "01J", Service: "shop", Selectors: []event.Selector{{Kind: "key", Value: "a\n"}, {Kind: "url", Value: "b"}},
		Omitted: 2, Mode: "soft", Actor: "deploy", Addr: addr, Dialect: "fastly", Note: "why", Took: 12 * time.Microsecond,
		CountKnown: true,
	}
	everything := event.Purged{Time: at, ID: "01K", Service: "shop", Selectors: []event.Selector{{Kind: "all"}}, Mode: "hard"}
	received := event.Purged{Time: at, ID: "01L", Service: "shop", Selectors: []event.Selector{{Kind: "all"}}, Mode: "hard", Actor: "deploy", Node: "fra1-a"}
	there := event.Reverted{Time: at, ID: "01L", Service: "shop", Outcome: "undone", Elsewhere: true}
	reverted := event.Reverted{Time: at, ID: "01J", Service: "shop", Outcome: "reverted", Actor: "deploy", Addr: addr}
	denied := event.Denied{
		Time: at, Action: event.DeniedPurge, Reason: event.DeniedLimited, Detail: "slow down", Service: "x\"y",
		Actor: "deploy", Addr: addr, Dialect: "native", Suppressed: 9,
	}
	created := event.TokenChanged{
		Time: at, Change: event.TokenCreated, ID: "t1", Name: "ci", Scopes: "purge_select purge_all", Services: []string{"a", "b"},
		Expires: at.Add(time.Hour), Actor: "admin", Addr: addr,
	}
	revoked := event.TokenChanged{Time: at, Change: event.TokenRevoked, ID: "t1"}
	for want, got := range map[string][]byte{
		`{"time":"2026-03-14T15:09:26.000001Z","event":"token","outcome":"created","id":"t1","name":"ci",` +
			`"scopes":"purge_select purge_all","services":["a","b"],"expires":"2026-03-14T16:09:26.000001Z","actor":"admin",` +
			`"address":"::1"}`: accesslog.AppendTokenChanged(nil, &created),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"token","outcome":"revoked","id":"t1"}`: accesslog.AppendTokenChanged(nil, &revoked),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"purge","outcome":"applied","id":"01J","service":"shop","mode":"soft",` +
			`"selectors":[{"kind":"key","value":"a\u000a"},{"kind":"url","value":"b"}],"omitted":2,"actor":"deploy","address":"::1",` +
			`"dialect":"fastly","note":"why","took_us":12,"count":0}`: accesslog.AppendPurged(nil, &purged),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"purge","outcome":"applied","id":"01K","service":"shop","mode":"hard",` +
			`"selectors":[{"kind":"all"}],"took_us":0}`: accesslog.AppendPurged(nil, &everything),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"purge","outcome":"applied","id":"01L","service":"shop","mode":"hard",` +
			`"selectors":[{"kind":"all"}],"actor":"deploy","node":"fra1-a"}`: accesslog.AppendPurged(nil, &received),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"revert","outcome":"undone","id":"01L","service":"shop","elsewhere":true}`: accesslog.AppendReverted(nil, &there),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"revert","outcome":"reverted","id":"01J","service":"shop","actor":"deploy",` +
			`"address":"::1"}`: accesslog.AppendReverted(nil, &reverted),
		`{"time":"2026-03-14T15:09:26.000001Z","event":"denied","outcome":"denied","action":"purge","reason":"limited",` +
			`"detail":"slow down","service":"x\"y","actor":"deploy","address":"::1","dialect":"native","suppressed":9}`: accesslog.AppendDenied(nil, &denied),
	} {
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if !json.Valid(got) {
			t.Errorf("not JSON: %s", got)
		}
	}
}
