package metrics

import "github.com/prometheus/client_golang/prometheus"

// kind is the type of a metric, in the words of the text format.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// definition is one metric. Its name and its labels are a promise to those who
// have dashboards and alerts: they are added, not renamed.
type definition struct {
	name   string
	kind   kind
	labels []string
	help   string // a sentence without its full stop
}

func (d *definition) desc() *prometheus.Desc {
	return prometheus.NewDesc(d.name, d.help+".", d.labels, nil)
}

func (d *definition) counterVec() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.name, Help: d.help + "."}, d.labels)
}

func (d *definition) counter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: d.name, Help: d.help + "."})
}

func (d *definition) histogramOpts(buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: d.name, Help: d.help + ".", Buckets: buckets}
}

// What the node says of itself.
var (
	buildInfo = definition{"rescind_build_info", gauge, []string{"version", "goversion"},
		"Always 1; the labels say what runs"}
	nodeInfo = definition{"rescind_node_info", gauge, []string{"node", "pop"},
		"Always 1; the labels say which node this is"}
)
