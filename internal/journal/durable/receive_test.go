package durable

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
)

// What a node with a wrong clock issues is refused, and somebody is told.
func TestEntriesOfAWrongClockAreCounted(t *testing.T) {
	j, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	j.Start(func([]Step) {})
	old := journal.Entry{ID: journal.ID{Incarnation: journal.Incarnation{1}, Seq: 1}, Kind: journal.KindPurge, Time: 1}
	fresh := old
	fresh.Incarnation, fresh.Time = journal.Incarnation{2}, time.Now().UnixMilli()
	got, _, err := j.Receive([]journal.Entry{old, fresh})
	if err != nil || got.New != 1 || got.Refused != 1 || j.Stats().Ancient != 1 {
		t.Errorf("%+v, %v, counted %d", got, err, j.Stats().Ancient)
	}
}
