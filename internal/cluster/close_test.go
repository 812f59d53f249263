package cluster_test

import (
	"testing"
	"time"
)

func TestCloseWithoutStart(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, 1, perfect(time.Millisecond))
		defer r.stop()
		n, twin := r.add("a", "p"), r.add("b", "p")
		twin.host = n.host // so that its addresses are taken
		n.start()
		if err := twin.tryStart(); err == nil {
			t.Fatal("two nodes have one address")
		}
		if err := twin.cluster.Close(); err != nil {
			t.Errorf("closing a node that could not start: %v", err)
		}
		if err := twin.journal.Close(); err != nil {
			t.Error(err)
		}
		twin.cluster = nil
		n.stop()
	})
}
