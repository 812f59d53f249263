package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

// openOn opens a sink, on standard output unless the configuration says else.
func openOn(t *testing.T, cfg Config) *Sink {
	t.Helper()
	if cfg.To.kind == kindNone {
		cfg.To = Target{kind: kindStdout}
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parse(t *testing.T, spec string) Target {
	t.Helper()
	target, err := Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// closeIn closes a sink and gives it some time for what waits.
func closeIn(t *testing.T, s interface{ Close(context.Context) error }, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return s.Close(ctx)
}

// collected keeps what is written to it, and tells whoever waits.
type collected struct {
	mu    sync.Mutex
	cond  *sync.Cond
	data  bytes.Buffer
	count int // of lines
}

func newCollected() *collected {
	c := &collected{}
	c.cond = sync.NewCond(&c.mu)
	return c
}

func (c *collected) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count += bytes.Count(p, []byte("\n"))
	c.cond.Broadcast()
	return c.data.Write(p)
}

// await returns once there are so many lines.
func (c *collected) await(lines int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.count < lines {
		c.cond.Wait()
	}
}

func (c *collected) lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Split(strings.TrimSuffix(c.data.String(), "\n"), "\n")
}

func (c *collected) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.data.String()
}

// stalled is a writer that takes nothing until it is released, and then all.
type stalled struct {
	io.Writer
	entered chan struct{} // holds one once a write has begun
	release chan struct{}
}

func newStalled(w io.Writer) *stalled {
	return &stalled{Writer: w, entered: make(chan struct{}, 1), release: make(chan struct{})}
}

func (s *stalled) Write(p []byte) (int, error) {
	signal(s.entered)
	<-s.release
	return s.Writer.Write(p)
}

// journal is a logger whose records a test can read.
func journal() (*slog.Logger, *collected) {
	c := newCollected()
	return slog.New(slog.NewJSONHandler(c, nil)), c
}

type record struct {
	Time  time.Time `json:"time"`
	Level string    `json:"level"`
	Msg   string    `json:"msg"`
	Sink  string    `json:"sink"`
	Error string    `json:"error"`
	Lines int       `json:"lines"`
	Total int       `json:"total"`
}

func records(t *testing.T, c *collected) (list []record) {
	t.Helper()
	for _, line := range c.lines() {
		if line == "" {
			continue
		}
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		list = append(list, r)
	}
	return list
}
