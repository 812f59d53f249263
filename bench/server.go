package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// server is a cache under test, and whatever it needs to keep its access log.
type server struct {
	name      string
	dir       string
	processes []*process // the cache first
	http      string     // address for HTTP/1.1 in clear
	h2        string     // for HTTP/2 in clear, "" where it has none
	https     string     // for TLS, "" where it has none
	accessLog string     // path; "" where it keeps none
	family    []member   // all processes and their children

	purging *purging     // nil where it cannot purge by key
	undo    func() error // takes the last purge back; nil where it cannot
	fill    func() (filling, error)
}

// purging is how a server is told to withdraw what has a key.
type purging struct {
	address string
	request func(keys ...string) purgeRequest
}

type purgeRequest struct {
	method, path string
	fields       []string
	body         string
}

// filling is how much a cache holds.
type filling struct {
	objects, bytes int64
	evicted        int64 // for space, since the start
}

// settings are in what the servers of a chapter differ.
type settings struct {
	memory     int64         // bytes for objects
	noLog      bool          // Varnish alone: without a program that writes its log
	sendfile   bool          // nginx alone: instead of buffers
	undoWindow time.Duration // Rescind alone
	gcTrace    bool          // Rescind alone
}

const (
	// Enough that nothing is evicted where hits are measured.
	defaultMemory = 4 << 30

	readyTimeout = 30 * time.Second
)

// probe is the object that tells that a server is ready.
var probe = object{set: "probe", size: 1024}

// awaitReady waits until the server answers.
func (s *server) awaitReady(l *lab) error {
	deadline := time.Now().Add(readyTimeout)
	for {
		err := s.tryProbe()
		if err == nil {
			s.family = nil
			for _, p := range s.processes {
				s.family = append(s.family, p.family()...)
			}
			return nil
		}
		for _, p := range s.processes {
			if !p.running() {
				return p.death()
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer: %w", s.name, err)
		}
		if err := l.pause(20 * time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *server) tryProbe() error {
	c, err := dial(s.http)
	if err != nil {
		return err
	}
	defer c.Close()
	_, _, err = c.fetch(probe)
	return err
}

func (s *server) stop() error {
	var errs []error
	for _, p := range slices.Backward(s.processes) {
		errs = append(errs, p.stop())
	}
	return errors.Join(errs...)
}

// rewindLog empties the access log, which the server goes on appending to.
func (s *server) rewindLog() error {
	if s.accessLog == "" {
		return nil
	}
	return os.Truncate(s.accessLog, 0)
}

// purge withdraws what has one of the keys.
func (s *server) purge(c *conn, keys ...string) error {
	r := s.purging.request(keys...)
	a, err := c.do(r.method, r.path, r.fields, r.body)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if a.status != 200 {
		return fmt.Errorf("%s: a purge had status %d: %s", s.name, a.status, a.body)
	}
	return nil
}

// warm fetches objects until the server answers them from its store.
func (s *server) warm(objects ...object) error {
	c, err := dial(s.http)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	defer c.Close()
	for _, o := range objects {
		const tries = 3 // the first fetches, the second could still find it unfinished
		for try := 1; ; try++ {
			_, a, err := c.fetch(o)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if a.cached {
				break
			}
			if try == tries {
				return fmt.Errorf("%s does not keep %s", s.name, o.path())
			}
		}
	}
	return nil
}

// objectsOf returns objects 0 to n-1 of a set.
func objectsOf(set string, size, n int) []object {
	all := make([]object, n)
	for i := range all {
		all[i] = object{set: set, size: size, number: i}
	}
	return all
}
