package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/live"
	"github.com/rescind-edge/rescind/internal/metrics"
	"github.com/rescind-edge/rescind/internal/sink"
)

// logs are the access log or the purge log, with where they go.
type logs struct {
	log    *accesslog.Log
	purges *accesslog.PurgeLog
	sinks  sink.Group
}

// closeTimeout bounds how long what waits in a log may take to leave.
const closeTimeout = 5 * time.Second

// openLogs opens what a configuration wants written.
func openLogs(cfg *config.Config, log *slog.Logger) (*logs, error) {
	l := &logs{}
	open := func(setting, to string) (*sink.Sink, error) {
		target, err := sink.Parse(to)
		if err == nil {
			var s *sink.Sink
			if s, err = sink.Open(sink.Config{To: target, Log: log, Hostname: cfg.Node.Name}); err == nil {
				l.sinks = append(l.sinks, s)
				return s, nil
			}
		}
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	var routes []accesslog.Route
	for i, c := range cfg.AccessLog {
		setting := fmt.Sprintf("access_log[%d]", i)
		route, err := routeOf(c)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", setting, err), l.close())
		}
		if route.To, err = open(setting+".to", c.To); err != nil {
			return nil, errors.Join(err, l.close())
		}
		routes = append(routes, route)
	}
	var outputs []accesslog.Output
	for i, c := range cfg.PurgeLog {
		s, err := open(fmt.Sprintf("purge_log[%d].to", i), c.To)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		outputs = append(outputs, s)
	}
	l.log, l.purges = accesslog.NewLog(cfg.Node.Name, routes), accesslog.NewPurgeLog(outputs)
	return l, nil
}

func routeOf(c config.AccessLog) (route accesslog.Route, err error) {
	route.Format, err = accesslog.Compile(accesslog.Config{
		Format: c.Format, RequestFields: c.Headers.Request, ResponseFields: c.Headers.Response,
	})
	if err == nil && c.Only != "" {
		var only *live.Filter
		if only, err = live.ParseFilter(c.Only); err == nil {
			route.Only = only.Match
		}
	}
	return route, err
}

// close lets what waits leave, for a while.
func (l *logs) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return l.sinks.Close(ctx)
}

// replaceLogs takes up changed logs, and opens files anew where nothing
// changed: whoever rotates them sends SIGHUP.
func (a *App) replaceLogs(cfg *config.Config, same bool) error {
	old := a.access.Load()
	if same {
		old.sinks.Reopen()
		return nil
	}
	next, err := openLogs(cfg, a.log)
	if err != nil {
		return err
	}
	a.access.Store(next)
	a.running.Go(func() {
		if err := old.close(); err != nil {
			a.log.Warn("lines of a replaced log were lost", "error", err)
		}
	})
	return nil
}

// logMetrics describes the outputs.
func (a *App) logMetrics() (list []metrics.Log) {
	for _, s := range a.access.Load().sinks {
		list = append(list, metrics.Log{Name: s.Name(), Delivered: s.Delivered(), Dropped: s.Dropped()})
	}
	return list
}

// records tells everybody who keeps records of purges.
type records struct{ a *App }

func (r records) Purged(e event.Purged) {
	r.a.views.metrics.Purged(e)
	r.a.access.Load().purges.Purged(e)
	purgeLog{r.a.log}.Purged(e)
}

func (r records) Reverted(e event.Reverted) {
	r.a.views.metrics.Reverted(e)
	r.a.access.Load().purges.Reverted(e)
	purgeLog{r.a.log}.Reverted(e)
}

// Received keeps record of a purge that another node accepted. The node's own log
// has none of them: it is written to while everybody who purges waits.
func (r records) Received(h control.Heard) {
	r.a.views.metrics.Received(h.Service(), h.Kind(), h.Mode())
	if log := r.a.access.Load().purges; log.Written() {
		log.Purged(h.Event())
	}
}

// ReceivedRevert does the same for a purge that was taken back elsewhere.
func (r records) ReceivedRevert(e event.Reverted) { r.a.access.Load().purges.Reverted(e) }

func (r records) Denied(e event.Denied) {
	r.a.views.metrics.Denied(e)
	r.a.access.Load().purges.Denied(e)
	purgeLog{r.a.log}.Denied(e)
}

func (r records) TokenChanged(e event.TokenChanged) {
	r.a.views.metrics.TokenChanged(e)
	r.a.access.Load().purges.TokenChanged(e)
	r.a.log.Info("token changed", "change", string(e.Change), "id", e.ID, "name", e.Name, "actor", e.Actor, "address", e.Addr)
}
