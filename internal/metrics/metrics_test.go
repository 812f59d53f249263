package metrics

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func TestRequestsAreCounted(t *testing.T) {
	m := New(Config{Services: []string{"shop"}})
	for _, s := range []Served{
		{Service: "shop", Outcome: event.OutcomeHit, Status: 200, Sent: 100, Duration: 70 * time.Microsecond},
		{Service: "shop", Outcome: event.OutcomeHit, Status: 206, Sent: 50, Duration: 40 * time.Microsecond},
		{Service: "shop", Outcome: event.OutcomeMiss, Status: 200, Sent: 7, Duration: 3 * time.Second, Cut: true},
		{Service: "shop", Outcome: event.OutcomePass, Status: 101, Received: 9},
		{Service: "shop", Outcome: event.OutcomePass, Status: 999},
		{Service: "shop", Outcome: event.OutcomeError},
		{Service: "shop", Outcome: "from elsewhere", Status: 503},
	} {
		m.Observe(s)
	}
	wantSamples(t, scrape(t, m), map[string]string{
		`rescind_requests_total{outcome="hit",service="shop",status="2xx"}`:                 "2",
		`rescind_requests_total{outcome="miss",service="shop",status="2xx"}`:                "1",
		`rescind_requests_total{outcome="pass",service="shop",status="1xx"}`:                "1",
		`rescind_requests_total{outcome="pass",service="shop",status="5xx"}`:                "1",
		`rescind_requests_total{outcome="error",service="shop",status="none"}`:              "1",
		`rescind_requests_total{outcome="error",service="shop",status="5xx"}`:               "1",
		`rescind_requests_total{outcome="stale",service="shop",status="2xx"}`:               "0",
		`rescind_response_bytes_total{outcome="hit",service="shop"}`:                        "150",
		`rescind_response_bytes_total{outcome="miss",service="shop"}`:                       "7",
		`rescind_request_bytes_total{service="shop"}`:                                       "9",
		`rescind_responses_cut_total{service="shop"}`:                                       "1",
		`rescind_request_duration_seconds_bucket{outcome="hit",service="shop",le="5e-05"}`:  "1",
		`rescind_request_duration_seconds_bucket{outcome="hit",service="shop",le="0.0001"}`: "2",
		`rescind_request_duration_seconds_bucket{outcome="miss",service="shop",le="5"}`:     "1",
		`rescind_request_duration_seconds_count{outcome="pass",service="shop"}`:             "2",
	})
}

func TestClusterIsShown(t *testing.T) {
	got := scrape(t, busy())
	wantSamples(t, got, map[string]string{
		`rescind_cluster_ready`:                                                "1",
		`rescind_cluster_isolated`:                                             "0",
		`rescind_cluster_members{state="absent"}`:                              "1",
		`rescind_cluster_member_rtt_seconds{member="ams1-a",pop="ams1"}`:       "0.02",
		`rescind_cluster_member_behind_entries{member="sin1-a",pop="sin1"}`:    "3",
		`rescind_cluster_propagation_seconds_bucket{pop="ams1",le="0.01"}`:     "1",
		`rescind_cluster_propagation_seconds_bucket{pop="ams1",le="0.1"}`:      "3",
		`rescind_cluster_propagation_seconds_count{pop="ams1"}`:                "4",
		`rescind_cluster_refused_packets_total{reason="forged"}`:               "12",
		`rescind_journal_failing`:                                              "1",
		`rescind_purges_received_total`:                                        "6",
		`rescind_cluster_member_heard_age_seconds{member="sin1-a",pop="sin1"}`: "",
		`rescind_cluster_member_rtt_seconds{member="sin1-a",pop="sin1"}`:       "",
	})
}

