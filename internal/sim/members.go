package sim

import (
	"context"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
)

// members is a cluster as control sees it.
type members struct{ *cluster.Cluster }

var levels = map[control.Level]cluster.Level{
	control.WaitPeer: cluster.WaitPeer, control.WaitPOP: cluster.WaitPOP, control.WaitAll: cluster.WaitAll,
}

// Wait implements control.Cluster.
func (m members) Wait(ctx context.Context, id journal.ID, level control.Level) ([]string, error) {
	return m.WaitFor(ctx, id, levels[level])
}

// Progress implements control.Cluster.
func (m members) Progress(id journal.ID) control.Progress {
	p := m.Cluster.Progress(id)
	out := control.Progress{Partial: !p.Remembered}
	for _, c := range p.Members {
		out.Members = append(out.Members, control.Confirmation{
			Member: c.Member.Name, POP: c.Member.POP, Applied: c.Applied, Took: c.Took, InForce: c.InForce,
		})
	}
	return out
}
