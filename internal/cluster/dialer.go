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

// line is a stream that this node has opened, or is opening.
type line struct {
	session seal.Session // of the member
	ready   chan struct{}
	conn    net.Conn // after ready, like the rest
	stream  *seal.Stream
	err     error
	writing sync.Mutex
	mu      struct {
		sync.Mutex
		calls  map[uint64]*call
		number uint64
		used   time.Time
		broken error
	}
}

type call struct {
	limit  int
	answer chan wire.Response // one; closed without one if the stream breaks
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

func answerOf(r wire.Response) ([]byte, error) {
	switch r.Status {
	case wire.StatusOK:
		return r.Body, nil
	case wire.StatusBusy:
		return nil, ErrBusy
	case wire.StatusFailed:
		return nil, fmt.Errorf("%w: %s", ErrAnswer, r.Body[:min(len(r.Body), 512)])
	}
	return nil, fmt.Errorf("%w: its version does not know the request", ErrAnswer)
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
		d.c.wg.Go(func() { d.open(to, l) })
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
func (d *dialer) open(to *peer, l *line) {
	ctx, cancel := context.WithTimeout(d.c.ctx, dialTimeout)
	defer cancel()
	conn, err := d.c.cfg.Network.Dial(ctx, to.spread)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(dialTimeout))
		l.stream, err = seal.Dial(conn, d.c.ring.Load(), d.c.cfg.Random)
		if err == nil {
			hello := wire.Hello{Name: d.c.cfg.Name, Session: d.c.session}
			request := wire.Request{Op: wire.OpHello, Body: hello.Append(nil)}
			err = l.stream.WriteMessage(request.Append(nil))
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

// read hands answers to those who asked, and returns why there are no more.
func (l *line) read() error {
	for {
		message, err := l.stream.ReadMessage(l.limit(), nil)
		if err != nil {
			return err
		}
		got, err := wire.ParseResponse(message)
		if err != nil {
			return err
		}
		l.mu.Lock()
		ask := l.mu.calls[got.Number]
		delete(l.mu.calls, got.Number)
		l.mu.Unlock()
		if ask != nil {
			ask.answer <- got
		}
	}
}

// answerSlack is what an answer has besides its body.
const answerSlack = 16

// limit is that of the most patient open call: which answer comes next is not
// known.
func (l *line) limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	most := maxAnswer
	for _, ask := range l.mu.calls {
		most = max(most, ask.limit)
	}
	return most + answerSlack
}

func (l *line) begin(limit int) (uint64, *call, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.broken != nil {
		return 0, nil, l.mu.broken
	}
	if len(l.mu.calls) >= maxCalls {
		return 0, nil, ErrBusy
	}
	l.mu.number++
	ask := &call{limit: limit, answer: make(chan wire.Response, 1)}
	l.mu.calls[l.mu.number] = ask
	l.mu.used = time.Now()
	return l.mu.number, ask, nil
}

func (l *line) finish(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.mu.calls, number)
	l.mu.used = time.Now()
}

func (l *line) write(message []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return l.stream.WriteMessage(message)
}

func (l *line) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.broken
}

func (l *line) idle(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.mu.calls) == 0 && now.Sub(l.mu.used) > idleAfter
}

// drop ends a stream; the next call opens another.
func (d *dialer) drop(name string, l *line, why error) {
	d.mu.Lock()
	if d.mu.lines[name] == l {
		delete(d.mu.lines, name)
	}
	conn := l.conn
	d.mu.Unlock()
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
)

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