func TestEventsAreCounted(t *testing.T) {
	m := New(Config{Services: []string{"shop"}})
	keys := make([]event.Selector, event.MaxSelectors)
	for i := range keys {
		keys[i].Kind = "key"
	}
	for _, e := range []event.Purged{
		{Service: "shop", Mode: "soft", Dialect: "fastly", Selectors: keys, Omitted: 92},
		{Service: "shop", Mode: "hard", Dialect: "native", Selectors: []event.Selector{{Kind: "url"}, {Kind: "key"}}},
		{Service: "shop", Mode: "hard", Dialect: "http", Selectors: []event.Selector{{Kind: "url"}}, Count: 3, CountKnown: true, Took: 20 * time.Microsecond},
	} {
		m.Purged(e)
	}
	m.Reverted(event.Reverted{Service: "shop", Outcome: "undone"})
	m.Denied(event.Denied{Action: event.DeniedPurge, Reason: event.DeniedUnknownService, Dialect: "fastly", Service: "made up", Suppressed: 40})
	m.Denied(event.Denied{Action: event.DeniedRead, Reason: event.DeniedForbidden, Dialect: "native", Service: "shop"})
	m.TokenChanged(event.TokenChanged{Change: event.TokenRevoked})
	m.Refused(event.Refused{Reason: event.RefusedInvalidHost})
	m.Refused(event.Refused{Reason: event.RefusedInvalidHost})
	m.OriginError("shop", "connect")
	wantSamples(t, scrape(t, m), map[string]string{
		`rescind_purges_total{dialect="fastly",kind="key",mode="soft",outcome="applied",service="shop"}`:   "1",
		`rescind_purges_total{dialect="native",kind="mixed",mode="hard",outcome="applied",service="shop"}`: "1",
		`rescind_purges_total{dialect="http",kind="url",mode="hard",outcome="applied",service="shop"}`:     "1",
		`rescind_purges_total{dialect="fastly",kind="",mode="",outcome="denied",service=""}`:               "1",
		`rescind_purge_selectors_total{service="shop"}`:                                                    "103",
		`rescind_purge_objects_total{service="shop"}`:                                                      "3",
		`rescind_purge_apply_duration_seconds_bucket{le="2.5e-05"}`:                                        "3",
		`rescind_purge_reverts_total{outcome="undone",service="shop"}`:                                     "1",
		`rescind_denials_total{action="purge",dialect="fastly",reason="unknown service"}`:                  "1",
		`rescind_denials_total{action="read",dialect="native",reason="forbidden"}`:                         "1",
		`rescind_denials_suppressed_total`:                                                                 "40",
		`rescind_token_changes_total{change="revoked"}`:                                                    "1",
		`rescind_refused_total{reason="invalid Host"}`:                                                     "2",
		`rescind_origin_errors_total{kind="connect",service="shop"}`:                                       "1",
	})
}

func TestSourcesAreReadEachTime(t *testing.T) {
	folded := uint64(0)
	sources := fullSources()
	sources.Purges = func() Purges { folded++; return Purges{Folded: folded} }
	m := New(Config{Sources: sources})
	scrape(t, m)
	got := scrape(t, m)
	wantSamples(t, got, map[string]string{
		`rescind_purge_folded_total`: "2",
		`rescind_origin_up{address="10.0.0.1:80",origin="http://a",service="shop"}`:                 "1",
		`rescind_origin_up{address="",origin="http://b",service="shop"}`:                            "0",
		`rescind_origin_waiting_requests{address="10.0.0.1:80",origin="http://a",service="shop"}`:   "2",
		`rescind_origin_connections{address="10.0.0.1:80",origin="http://a",service="shop"}`:        "3",
		`rescind_origin_failures_total{address="10.0.0.1:80",origin="http://a",service="shop"}`:     "5",
		`rescind_origin_requests_total{service="shop"}`:                                             "1",
		`rescind_requests_collapsed_total{service="shop"}`:                                          "2",
		`rescind_revalidations_total{result="renewed",service="shop"}`:                              "4",
		`rescind_revalidations_total{result="discarded",service="shop"}`:                            "5",
		`rescind_ignored_surrogate_keys_total{service="shop"}`:                                      "7",
		`rescind_store_removed_objects_total{reason="swept"}`:                                       "7",
		`rescind_store_budget_bytes`:                                                                "3",
		`rescind_connections`:                                                                       "1",
		`rescind_received_requests_total{version="2"}`:                                              "5",
		`rescind_log_dropped_lines_total{output="stdout"}`:                                          "2",
		`rescind_origin_in_flight_requests{address="10.0.0.1:80",origin="http://a",service="shop"}`: "1",
	})
	if names := series(got, "mark_budget"); names != nil {
		t.Errorf("a budget that is not known is shown: %v", names)
	}
}

