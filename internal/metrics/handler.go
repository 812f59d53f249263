package metrics

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxScrapes is how many may read at once; the others are answered 503. A
// scraper or two, and somebody who looks by hand: each answer is built whole in
// memory.
const maxScrapes = 4

// Handler serves the metrics, in the text format and in OpenMetrics. It checks
// no rights: who may read is the caller's business.
func (m *Metrics) Handler() http.Handler { return m.handler }

// newHandler makes a handler that answers with what it has where a source
// gives something that cannot be shown, rather than with nothing.
func (m *Metrics) newHandler(log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            errorLog{log},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
	})
}

// errorLog is a promhttp.Logger.
type errorLog struct{ log *slog.Logger }

func (l errorLog) Println(v ...any) {
	l.log.Warn("metrics cannot all be read", "error", fmt.Sprint(v...))
}
