//go:build !linux

package cluster

import "time"

// bootClock counts from the start of the process. Where the system has no clock
// that counts suspension for programs, wall time is the next best: it is set
// back at times, which makes heartbeats look younger by as much.
func bootClock() time.Duration { return time.Duration(time.Now().UnixNano()) }
