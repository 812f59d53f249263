package metrics

import "github.com/prometheus/client_golang/prometheus"

// requestCollector shows what Observe counts. Every series of a service is
// there from the beginning, at 0, so that its first increase is not lost on
// whoever computes rates.
type requestCollector struct {
	of                                      *Metrics
	requests, seconds, sent, received, cuts *prometheus.Desc
}

func newRequestCollector(of *Metrics) *requestCollector {
	return &requestCollector{
		of: of, requests: requestsTotal.desc(), seconds: requestSeconds.desc(), sent: responseBytes.desc(),
		received: requestBytes.desc(), cuts: responsesCut.desc(),
	}
}

// Describe implements prometheus.Collector.
func (c *requestCollector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.requests, c.seconds, c.sent, c.received, c.cuts} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *requestCollector) Collect(to chan<- prometheus.Metric) {
	table := c.of.traffic.Load()
	c.service(to, table.none)
	for _, t := range table.services {
		c.service(to, t)
	}
}

func (c *requestCollector) service(to chan<- prometheus.Metric, t *traffic) {
	sum := t.sum()
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		m, err := prometheus.NewConstMetricWithCreatedTimestamp(desc, prometheus.CounterValue, float64(n), t.began, labels...)
		to <- valid(desc, m, err)
	}
	count(c.received, sum.received, t.service)
	count(c.cuts, sum.cut, t.service)
	for i := range sum.rows {
		r, outcome := &sum.rows[i], string(outcomes[i])
		for j, n := range r.requests {
			count(c.requests, n, t.service, outcome, classes[j])
		}
		count(c.sent, r.sent, t.service, outcome)
		total, buckets := r.cumulative()
		m, err := prometheus.NewConstHistogramWithCreatedTimestamp(c.seconds, total, r.seconds, buckets, t.began, t.service, outcome)
		to <- valid(c.seconds, m, err)
	}
}

// cumulative returns how many requests there were, and how many took at most as
// long as each bound.
func (r *row) cumulative() (total uint64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(requestBuckets))
	for i, n := range r.buckets {
		total += n
		if i < len(requestBuckets) {
			buckets[requestBuckets[i]] = total
		}
	}
	return total, buckets
}

// valid makes what cannot be shown, because a label is not UTF-8, say so.
func valid(desc *prometheus.Desc, m prometheus.Metric, err error) prometheus.Metric {
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}
