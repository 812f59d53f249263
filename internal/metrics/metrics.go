package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rescind-edge/rescind/internal/stripe"
)

// Config of a Metrics. The zero value works and shows only what is told.
type Config struct {
	Version string // of the program
	Node    string // its name
	POP     string

	// Services are the ids of the services that may appear in labels.
	Services []string
	Sources  Sources

	// Log gets what goes wrong when metrics are read; nil discards.
	Log *slog.Logger
}

// Metrics counts what one node does. Its methods may be called from many
// goroutines at once.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	traffic atomic.Pointer[trafficTable]
	stripes stripes
	sent    stripe.Counter // bytes of content, of all services there ever were
	events  eventVecs

	mu sync.Mutex // orders SetServices
}

// New returns a Metrics with a registry of its own.
func New(cfg Config) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), events: newEventVecs()}
	m.registry.MustRegister(m.events.all()...)
	m.registry.MustRegister(
		newRequestCollector(m),
		newCollector(cfg.Sources),
		constant(&buildInfo, cfg.Version, runtime.Version()),
		constant(&nodeInfo, cfg.Node, cfg.POP),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.traffic.Store(&trafficTable{none: newTraffic(noService)})
	m.SetServices(cfg.Services)
	m.handler = m.newHandler(cfg.Log)
	return m
}

// noService labels what belongs to no service that is known: requests for a
// foreign host, and service names that callers made up. Those must not make
// series of their own: anybody could fill the memory with them.
const noService = ""

// SetServices says which services there are from now on. The series of a
// service that is gone are dropped; what it still does counts as nobody's.
func (m *Metrics) SetServices(ids []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.traffic.Load()
	next := &trafficTable{services: make(map[string]*traffic, len(ids)), none: old.none}
	for _, id := range ids {
		if id == noService {
			continue
		}
		if next.services[id] = old.services[id]; next.services[id] == nil {
			next.services[id] = newTraffic(id)
		}
	}
	m.traffic.Store(next)
	for id := range old.services {
		if !slices.Contains(ids, id) {
			m.forget(id)
		}
	}
}

// forget drops the series that events made of a service.
func (m *Metrics) forget(id string) {
	of := prometheus.Labels{"service": id}
	for _, vec := range m.events.all() {
		if v, ok := vec.(interface {
			DeletePartialMatch(prometheus.Labels) int
		}); ok {
			v.DeletePartialMatch(of)
		}
	}
}

// label returns a service's id if it is known, and else noService.
func (m *Metrics) label(service string) string {
	if _, known := m.traffic.Load().services[service]; known {
		return service
	}
	return noService
}
