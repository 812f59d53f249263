package sink

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// reportEvery bounds what a sink in trouble adds to the log: its trouble is
// often the reason why there is much to say.
const reportEvery = time.Second

// reporter says in the log what goes wrong. It has a goroutine of its own: the
// one that writes lines may be stuck, and those who bring them must not wait
// for the log.
type reporter struct {
	log     *slog.Logger
	name    string
	dropped *atomic.Uint64

	wake, end chan struct{}

	mu struct {
		sync.Mutex
		err error // the newest that was not reported
	}
}

func newReporter(log *slog.Logger, name string, dropped *atomic.Uint64) *reporter {
	return &reporter{log: log, name: name, dropped: dropped, wake: make(chan struct{}, 1), end: make(chan struct{})}
}

func (r *reporter) wakeUp() { signal(r.wake) }

// failed keeps an error for the next report.
func (r *reporter) failed(err error) {
	r.mu.Lock()
	r.mu.err = err
	r.mu.Unlock()
	r.wakeUp()
}

// stop makes run return after a last report.
func (r *reporter) stop() { close(r.end) }

func (r *reporter) run() {
	var reported uint64
	for ended := false; !ended; {
		select {
		case <-r.wake:
		case <-r.end:
			ended = true
		}
		reported = r.flush(reported)
		if !ended {
			r.pause()
		}
	}
}

func (r *reporter) pause() {
	timer := time.NewTimer(reportEvery)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.end:
	}
}

// flush reports what there is and returns the number of lines reported so far.
func (r *reporter) flush(reported uint64) uint64 {
	r.mu.Lock()
	err := r.mu.err
	r.mu.err = nil
	r.mu.Unlock()
	total := r.dropped.Load()
	attrs := []any{"sink", r.name}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	switch {
	case total > reported:
		r.log.Warn("log lines dropped", append(attrs, "lines", total-reported, "total", total)...)
	case err != nil:
		r.log.Warn("log sink failing", attrs...)
	}
	return total
}
