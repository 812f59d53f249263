package metrics

import (
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

var (
	requestsTotal = definition{"rescind_requests_total", counter, []string{"service", "outcome", "status"},
		"Requests that were answered, by outcome and by the class of the status"}
	requestSeconds = definition{"rescind_request_duration_seconds", histogram, []string{"service", "outcome"},
		"Time from a request's head to the last byte of its answer"}
	responseBytes = definition{"rescind_response_bytes_total", counter, []string{"service", "outcome"},
		"Bytes of content sent to clients"}
	requestBytes = definition{"rescind_request_bytes_total", counter, []string{"service"},
		"Bytes of content received from clients"}
	responsesCut = definition{"rescind_responses_cut_total", counter, []string{"service"},
		"Answers that ended early, because the client left or the content could not be completed"}
)

// requestBuckets are bounds in seconds: from a hit, which takes tens of
// microseconds, to an origin's default timeouts. They are fixed: an observation
// then is a few additions, whereas a native histogram takes locks as its buckets
// come and go, and is left out of the text format.
var requestBuckets = [...]float64{
	0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
	0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
}

// bucketIndex finds the bucket of a duration, which is its last bound's too.
// Most requests are hits: they end at the first.
func bucketIndex(seconds float64) int {
	i := 0
	for i < len(requestBuckets) && seconds > requestBuckets[i] {
		i++
	}
	return i
}

// Served is a finished request, as much of it as is counted.
type Served struct {
	Service  string // one that is not known counts as none
	Outcome  event.Outcome
	Status   int           // what the client was told; 0: nothing
	Sent     int64         // bytes of the response's content
	Received int64         // bytes of the request's content
	Duration time.Duration // until the last byte was sent
	Cut      bool          // the response ended early
}

// Observe counts a request. It does not allocate, once a service's requests are
// counted on this core, and waits for nobody but whoever reads the counters.
func (m *Metrics) Observe(s Served) {
	t, at := m.traffic.Load().of(s.Service), m.stripes.get()
	c := t.tally(at.stripe)
	if !c.mu.TryLock() {
		m.stripes.move(at)
		c.mu.Lock()
	}
	c.count(&s)
	c.mu.Unlock()
	m.sent.Add(at.stripe, s.Sent)
	m.stripes.put(at)
}

// Sent returns the bytes of content that were sent to clients, those of services
// that are gone included.
func (m *Metrics) Sent() int64 { return m.sent.Load() }

// outcomes are the values of the label, in the order of a service's rows.
var outcomes = [...]event.Outcome{
	event.OutcomeHit, event.OutcomeStale, event.OutcomeMiss, event.OutcomePass, event.OutcomePurge, event.OutcomeError,
}

// outcomeIndex finds an outcome's row. A word from elsewhere is an error.
func outcomeIndex(o event.Outcome) int {
	for i := range outcomes {
		if outcomes[i] == o {
			return i
		}
	}
	return len(outcomes) - 1
}

// classes are the values of the label status.
var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// classIndex finds a status's class. What is outside of the five is treated as
// a server error (RFC 9110 section 15).
func classIndex(status int) int {
	switch {
	case status == 0:
		return 0
	case status < 100 || status > 599:
		return len(classes) - 1
	}
	return status / 100
}

// trafficTable is immutable: it is replaced when the services change.
type trafficTable struct {
	services map[string]*traffic
	none     *traffic // requests of no service that is known
}

func (t *trafficTable) of(service string) *traffic {
	if known := t.services[service]; known != nil {
		return known
	}
	return t.none
}
