package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

const (
	// dialTimeout bounds the opening of a stream: a handshake of TCP and one of
	// ours, with a lost packet in each.
	dialTimeout = 5 * time.Second
	// writeTimeout bounds the sending of one message.
	writeTimeout = 20 * time.Second
	// idleAfter is when an unused stream is closed: a node asks another at
	// random once a second, so with a thousand members some hundred are open.
	idleAfter = 2 * time.Minute
	// maxCalls is how many requests to one member may be open.
	maxCalls = 32
)

var (
	// ErrNotAlive is returned for a member that is not alive, or not known.
	ErrNotAlive = errors.New("not a live member of the cluster")
	// ErrBusy is returned if a member, or this node, has too many requests open.
	ErrBusy = errors.New("too many requests at a time")
	// ErrAnswer is wrapped by errors with which a member answers.
	ErrAnswer = errors.New("refused by the member")
)

// dialer keeps one stream a member, opened when it is needed.
type dialer struct {
	c  *Cluster
	mu struct {
		sync.Mutex
		lines  map[string]*line
		closed bool
	}
}

func newDialer(c *Cluster) *dialer {
	d := &dialer{c: c}
	d.mu.lines = make(map[string]*line)
	return d
}

// call asks a member and returns the body of its answer, of at most limit
// bytes. The error wraps ErrBusy or ErrAnswer, or is of the network or context.
func (d *dialer) call(ctx context.Context, to *peer, op wire.Op, body []byte, limit int) ([]byte, error) {
	l, err := d.line(ctx, to)
	if err != nil {
		return nil, err
	}
	number, ask, err := l.begin(limit)
	if err != nil {
		return nil, err
	}
	defer l.finish(number)
	request := wire.Request{Op: op, Number: number, Body: body}
	if err := l.write(request.Append(nil)); err != nil {
		d.drop(to.name, l, err)
		return nil, err
	}
	select {
	case got, ok := <-ask.answer:
		if !ok {
			return nil, l.why()
		}
		return answerOf(got)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// line returns the member's stream, opened if there is none.
func (d *dialer) line(ctx context.Context, to *peer) (*line, error) {
	d.mu.Lock()
	if d.mu.closed {
		d.mu.Unlock()
		return nil, net.ErrClosed
	}
	l := d.mu.lines[to.name]
	if l == nil {
		l = &line{session: to.meta.Session, ready: make(chan struct{})}
		l.mu.calls = make(map[uint64]*call)
		l.mu.used = time.Now()
		d.mu.lines[to.name] = l
		// The member may start anew meanwhile, where nobody answers this attempt.
		opening, giveUp := context.WithTimeout(d.c.ctx, dialTimeout)
		l.giveUp = giveUp
		d.c.wg.Go(func() { d.open(opening, to, l) })
	}
	d.mu.Unlock()
	select {
	case <-l.ready:
		return l, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open dials, and then reads until the stream ends.
func (d *dialer) open(ctx context.Context, to *peer, l *line) {
	defer l.giveUp()
	conn, err := d.c.cfg.Network.Dial(ctx, to.spread)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		_ = conn.SetDeadline(time.Now().Add(dialTimeout))
		l.stream, err = seal.Dial(conn, d.c.ring.Load(), d.c.cfg.Random)
		if err == nil {
			hello := wire.Hello{Name: d.c.cfg.Name, Session: d.c.session}
			request := wire.Request{Op: wire.OpHello, Body: hello.Append(nil)}
			err = l.stream.WriteMessage(request.Append(nil))
		}
		if !stop() && err == nil {
			err = context.Cause(ctx)
		}
		_ = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		if conn != nil {
			conn.Close()
		}
		d.c.stats.streamErrors.Add(1)
		l.err = fmt.Errorf("open a stream to %s: %w", to.name, err)
		d.drop(to.name, l, l.err)
		close(l.ready)
		return
	}
	d.mu.Lock()
	closed := d.mu.closed || d.mu.lines[to.name] != l
	l.conn = conn
	d.mu.Unlock()
	close(l.ready)
	if closed {
		conn.Close()
	}
	d.drop(to.name, l, l.read())
}

// drop ends a stream; the next call opens another.
func (d *dialer) drop(name string, l *line, why error) {
	d.mu.Lock()
	if d.mu.lines[name] == l {
		delete(d.mu.lines, name)
	}
	conn := l.conn
	d.mu.Unlock()
	l.giveUp()
	l.mu.Lock()
	if l.mu.broken == nil {
		l.mu.broken = fmt.Errorf("the stream to %s has ended: %w", name, why)
	}
	calls := l.mu.calls
	l.mu.calls = make(map[uint64]*call)
	l.mu.Unlock()
	for _, ask := range calls {
		close(ask.answer)
	}
	if conn != nil {
		conn.Close()
	}
}

var (
	errIdle    = errors.New("it was idle")
	errRenewed = errors.New("the cluster secrets were changed")
	errSilent  = errors.New("nothing was answered on it")
)

// hangUp ends the stream to a member that does not answer on it.
func (d *dialer) hangUp(name string) {
	if l := d.lines()[name]; l != nil {
		d.drop(name, l, errSilent)
	}
}

func (d *dialer) closeIdle() {
	for name, l := range d.lines() {
		if l.idle(time.Now()) {
			d.drop(name, l, errIdle)
		}
	}
}

// forget ends the stream to an earlier start of a member.
func (d *dialer) forget(name string, session seal.Session) {
	if l := d.lines()[name]; l != nil && l.session != session {
		d.drop(name, l, ErrNotAlive)
	}
}

// lines returns the streams that are open.
func (d *dialer) lines() map[string]*line {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(map[string]*line, len(d.mu.lines))
	for name, l := range d.mu.lines {
		out[name] = l
	}
	return out
}

func (d *dialer) close() {
	d.mu.Lock()
	d.mu.closed = true
	d.mu.Unlock()
	for name, l := range d.lines() {
		d.drop(name, l, net.ErrClosed)
	}
}
