package app

import (
	"log/slog"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// counter counts what a purge of one URL touched.
type counter struct{ a *App }

// Touched implements control.Counter.
func (c counter) Touched(service string, tag field.Tag, id purge.ID) int {
	marks, n := c.a.engine.Service(service), 0
	visit := func(o store.Object) {
		if o.HasBody() && !o.Head.Is(store.Derived) && marks.Touched(o.Head, o.Head.Stamp(), id) {
			n++
		}
	}
	c.a.store.WalkURL(tag, visit)
	return n
}

// purgeLog writes purges and what was denied to the log.
type purgeLog struct{ log *slog.Logger }

func (l purgeLog) Purged(e event.Purged) {
	attrs := []any{
		"id", e.ID, "service", e.Service, "selectors", selectors(e), "mode", e.Mode,
		"actor", e.Actor, "address", e.Addr, "dialect", e.Dialect, "took", e.Took,
	}
	if e.Omitted > 0 {
		attrs = append(attrs, "more_selectors", e.Omitted)
	}
	if e.CountKnown {
		attrs = append(attrs, "objects", e.Count)
	}
	if e.Note != "" {
		attrs = append(attrs, "note", e.Note)
	}
	l.log.Info("purged", attrs...)
}

func selectors(e event.Purged) (list []string) {
	for _, s := range e.Selectors {
		list = append(list, s.Kind+" "+s.Value)
	}
	return list
}

func (l purgeLog) Reverted(e event.Reverted) {
	l.log.Info("purge reverted", "id", e.ID, "service", e.Service, "outcome", e.Outcome, "actor", e.Actor, "address", e.Addr)
}

func (l purgeLog) Denied(e event.Denied) {
	attrs := []any{"action", string(e.Action), "reason", string(e.Reason)}
	if e.Cause != "" {
		attrs = append(attrs, "cause", e.Cause)
	}
	l.log.Warn("denied", append(attrs, "detail", e.Detail, "service", e.Service,
		"actor", e.Actor, "address", e.Addr, "dialect", e.Dialect, "suppressed", e.Suppressed)...)
}
