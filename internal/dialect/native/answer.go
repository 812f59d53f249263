package native

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

func receiptOf(r control.Receipt) api.Receipt {
	out := api.Receipt{
		ID: r.ID.String(), Service: r.Service, Selectors: make([]api.Selector, 0, len(r.Selectors)),
		Mode: api.Hard, Note: r.Note, Actor: r.Actor, Dialect: r.Dialect, Node: r.Node, Time: r.Accepted.UTC(),
		Position: uint64(r.Position), AppliedIn: api.Duration(r.Took),
	}
	for _, s := range r.Selectors {
		out.Selectors = append(out.Selectors, api.Selector{Kind: api.SelectorKind(s.Kind.String()), Value: s.String()})
	}
	if r.Effect.Mode == purge.Soft {
		out.Mode = api.Soft
		out.TTL = durationOf(r.Effect.TTL)
		out.Grace = durationOf(r.Effect.Grace)
		out.Keep = durationOf(r.Effect.Keep)
	}
	if r.CountKnown {
		out.Count = &r.Count
	}
	if r.Reverted != nil {
		reverted := revertOf(*r.Reverted)
		out.Reverted = &reverted
	}
	return out
}

// durationOf returns nil for a window that the purge leaves alone.
func durationOf(d time.Duration) *api.Duration {
	if d < 0 {
		return nil
	}
	out := api.Duration(d)
	return &out
}

func revertOf(r control.Reverted) api.Revert {
	return api.Revert{ID: r.ID.String(), Outcome: outcomeOf(r.Outcome), Actor: r.Actor, Time: r.Time.UTC()}
}

// outcomeOf is never given UndoTooLate, which control reports as an error.
func outcomeOf(u purge.Undo) api.RevertOutcome {
	switch u {
	case purge.UndoneInPart:
		return api.RevertPart
	case purge.UndoneAhead:
		return api.RevertPending
	case purge.UndoneAlready:
		return api.RevertAlready
	}
	return api.RevertDone
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", api.ContentType)
	write(w, code, v)
}

// write sends v, which is of a type of package api and can be encoded.
func write(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("native: " + err.Error())
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	w.Write(append(body, '\n')) // a client that has gone learns nothing more
}
