package leak

import (
	"testing"
	"time"
)

// leaving is tests that leave a goroutine behind, which ends after a while.
type leaving time.Duration

func (l leaving) Run() int {
	go func() { <-time.After(time.Duration(l)) }()
	return 0
}

// What ends a second late, for goleak too late, was not left behind.
func TestPatience(t *testing.T) {
	began := time.Now()
	if code := (patient{leaving(time.Second), nil}).Run(); code != 0 || time.Since(began) < time.Second {
		t.Errorf("code %d after %v", code, time.Since(began))
	}
}
