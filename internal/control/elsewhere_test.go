package control

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

func TestAcceptedElsewhere(t *testing.T) {
	n := newNode(t)
	here, start := n.parts.Node, n.clock
	for _, r := range []Receipt{
		{Node: "other", Dialect: "stackpath", Note: "old", Accepted: start},
		{Node: "other", Dialect: "stackpath", Note: "a", Accepted: start.Add(time.Second)},
		{Node: here, Dialect: "stackpath", Note: "own", Accepted: start.Add(time.Second)},
		{Node: "other", Dialect: "native", Note: "native", Accepted: start.Add(time.Second)},
		{Node: "third", Dialect: "stackpath", Note: "b", Accepted: start.Add(2 * time.Second)},
	} {
		r.ID = purge.NewID(1)
		n.ledger.add(r)
	}
	got := ""
	n.AcceptedElsewhere("stackpath", start, func(r *Receipt) { got += r.Note })
	if got != "ba" {
		t.Errorf("visited %q", got)
	}
}
