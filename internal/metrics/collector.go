package metrics

import "github.com/prometheus/client_golang/prometheus"

// collector reads the sources whenever metrics are read.
type collector struct {
	sources Sources
	descs   map[*definition]*prometheus.Desc
}

func newCollector(s Sources) *collector {
	c := &collector{sources: s, descs: make(map[*definition]*prometheus.Desc)}
	for _, d := range scraped() {
		c.descs[d] = d.desc()
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	e := emitter{descs: c.descs, to: to}
	if read := c.sources.Services; read != nil {
		for _, s := range unique(read(), func(s Service) string { return s.ID }) {
			e.service(s)
		}
	}
	if read := c.sources.Store; read != nil {
		e.store(read())
	}
	if read := c.sources.Purges; read != nil {
		e.purges(read())
	}
	if read := c.sources.Connections; read != nil {
		e.connections(read())
	}
	if read := c.sources.Journal; read != nil {
		e.journal(read())
	}
	if read := c.sources.Cluster; read != nil {
		e.cluster(read())
	}
	if read := c.sources.Edges; read != nil {
		e.edges(read())
	}
	if read := c.sources.Logs; read != nil {
		for _, l := range unique(read(), func(l Log) string { return l.Name }) {
			e.send(&logDelivered, float64(l.Delivered), l.Name)
			e.send(&logDropped, float64(l.Dropped), l.Name)
		}
	}
}

// unique leaves out what has the key of one before it: the same series twice
// would make the whole answer an error.
func unique[T any, K comparable](list []T, key func(T) K) []T {
	seen := make(map[K]bool, len(list))
	var out []T
	for _, one := range list {
		if k := key(one); !seen[k] {
			seen[k] = true
			out = append(out, one)
		}
	}
	return out
}

// emitter turns snapshots into samples.
type emitter struct {
	descs map[*definition]*prometheus.Desc
	to    chan<- prometheus.Metric
}

func (e emitter) send(d *definition, value float64, labels ...string) {
	kind := prometheus.CounterValue
	if d.kind == gauge {
		kind = prometheus.GaugeValue
	}
	m, err := prometheus.NewConstMetric(e.descs[d], kind, value, labels...)
	e.to <- valid(e.descs[d], m, err)
}

func (e emitter) service(s Service) {
	e.send(&collapsedTotal, float64(s.Collapsed), s.ID)
	e.send(&originRequests, float64(s.Fetches), s.ID)
	e.send(&refreshesTotal, float64(s.Refreshes), s.ID)
	e.send(&revalidations, float64(s.Renewed), s.ID, "renewed")
	e.send(&revalidations, float64(s.Discarded), s.ID, "discarded")
	e.send(&abandonedTotal, float64(s.Abandoned), s.ID)
	e.send(&ignoredKeys, float64(s.IgnoredKeys), s.ID)
	type place struct{ origin, address string }
	for _, b := range unique(s.Backends, func(b Backend) place { return place{b.Origin, b.Address} }) {
		e.backend(s.ID, b)
	}
	if s.Shield != nil {
		e.shield(s.ID, s.Shield)
	}
}

func (e emitter) backend(service string, b Backend) {
	e.send(&originUp, truth(b.Up), service, b.Origin, b.Address)
	e.send(&originInFlight, float64(b.InFlight), service, b.Origin, b.Address)
	e.send(&originWaiting, float64(b.Waiting), service, b.Origin, b.Address)
	e.send(&originConnections, float64(b.Connections), service, b.Origin, b.Address)
	e.send(&originExchanges, float64(b.Exchanges), service, b.Origin, b.Address)
	e.send(&originFailures, float64(b.Failures), service, b.Origin, b.Address)
}

func (e emitter) store(s Store) {
	e.send(&storeObjects, float64(s.Objects))
	e.send(&storeBytes, float64(s.Bytes))
	e.send(&storeBudget, float64(s.Budget))
	e.send(&storeAdded, float64(s.Stored))
	e.send(&storeRefused, float64(s.Refused))
	for why, n := range s.Gone {
		e.send(&storeRemoved, float64(n), why)
	}
}

func (e emitter) purges(p Purges) {
	e.send(&purgeMarks, float64(p.Marks))
	e.send(&markBytes, float64(p.MarkBytes))
	if p.MarkBudget > 0 {
		e.send(&markBudget, float64(p.MarkBudget))
	}
	e.send(&foldedTotal, float64(p.Folded))
	e.send(&sweepsTotal, float64(p.Sweeps))
	e.send(&droppedMarks, float64(p.Dropped))
	e.send(&invalidations, float64(p.Invalidations))
}

func (e emitter) connections(c Connections) {
	e.send(&connectionsOpen, float64(c.Open))
	e.send(&connectionsAccepted, float64(c.Accepted))
	e.send(&handshakeFailures, float64(c.HandshakeFailures))
	e.send(&receivedTotal, float64(c.HTTP1Requests), "1")
	e.send(&receivedTotal, float64(c.HTTP2Requests), "2")
}

// constant is a metric that is always 1 and speaks by its labels.
func constant(d *definition, labels ...string) prometheus.Collector {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.name, Help: d.help + "."}, d.labels)
	g.WithLabelValues(labels...).Set(1)
	return g
}