func TestNothingMustBeSupplied(t *testing.T) {
	got := scrape(t, New(Config{}))
	if names := series(got, "rescind_store"); names != nil {
		t.Errorf("there is no store, but %v", names)
	}
	for _, want := range []string{"go_goroutines", "process_start_time_seconds", "rescind_build_info"} {
		if series(got, want) == nil {
			t.Errorf("no %s", want)
		}
	}
}

// TestStrangersMakeNoSeries has callers and clients name services that are not
// there, which is what anybody can do.
func TestStrangersMakeNoSeries(t *testing.T) {
	m := New(Config{Services: []string{"shop"}})
	m.Observe(Served{Service: "stranger", Outcome: event.OutcomeError, Status: 404})
	m.Observe(Served{Outcome: event.OutcomeError, Status: 404})
	m.Denied(event.Denied{Action: event.DeniedPurge, Service: "stranger\xff"})
	m.OriginError("stranger", "connect")
	got := scrape(t, m)
	if names := series(got, "stranger"); names != nil {
		t.Errorf("made by strangers: %v", names)
	}
	wantSamples(t, got, map[string]string{`rescind_requests_total{outcome="error",service="",status="4xx"}`: "2"})
}

func TestServicesComeAndGo(t *testing.T) {
	m := New(Config{Services: []string{"shop", "blog"}})
	for _, id := range []string{"shop", "blog"} {
		m.Observe(Served{Service: id, Outcome: event.OutcomeHit, Status: 200})
		m.Purged(event.Purged{Service: id, Mode: "hard", Dialect: "native"})
	}
	m.SetServices([]string{"shop", "docs", ""})
	m.Observe(Served{Service: "blog", Outcome: event.OutcomeHit, Status: 200})
	got := scrape(t, m)
	if names := series(got, "blog"); names != nil {
		t.Errorf("a service that is gone is shown: %v", names)
	}
	wantSamples(t, got, map[string]string{
		`rescind_requests_total{outcome="hit",service="shop",status="2xx"}`: "1",
		`rescind_requests_total{outcome="hit",service="docs",status="2xx"}`: "0",
		`rescind_requests_total{outcome="hit",service="",status="2xx"}`:     "1",
	})
}

// TestOneBadValueSpoilsNothing has sources that say the same twice, and what
// cannot be written.
func TestOneBadValueSpoilsNothing(t *testing.T) {
	var log bytes.Buffer
	m := New(Config{
		Log: slog.New(slog.NewTextHandler(&log, nil)),
		Sources: Sources{
			Services: func() []Service {
				twice := Backend{Origin: "http://a", Address: "10.0.0.1:80", Up: true}
				return []Service{{ID: "shop", Backends: []Backend{twice, twice}}, {ID: "shop"}, {ID: "\xff"}}
			},
			Logs: func() []Log { return []Log{{Name: "stdout", Dropped: 1}, {Name: "stdout", Dropped: 2}} },
		},
	})
	wantSamples(t, scrape(t, m), map[string]string{
		`rescind_origin_up{address="10.0.0.1:80",origin="http://a",service="shop"}`: "1",
		`rescind_log_dropped_lines_total{output="stdout"}`:                          "1",
	})
	if !strings.Contains(log.String(), "metrics cannot all be read") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestConcurrentUse(t *testing.T) {
	m := New(Config{Services: []string{"shop"}, Sources: fullSources()})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				m.Observe(Served{Service: "shop", Outcome: event.OutcomeHit, Status: 200})
				m.Purged(event.Purged{Service: "blog", Mode: "hard", Dialect: "native"})
			}
		})
	}
	for range 20 {
		m.SetServices([]string{"shop", "blog"})
		m.SetServices([]string{"shop"})
		scrape(t, m)
	}
	all.Wait()
	wantSamples(t, scrape(t, m), map[string]string{
		`rescind_requests_total{outcome="hit",service="shop",status="2xx"}`: "2000",
	})
}
