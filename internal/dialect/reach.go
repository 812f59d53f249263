package dialect

import (
	"context"

	"github.com/rescind-edge/rescind/internal/control"
)

// Reach tells how far purges have come. Its methods are called from many
// goroutines.
type Reach interface {
	// Reached returns how many of the nodes that a purge is for have applied it
	// so that no crash takes it back, and how many they are: at least 1. Where the
	// answer has to be fetched, it waits no longer than the context.
	Reached(ctx context.Context, r control.Receipt) (applied, nodes int)
	// Everywhere tells whether all of them have, and waits for it as long as the
	// context allows.
	Everywhere(ctx context.Context, r control.Receipt) bool
}

// ThisNode is the Reach of a node that stands alone: a purge that has a receipt
// is in force on all there is.
type ThisNode struct{}

// Reached implements Reach.
func (ThisNode) Reached(context.Context, control.Receipt) (applied, nodes int) { return 1, 1 }

// Everywhere implements Reach.
func (ThisNode) Everywhere(context.Context, control.Receipt) bool { return true }
