package metrics

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// scrape returns the samples of the text format by name and labels, as they
// stand on their lines.
func scrape(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	samples := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			// A label may hold spaces: the value stands after the last.
			if i := strings.LastIndexByte(line, ' '); i > len(name) {
				name, value = line[:i], strings.TrimSpace(line[i+1:])
			}
			samples[name] = value
		}
	}
	return samples
}

func wantSamples(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

// series returns those whose name or labels hold a text.
func series(got map[string]string, text string) (names []string) {
	for name := range got {
		if strings.Contains(name, text) {
			names = append(names, name)
		}
	}
	return names
}

// fullSources has everything that can be shown.
func fullSources() Sources {
	return Sources{
		Services: func() []Service {
			return []Service{{
				ID: "shop", Fetches: 1, Collapsed: 2, Refreshes: 3, Renewed: 4, Discarded: 5, Abandoned: 6, IgnoredKeys: 7,
				Backends: []Backend{
					{Origin: "http://a", Address: "10.0.0.1:80", Up: true, InFlight: 1, Waiting: 2, Connections: 3, Exchanges: 4, Failures: 5},
					{Origin: "http://b"},
				},
				Shield: &Shield{Answers: map[string]uint64{"hit": 1}, Direct: map[string]uint64{"no_member": 2}, Failures: 3},
			}}
		},
		Store: func() Store {
			return Store{Objects: 1, Bytes: 2, Budget: 3, Stored: 4, Refused: 5, Gone: map[string]uint64{"evicted": 6, "swept": 7}}
		},
		Purges: func() Purges {
			return Purges{
				Marks: 1, MarkBytes: 2, MarkBudget: 3, Folded: 4, Sweeps: 5, Dropped: 6, Invalidations: 7,
			}
		},
		Connections: func() Connections {
			return Connections{Open: 1, Accepted: 2, HandshakeFailures: 3, HTTP1Requests: 4, HTTP2Requests: 5}
		},
		Journal: func() Journal {
			return Journal{Entries: 1, Bytes: 2, Issuers: 3, Items: 4, Pending: 5, Failing: true, Received: 6, Lost: 7}
		},
		Cluster: func() Cluster {
			return Cluster{
				Ready: true, Heard: 2, Majority: 2, States: map[string]int{"self": 1, "alive": 1, "absent": 1},
				Members: []Member{{Name: "ams1-a", POP: "ams1", RTT: 0.02, Heard: 1.5}, {Name: "sin1-a", POP: "sin1", Heard: -1, Behind: 3}},
				Entries: 1, Retransmitted: 2, Repaired: 3, Supplied: 4, Backlog: 5, SentPackets: 6, SentBytes: 7, Gaps: 8,
				Exchanges: 9, ExchangeErrors: 10, NamesRefused: 11,
				Packets: map[string]uint64{"forged": 12}, Streams: map[string]uint64{"seal": 13},
				Propagation: map[string]Histogram{"ams1": {Bounds: []float64{0.01, 0.1}, Counts: []uint64{1, 2, 1}, Sum: 0.4}},
			}
		},
		Edges: func() Edges { return Edges{Covered: 1, CaughtUp: 2, Behind: 3, Failed: 4} },
		Logs:  func() []Log { return []Log{{Name: "stdout", Delivered: 1, Dropped: 2}} },
	}
}

// busy returns a Metrics in which everything has happened.
func busy() *Metrics {
	m := New(Config{Version: "1.2.3", Node: "n1", POP: "fra", Services: []string{"shop"}, Sources: fullSources()})
	m.Observe(Served{Service: "shop", Outcome: event.OutcomeHit, Status: 200, Sent: 100, Received: 1, Duration: 70 * time.Microsecond})
	m.Purged(event.Purged{
		Service: "shop", Mode: "hard", Dialect: "fastly", Selectors: []event.Selector{{Kind: "url"}}, Count: 2, CountKnown: true,
		Took: 20 * time.Microsecond,
	})
	m.Reverted(event.Reverted{Service: "shop", Outcome: "undone"})
	m.Denied(event.Denied{Action: event.DeniedPurge, Reason: event.DeniedLimited, Dialect: "native", Service: "shop", Suppressed: 3})
	m.TokenChanged(event.TokenChanged{Change: event.TokenCreated})
	m.Refused(event.Refused{Reason: event.RefusedBareLF})
	m.OriginError("shop", "connect")
	return m
}
