package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rescind-edge/rescind/internal/event"
)

var (
	purgesTotal = definition{"rescind_purges_total", counter, []string{"service", "kind", "mode", "dialect", "outcome"},
		"Purges that callers asked for; denied ones have no kind and no mode"}
	purgeSelectors = definition{"rescind_purge_selectors_total", counter, []string{"service"},
		"Selectors of the purges that were applied: a purge of several keys counts each"}
	purgedObjects = definition{"rescind_purge_objects_total", counter, []string{"service"},
		"Objects withdrawn by purges whose count is known, which are those of URLs"}
	purgeSeconds = definition{"rescind_purge_apply_duration_seconds", histogram, nil,
		"Time from the acceptance of a purge until it was in force on this node"}
	revertsTotal = definition{"rescind_purge_reverts_total", counter, []string{"service", "outcome"},
		"Purges taken back, by what that achieved"}
	denialsTotal = definition{"rescind_denials_total", counter, []string{"action", "reason", "dialect"},
		"What callers of the APIs were refused; those that came too fast to be reported one by one are in rescind_denials_suppressed_total"}
	denialsSuppressed = definition{"rescind_denials_suppressed_total", counter, nil,
		"Denials that came too fast to be reported one by one"}
	tokenChanges = definition{"rescind_token_changes_total", counter, []string{"change"},
		"Tokens created and revoked at run time"}
	refusedTotal = definition{"rescind_refused_total", counter, []string{"reason"},
		"Requests and connections turned away before any handler saw them"}
	originErrors = definition{"rescind_origin_errors_total", counter, []string{"service", "kind"},
		"Exchanges with an origin that failed, by what went wrong"}
)

// Values of the label outcome of rescind_purges_total.
const (
	purgeApplied = "applied"
	purgeDenied  = "denied"
	// purgeReceived: another node accepted it, and this one has applied it.
	purgeReceived = "received"
)

// mixedKinds labels a purge whose selectors are not of one kind.
const mixedKinds = "mixed"

// applyBuckets are bounds in seconds: a purge writes a mark for each selector,
// which takes microseconds, and waits for the engine's lock.
func applyBuckets() []float64 {
	return []float64{0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1}
}

// eventVecs hold the series of what is rare enough to look its labels up.
type eventVecs struct {
	purges, selectors, objects, reverts *prometheus.CounterVec
	denials, tokens, refused, origin    *prometheus.CounterVec
	suppressed                          prometheus.Counter
	seconds                             prometheus.Histogram
}

func newEventVecs() eventVecs {
	return eventVecs{
		purges: purgesTotal.counterVec(), selectors: purgeSelectors.counterVec(), objects: purgedObjects.counterVec(),
		reverts: revertsTotal.counterVec(), denials: denialsTotal.counterVec(), tokens: tokenChanges.counterVec(),
		refused: refusedTotal.counterVec(), origin: originErrors.counterVec(),
		suppressed: denialsSuppressed.counter(),
		seconds:    prometheus.NewHistogram(purgeSeconds.histogramOpts(applyBuckets())),
	}
}

func (v *eventVecs) all() []prometheus.Collector {
	return []prometheus.Collector{
		v.purges, v.selectors, v.objects, v.reverts, v.denials, v.tokens, v.refused, v.origin, v.suppressed, v.seconds,
	}
}

// Received counts a purge that another node accepted, by its service, the kind of
// its selectors ("": of several) and its mode, and no more: through which API it came,
// and how long it took, that node counts.
func (m *Metrics) Received(service, kind, mode string) {
	if kind == "" {
		kind = mixedKinds
	}
	m.events.purges.WithLabelValues(m.label(service), kind, mode, "", purgeReceived).Inc()
}

// Purged counts a purge that this node accepted.
func (m *Metrics) Purged(e event.Purged) {
	service := m.label(e.Service)
	m.events.purges.WithLabelValues(service, kindOf(e.Selectors), e.Mode, e.Dialect, purgeApplied).Inc()
	m.events.selectors.WithLabelValues(service).Add(float64(len(e.Selectors) + e.Omitted))
	if e.CountKnown {
		m.events.objects.WithLabelValues(service).Add(float64(e.Count))
	}
	m.events.seconds.Observe(e.Took.Seconds())
}

// kindOf returns the kind of all selectors. Those that the event omits do not
// count.
func kindOf(list []event.Selector) string {
	kind := ""
	for i, s := range list {
		if i > 0 && s.Kind != kind {
			return mixedKinds
		}
		kind = s.Kind
	}
	return kind
}

// Reverted counts a purge that was taken back.
func (m *Metrics) Reverted(e event.Reverted) {
	m.events.reverts.WithLabelValues(m.label(e.Service), e.Outcome).Inc()
}

// Denied counts what was turned down.
func (m *Metrics) Denied(e event.Denied) {
	m.events.denials.WithLabelValues(string(e.Action), string(e.Reason), e.Dialect).Inc()
	m.events.suppressed.Add(float64(e.Suppressed))
	if e.Action == event.DeniedPurge {
		m.events.purges.WithLabelValues(m.label(e.Service), "", "", e.Dialect, purgeDenied).Inc()
	}
}

// TokenChanged counts a token that was created or revoked.
func (m *Metrics) TokenChanged(e event.TokenChanged) {
	m.events.tokens.WithLabelValues(string(e.Change)).Inc()
}

// Refused counts a request or a connection that no handler saw.
func (m *Metrics) Refused(e event.Refused) {
	m.events.refused.WithLabelValues(string(e.Reason)).Inc()
}

// OriginError counts an exchange with an origin that failed. kind is one of a
// fixed set of words.
func (m *Metrics) OriginError(service, kind string) {
	m.events.origin.WithLabelValues(m.label(service), kind).Inc()
}
