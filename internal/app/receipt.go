package app

import (
	"context"
	"encoding/json"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// topicReceipt is the question who has applied a purge, which only the node knows
// that accepted it.
const topicReceipt = "receipt"

// progress says who has applied a purge, wherever it was accepted. The second
// result is false where that cannot be known.
func (a *App) progress(ctx context.Context, r control.Receipt) (control.Progress, bool) {
	if p, ok := a.control.Progress(r); ok || a.cluster == nil || r.Node == "" {
		return p, ok
	}
	for _, answer := range a.cluster.Query(ctx, cluster.To{Member: r.Node}, topicReceipt, []byte(r.ID.String())) {
		var p control.Progress
		if answer.Err == nil && json.Unmarshal(answer.Body, &p) == nil {
			return p, true
		}
	}
	return control.Progress{}, false
}

// answerReceipt answers a member that asks about a purge of this node's.
func (a *App) answerReceipt(body []byte) ([]byte, error) {
	id, err := purge.ParseID(string(body))
	if err != nil {
		return nil, err
	}
	r, ok := a.control.Known(id)
	if !ok {
		return nil, control.ErrUnknownPurge
	}
	p, ok := a.control.Progress(r)
	if !ok {
		return nil, control.ErrUnknownPurge
	}
	return json.Marshal(p)
}
