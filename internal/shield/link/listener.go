package link

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// Limits of a Listener.
const (
	// maxStrangers bounds connections that have not shown a secret yet, and
	// maxPerHost those of one address: after a purge of everything, each edge may
	// open as many as it has for a service, at once.
	maxStrangers = 1024
	maxPerHost   = 512
	// handshakeTimeout bounds the time of each of them: two round trips around the
	// world, with a lost packet in each.
	handshakeTimeout = 5 * time.Second
	// acceptPause is waited after an error that is not of one connection, such as
	// too many open files.
	acceptPause = 100 * time.Millisecond
)

// Listener accepts connections of members: those that it returns have shown a
// secret of the cluster. It implements net.Listener.
type Listener struct {
	under   net.Listener
	config  *tls.Config
	refused func(remote net.Addr, err error)
	met     chan net.Conn
	waiting struct {
		sync.Mutex
		all  int
		from map[string]int // by host
	}
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
	closing  sync.Once
	closeErr error
}

// NewListener shakes hands with whoever connects to under, which it takes over.
// refused is told of those who were turned away; nil: nobody is.
func NewListener(under net.Listener, id *Identity, refused func(remote net.Addr, err error)) *Listener {
	if refused == nil {
		refused = func(net.Addr, error) {}
	}
	l := &Listener{
		under: under, config: id.Server(), refused: refused,
		met: make(chan net.Conn),
	}
	l.waiting.from = make(map[string]int)
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.running.Go(l.accept)
	return l
}

func (l *Listener) accept() {
	for {
		conn, err := l.under.Accept()
		if err != nil {
			if l.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			select {
			case <-time.After(acceptPause):
			case <-l.ctx.Done():
				return
			}
			continue
		}
		host := hostOf(conn)
		if !l.enter(host) {
			l.refused(conn.RemoteAddr(), errTooMany)
			conn.Close()
			continue
		}
		l.running.Go(func() { l.greet(conn, host) })
	}
}

func hostOf(conn net.Conn) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		return conn.RemoteAddr().String()
	}
	return host
}

// enter counts a stranger, if there may be one more.
func (l *Listener) enter(host string) bool {
	l.waiting.Lock()
	defer l.waiting.Unlock()
	if l.waiting.all >= maxStrangers || l.waiting.from[host] >= maxPerHost {
		return false
	}
	l.waiting.all++
	l.waiting.from[host]++
	return true
}

func (l *Listener) leave(host string) {
	l.waiting.Lock()
	defer l.waiting.Unlock()
	l.waiting.all--
	if l.waiting.from[host]--; l.waiting.from[host] == 0 {
		delete(l.waiting.from, host)
	}
}

var errTooMany = errors.New("too many connections that have not shown a secret yet")

func (l *Listener) greet(conn net.Conn, host string) {
	secure := tls.Server(conn, l.config)
	ctx, cancel := context.WithTimeout(l.ctx, handshakeTimeout)
	err := secure.HandshakeContext(ctx)
	cancel()
	l.leave(host)
	if err != nil {
		l.refused(conn.RemoteAddr(), err)
		conn.Close()
		return
	}
	select {
	case l.met <- secure:
	case <-l.ctx.Done():
		conn.Close()
	}
}

// Accept returns the next connection of a member.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.met:
		return conn, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Addr returns where it listens.
func (l *Listener) Addr() net.Addr { return l.under.Addr() }

// Close ends accepting. Connections that were returned stay.
func (l *Listener) Close() error {
	l.closing.Do(func() {
		l.stop()
		l.closeErr = l.under.Close()
		l.running.Wait()
	})
	return l.closeErr
}
