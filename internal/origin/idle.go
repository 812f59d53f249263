package origin

import (
	"slices"
	"sync"
)

// socketState is what there is to read on a socket.
type socketState uint8

const (
	socketQuiet socketState = iota // nothing
	socketSpoke                    // bytes
	socketEnded                    // the other side's end, or an error
)

// kindUnused is the watchdog's word for an idle connection whose time is over.
// No exchange ends so.
const kindUnused Kind = 255

// idleConns are a backend's HTTP/1 connections that are not in use. The one
// used last is taken first: the others can grow old, and are closed.
type idleConns struct {
	mu struct {
		sync.Mutex
		conns []*conn // at most MaxIdle
		shut  bool
	}
}

// put takes a connection over, or closes it.
func (l *idleConns) put(c *conn) {
	cfg := &c.backend.pool.cfg
	keep := c.keeps.within(cfg.KeepAlive)
	l.mu.Lock()
	full := l.mu.shut || len(l.mu.conns) >= cfg.MaxIdle || keep <= 0
	if !full && c.watch.expect(kindUnused, keep) {
		l.mu.conns = append(l.mu.conns, c)
		c = nil
	}
	l.mu.Unlock()
	if c != nil {
		c.close()
	}
}

// take returns a connection that is open and quiet, nil where there is none.
func (l *idleConns) take() *conn {
	for {
		c := l.pop()
		if c == nil || c.quiet() {
			return c
		}
		c.close()
	}
}

func (l *idleConns) pop() *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.mu.conns)
	if n == 0 {
		return nil
	}
	c := l.mu.conns[n-1]
	l.mu.conns[n-1] = nil
	l.mu.conns = l.mu.conns[:n-1]
	return c
}

// remove takes out a given connection and tells whether it was there.
func (l *idleConns) remove(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.mu.conns, c)
	if i < 0 {
		return false
	}
	l.mu.conns = slices.Delete(l.mu.conns, i, i+1)
	return true
}

// shut closes the idle connections, and from now on those that are put.
func (l *idleConns) shut() {
	l.mu.Lock()
	l.mu.shut = true
	conns := l.mu.conns
	l.mu.conns = nil
	l.mu.Unlock()
	for _, c := range conns {
		c.close()
	}
}
