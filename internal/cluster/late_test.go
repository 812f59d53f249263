package cluster

import (
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

func TestWhoIsLateIsAskedNowAndThen(t *testing.T) {
	var l lateness
	inc := journal.Incarnation{1}
	var alive []*peer
	for i := range byte(3) {
		alive = append(alive, &peer{id: wire.ID(i + 1), meta: wire.Meta{Session: seal.Session{i}}})
	}
	heads := map[wire.ID]uint64{1: 5, 2: 4}
	row := func(_ journal.Incarnation, id wire.ID) journal.Row { return journal.Row{Head: heads[id]} }
	var asked []int
	for second := range 60 {
		got := l.look([]expectedHead{l.due(inc, 5)}, alive[:2], row)
		if slices.Contains(got, wire.ID(1)) {
			t.Fatal("asked, though it has acknowledged everything")
		}
		if slices.Contains(got, wire.ID(2)) {
			asked = append(asked, second)
		}
	}
	if want := []int{2, 3, 5, 9, 17, 33, 49}; !slices.Equal(asked, want) {
		t.Errorf("asked in seconds %v, want %v", asked, want)
	}
	// One that starts anew is another.
	alive[1].meta.Session = seal.Session{9}
	if got := l.look([]expectedHead{l.due(inc, 5)}, alive[:2], row); !slices.Equal(got, []wire.ID{2}) {
		t.Errorf("asked %v after a restart", got)
	}
	heads[2] = 5
	if got := l.look([]expectedHead{l.due(inc, 6)}, alive[:2], row); len(got) > 0 || len(l.rests) > 0 {
		t.Errorf("asked %v, though the last entry is new; %d remembered", got, len(l.rests))
	}
	// What another incarnation issued is that one's.
	if got := l.look([]expectedHead{l.due(journal.Incarnation{2}, 9)}, alive, row); len(got) > 0 {
		t.Errorf("asked %v", got)
	}
	// What an earlier start issued is due at once.
	earlier := []expectedHead{l.due(journal.Incarnation{2}, 9), {inc, 6}}
	if got := l.look(earlier, alive, row); !slices.Equal(got, []wire.ID{1, 2, 3}) {
		t.Errorf("asked %v", got)
	}
}
