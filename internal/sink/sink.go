package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// DefaultQueueBytes holds what a busy node writes in a few seconds (some
	// 30,000 lines of 250 bytes), which is how long a collector takes to restart.
	DefaultQueueBytes = 8 << 20
	// DefaultQueueLines bounds the bookkeeping of very short lines: 8 bytes each.
	DefaultQueueLines = 64 << 10
	// MaxLine is the longest line that is taken, in bytes. Requests make far
	// shorter ones; what is longer is a mistake of the caller's and would stop
	// many collectors.
	MaxLine = 256 << 10
)

// ErrStalled is returned by Close where the system holds a write and does not
// give it back: a pipe that nobody reads, a file server that is gone. The
// goroutine in that write ends when the write does.
var ErrStalled = errors.New("a write is still waiting for the system")

// Config says where lines go.
type Config struct {
	To  Target
	Log *slog.Logger // trouble with the sink goes here, at most one record a second; nil: nowhere

	// QueueBytes and QueueLines bound what waits. As much again may be on its
	// way out. Zero: DefaultQueueBytes and DefaultQueueLines.
	QueueBytes, QueueLines int

	// Hostname is the node's name in syslog messages. Empty: the system's.
	Hostname string

	// Stdout replaces standard output, Dial the way to connections, and
	// Transport the way to webhooks. Nil: the system's.
	Stdout    io.Writer
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Transport http.RoundTripper
}

func (c *Config) validate() error {
	switch {
	case c.To.kind == kindNone:
		return errors.New("no target")
	case c.QueueBytes < 0 || c.QueueLines < 0:
		return errors.New("the bounds of the queue cannot be negative")
	case c.QueueBytes == 0:
		c.QueueBytes = DefaultQueueBytes
	}
	if c.QueueLines == 0 {
		c.QueueLines = DefaultQueueLines
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	return nil
}

// output delivers what a queue held. It is used by one goroutine at a time.
type output interface {
	// write delivers the lines of a batch in order and returns how many arrived
	// as far as it can know; the others are lost, and err says why. It may try
	// for long, but returns soon after ctx ends.
	write(ctx context.Context, b *batch) (delivered int, err error)
	// reopen lets go of what may have been renamed or moved.
	reopen() error
	// close releases everything.
	close() error
}

// Sink is an asynchronous writer of lines. Its methods are safe for concurrent
// use.
type Sink struct {
	name   string
	queue  *queue
	out    output
	linger time.Duration
	report *reporter

	delivered, dropped atomic.Uint64

	cancel context.CancelFunc // ends the attempts of out
	done   chan struct{}      // closed once all goroutines have ended
}

// Open starts a sink. A file is created here, so that a path that cannot work
// is an error now; collectors are connected to when there is a line for them.
func Open(cfg Config) (*Sink, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &Sink{name: cfg.To.String(), done: make(chan struct{})}
	s.report = newReporter(cfg.Log, s.name, &s.dropped)
	plan, err := cfg.plan(s.report.failed)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", s.name, err)
	}
	s.out, s.linger = plan.out, plan.linger
	s.queue = newQueue(plan.frames, cfg.QueueBytes, cfg.QueueLines)
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.work(ctx)
	return s, nil
}

// Put takes a line, which has no line end and is copied. It never waits for the
// sink: where the queue is full, the line is longer than MaxLine, or the sink
// is closed, the line is dropped and counted.
func (s *Sink) Put(line []byte) {
	if !s.queue.put(line) {
		s.lose(1)
	}
}

func (s *Sink) lose(n int) {
	if n > 0 {
		s.dropped.Add(uint64(n))
		s.report.wakeUp()
	}
}

// Name says where the lines go, without anything secret.
func (s *Sink) Name() string { return s.name }

// Dropped returns how many lines were lost for any reason.
func (s *Sink) Dropped() uint64 { return s.dropped.Load() }

// Delivered returns how many lines arrived. For a collector that confirms
// nothing, that is how many the system took.
func (s *Sink) Delivered() uint64 { return s.delivered.Load() }

// Reopen makes a file sink open its path again before its next line, for what
// rotates logs by renaming; collectors are connected to anew. It does not wait.
// Where the file cannot be opened, the old one stays in use.
func (s *Sink) Reopen() { s.queue.poke() }

// Close takes no more lines and delivers those that wait, for as long as ctx
// allows. It returns an error that says how many were lost meanwhile, or wraps
// ErrStalled.
func (s *Sink) Close(ctx context.Context) error {
	before := s.dropped.Load()
	s.queue.close()
	defer context.AfterFunc(ctx, s.cancel)()
	select {
	case <-s.done:
	case <-ctx.Done():
		if err := s.await(); err != nil {
			return fmt.Errorf("sink %s: %w", s.name, err)
		}
	}
	if lost := s.dropped.Load() - before; lost > 0 {
		return fmt.Errorf("sink %s: lines not delivered: %d", s.name, lost)
	}
	return nil
}

// releaseTime is how long a cancelled output may take to return: it has only to
// notice.
const releaseTime = time.Second

func (s *Sink) await() error {
	timer := time.NewTimer(releaseTime)
	defer timer.Stop()
	select {
	case <-s.done:
		return nil
	case <-timer.C:
		return ErrStalled
	}
}

// work moves lines from the queue to the output until the queue is closed and
// empty.
func (s *Sink) work(ctx context.Context) {
	defer close(s.done)
	reported := make(chan struct{})
	go func() { defer close(reported); s.report.run() }()
	var pages []*page
	for s.queue.wait(s.linger) {
		var poked bool
		if pages, poked = s.queue.take(pages); poked {
			s.check(s.out.reopen())
		}
		for _, p := range pages {
			b := p.batch()
			s.write(ctx, &b)
			s.queue.release(p)
		}
	}
	s.check(s.out.close())
	s.cancel()
	s.report.stop()
	<-reported
}

func (s *Sink) write(ctx context.Context, b *batch) {
	n, err := s.out.write(ctx, b)
	s.delivered.Add(uint64(n))
	s.check(err)
	s.lose(b.lines() - n)
}

func (s *Sink) check(err error) {
	if err != nil {
		s.report.failed(err)
	}
}
