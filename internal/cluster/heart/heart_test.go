package heart

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

func TestMajority(t *testing.T) {
	h := NewTable(0)
	if _, forever := h.Until(time.Second); !forever {
		t.Error("a node alone can be isolated")
	}
	h.SetRoster([]wire.ID{0, 1, 2, 3, 4})
	if until, forever := h.Until(time.Second); forever || until > 0 {
		t.Error("not isolated without a heartbeat")
	}
	h.Count(10*time.Second, 1, nil)
	h.Count(20*time.Second, 2, []wire.Beat{{Member: 3, Age: 5 * time.Second}, {Member: 0}, {Member: 99}})
	// Two others are needed: the youngest are of 20 s and 15 s.
	if until, _ := h.Until(30 * time.Second); until != 45*time.Second {
		t.Errorf("until %v, want 45s", until)
	}
	for now, want := range map[time.Duration]int{20 * time.Second: 4, 41 * time.Second: 3, 46 * time.Second: 2, time.Hour: 1} {
		if got := h.Fresh(now, 30*time.Second); got != want {
			t.Errorf("at %v: %d, want %d", now, got, want)
		}
	}
	h.Count(5*time.Second, 2, []wire.Beat{{Member: 3, Age: time.Second}}) // late answers
	if until, _ := h.Until(30 * time.Second); until != 45*time.Second {
		t.Errorf("an old answer changed it to %v", until)
	}
	h.SetRoster([]wire.ID{0, 1, 2})
	if until, _ := h.Until(30 * time.Second); until != 50*time.Second {
		t.Errorf("after a member left: %v, want 50s", until)
	}
	if _, known := h.Age(0, 3); known {
		t.Error("who has left still beats")
	}
}

func TestWhoJoinsHasBeenHeardBefore(t *testing.T) {
	h := NewTable(0)
	h.Count(10*time.Second, 1, []wire.Beat{{Member: 2, Age: time.Second}})
	if _, forever := h.Until(time.Second); !forever || h.Fresh(10*time.Second, time.Minute) != 1 {
		t.Error("who is not in the roster counts")
	}
	h.SetRoster([]wire.ID{0, 1, 2})
	if until, _ := h.Until(30 * time.Second); until != 40*time.Second {
		t.Errorf("until %v, want 40s: the new member was heard at 10s", until)
	}
	h.SetRoster([]wire.ID{0, 2})
	h.SetRoster([]wire.ID{0, 1, 2})
	if _, known := h.Age(0, 1); known {
		t.Error("who left and came back has the heartbeat of before")
	}
	for id := range wire.ID(3 * wire.MaxBeats) {
		h.Count(0, id+3, nil)
	}
	if len(h.guests) > wire.MaxBeats {
		t.Errorf("%d strangers are remembered", len(h.guests))
	}
}

func TestAgesAddUp(t *testing.T) {
	// 1 is asked by 2 by 3, each a second after the other.
	two, three := NewTable(2), NewTable(3)
	for _, h := range []*Table{two, three} {
		h.SetRoster([]wire.ID{1, 2, 3})
	}
	two.Count(10*time.Second, 1, nil)
	three.Count(12*time.Second, 2, two.Beats(12500*time.Millisecond))
	// The answer was made at 12.5 s and may have been made at 12 s for all that
	// three knows: it counts the heartbeat older by the difference.
	if age, _ := three.Age(13*time.Second, 1); age != 3500*time.Millisecond {
		t.Errorf("%v, want 3.5s", age)
	}
	beats := three.Beats(13 * time.Second)
	if len(beats) != 2 || beats[0].Member != 2 || beats[1].Age != 3500*time.Millisecond {
		t.Errorf("%+v", beats)
	}
	if got := three.Beats(wire.MaxAge + time.Hour); len(got) > 0 {
		t.Errorf("ages above the limit are passed on: %+v", got)
	}
}
