package dialect

import "github.com/rescind-edge/rescind/internal/purge"

// Reach tells how far a purge has come. Its method is called for ids of
// receipts that there are, from many goroutines, and must not wait.
type Reach interface {
	// Reached returns how many of the nodes that a purge is for have applied it
	// so that no crash takes it back, and how many they are: at least 1.
	Reached(id purge.ID) (applied, nodes int)
}

// ThisNode is the Reach of a node that stands alone: a purge that has a receipt
// is in force on all there is.
type ThisNode struct{}

// Reached implements Reach.
func (ThisNode) Reached(purge.ID) (applied, nodes int) { return 1, 1 }
