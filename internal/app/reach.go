package app

import (
	"context"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
)

// reach is how far purges have come, by the confirmations of the members.
type reach struct{ a *App }

// Reached implements dialect.Reach. Of a purge of which nothing is known any
// more, this node has applied it and the others are in doubt.
func (r reach) Reached(ctx context.Context, receipt control.Receipt) (applied, nodes int) {
	if r.a.cluster == nil {
		return 1, 1
	}
	c := r.a.confirmations(ctx, receipt)
	if c == nil {
		return 1, 2
	}
	return c.Applied, len(c.Members)
}

// Everywhere implements dialect.Reach for purges that this node accepted.
func (r reach) Everywhere(ctx context.Context, receipt control.Receipt) bool {
	missing, err := r.a.control.Wait(ctx, receipt, control.WaitAll)
	return err == nil && len(missing) == 0
}

// takenElsewhere is what an account purged through StackPath's API on other
// nodes, by the receipts that came from there.
func (a *App) takenElsewhere(account string, after time.Time) (list []stackpath.Taken) {
	a.control.AcceptedElsewhere(stackpath.Name, after, func(r *control.Receipt) {
		if r.Actor == account {
			list = append(list, stackpath.Taken{At: r.Accepted, N: len(r.Selectors)})
		}
	})
	return list
}
