package accesslog

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// Requests end in another order than they began, and each has its own second.
func TestTimesOfRequestsInAnyOrder(t *testing.T) {
	f, err := Compile(Config{Format: "%t"})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 2, 28, 23, 59, 58, 999_999_999, time.FixedZone("", 3600))
	for _, after := range []time.Duration{0, 1, time.Second, 0, -time.Nanosecond, time.Hour, 0, -100 * time.Hour} {
		at := began.Add(after)
		want := at.UTC().Format("[02/Jan/2006:15:04:05 -0700]")
		if got := string(f.Append(nil, &event.Request{Time: at})); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
