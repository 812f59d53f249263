package cluster_test

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal/state"
)

// A node that was away knows the cluster's state before it says so; where nobody
// can be reached, its own is the best there is.
func TestInformed(t *testing.T) {
	run(t, func(t *testing.T) {
		r := newRig(t, anySeed(), perfect(100*time.Millisecond))
		defer r.stop()
		nodes := r.many(2, 1)
		r.start(nodes...)
		r.ready(nodes...)
		nodes[1].stop()
		token := state.Item{Key: state.Key{Kind: state.KindToken, ID: "t"}, Time: time.Now().UnixMilli(), Removed: true}
		if err := nodes[0].journal.PutItems(token); err != nil {
			t.Fatal(err)
		}
		nodes[1].start()
		r.until(10*time.Second, "informed", nodes[1].cluster.Informed)
		if _, told := nodes[1].journal.Item(token.Key); !told {
			t.Error("it says that it knows the state, and has not heard of what was removed while it was away")
		}
		nodes[0].stop()
		nodes[1].stop()
		nodes[1].start()
		if nodes[1].cluster.Informed() {
			t.Error("informed before it has asked anybody")
		}
		took := r.until(15*time.Second, "informed for want of others", nodes[1].cluster.Informed)
		if nodes[1].cluster.Ready() {
			t.Errorf("ready after %v without a majority", took)
		}
	})
}
