package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"
)

// turn is one server's part of a round: one run of a generator, with the checks
// that make its figure worth something.
type turn struct {
	server *server
	what   string // for messages
	size   int    // bytes of each body
	misses bool   // every request goes to the origin; else none may
	paced  bool   // the generator sets the rate; else the server's core is the limit
	run    func() (load, error)
}

// before is what a turn compares with.
type before struct {
	cores []coreTimes
	cpu   time.Duration
	sent  int // by the origin
}

func (l *lab) look(s *server) (before, error) {
	cores, err := readCores()
	if err != nil {
		return before{}, err
	}
	sent, err := l.originCount()
	return before{cores: cores, cpu: cpuOf(s.family), sent: sent}, err
}

// take carries a turn out. What is wrong with it goes to the report; an error is
// that it could not be carried out.
func (l *lab) take(t turn) (load, error) {
	if err := t.server.rewindLog(); err != nil {
		return load{}, err
	}
	then, err := l.look(t.server)
	if err != nil {
		return load{}, err
	}
	did, err := t.run()
	if err != nil {
		return load{}, fmt.Errorf("%s, %s: %w", t.server.name, t.what, err)
	}
	now, err := l.look(t.server)
	if err != nil {
		return load{}, err
	}
	did.cpu = now.cpu - then.cpu
	for _, p := range t.server.processes {
		if !p.running() {
			return load{}, p.death()
		}
	}
	l.report.note(t.judgeAnswers(did, now.sent-then.sent)...)
	l.report.note(t.judgeCores(usage(then, now))...)
	if t.server.accessLog != "" {
		lines, err := awaitLines(t.server.accessLog, did.requests, l.pause)
		if err != nil {
			return load{}, err
		}
		l.report.note(t.judgeLog(did.requests, lines)...)
	}
	return did, nil
}

// use is how the cores were used during a turn, each 0 to 1 of one core.
type use struct {
	server  float64 // the server's core: by the server
	foreign float64 // the server's core: by anybody else
	steal   float64 // the server's core: taken by the hypervisor
	load    float64 // the busiest core of the load
}

func usage(then, now before) use {
	own := now.cores[0].minus(then.cores[0])
	if own.total <= 0 {
		return use{}
	}
	whole := own.total.Seconds()
	u := use{server: (now.cpu - then.cpu).Seconds() / whole, steal: own.steal.Seconds() / whole}
	u.foreign = max(0, own.busy.Seconds()/whole-u.server)
	for i := 1; i < len(now.cores); i++ {
		if c := now.cores[i].minus(then.cores[i]); c.total > 0 {
			u.load = max(u.load, c.busy.Seconds()/c.total.Seconds())
		}
	}
	return u
}

// A buffered log is written within a second.
const logDelay = 1500 * time.Millisecond

// awaitLines counts the lines of a log, once there are as many as expected, or
// no more come.
func awaitLines(path string, want int, pause func(time.Duration) error) (int, error) {
	deadline := time.Now().Add(logDelay)
	c := lineCounter{path: path}
	for {
		if err := c.more(); err != nil {
			return 0, err
		}
		if c.lines >= want || time.Now().After(deadline) {
			return c.lines, nil
		}
		if err := pause(50 * time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// lineCounter counts the lines of a file that grows.
type lineCounter struct {
	path  string
	read  int64
	lines int
}

func (c *lineCounter) more() error {
	f, err := os.Open(c.path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(c.read, io.SeekStart); err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for {
		n, err := f.Read(block)
		c.lines += bytes.Count(block[:n], []byte("\n"))
		c.read += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
