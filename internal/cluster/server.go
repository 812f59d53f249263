package cluster

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/network"
	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

const (
	// maxStrangers is how many streams may be open whose other side has not
	// shown that it has a secret, and maxStrangersPerHost from one address.
	maxStrangers        = 128
	maxStrangersPerHost = 32
	// maxStreams is how many streams other members may have open: two each of a
	// thousand, since a restart leaves one behind for a while.
	maxStreams = 2048
	// maxPerMember is how many of them one member may have.
	maxPerMember = 4
	// handshakeTimeout bounds how long a stranger has.
	handshakeTimeout = 5 * time.Second
	// serveIdle is when a stream is closed on which nothing is asked: later than
	// by the side that asks.
	serveIdle = 2*idleAfter + 10*time.Second
	// maxHello is the most bytes of a first message.
	maxHello = 512
	// maxRequest is the most bytes of a request: a whole vector, or a batch with
	// the largest entry.
	maxRequest = 8 << 20
	// maxAnswer is the most bytes of an ordinary answer; likewise.
	maxAnswer = 8 << 20
	// maxServing is how many requests of one stream are answered at a time.
	maxServing = 8
	// maxLarge is how many messages above 64 KiB are taken in at a time, so that
	// they take 256 MiB at most.
	maxLarge = 32
	// requestTimeout bounds the answering of a request.
	requestTimeout = 30 * time.Second
)

// server answers what other members ask on streams.
type server struct {
	c         *Cluster
	strangers *strangers
	large     chan struct{}
	mu        struct {
		sync.Mutex
		conns  map[net.Conn]string // name once known
		closed bool
	}
}

func newServer(c *Cluster) *server {
	s := &server{c: c, large: make(chan struct{}, maxLarge), strangers: newStrangers(maxStrangers, maxStrangersPerHost)}
	s.mu.conns = make(map[net.Conn]string)
	return s
}

func (s *server) accept() {
	for {
		conn, err := s.c.listen.Accept()
		if err != nil {
			if network.IsClosed(err) || s.c.ctx.Err() != nil {
				return
			}
			// Out of file descriptors, for example: do not spin.
			if !s.c.pause(100 * time.Millisecond) {
				return
			}
			continue
		}
		leave, ok := s.strangers.enter(conn)
		if !ok || !s.track(conn) {
			if ok {
				leave()
			}
			s.c.stats.streamsRefused.Add(1)
			conn.Close()
			continue
		}
		s.c.wg.Go(func() { s.serve(conn, leave) })
	}
}

func (s *server) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed || len(s.mu.conns) >= maxStreams {
		return false
	}
	s.mu.conns[conn] = ""
	return true
}

func (s *server) untrack(conn net.Conn) {
	conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.conns, conn)
}

// admit tells whether a member may have one more stream.
func (s *server) admit(conn net.Conn, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, other := range s.mu.conns {
		if other == name {
			n++
		}
	}
	s.mu.conns[conn] = name
	return n < maxPerMember
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	for conn := range s.mu.conns {
		conn.Close()
	}
}

// inbound is a stream that another member has opened.
type inbound struct {
	s       *server
	conn    net.Conn
	stream  *seal.Stream
	from    string
	writing sync.Mutex
	serving chan struct{}
	wg      sync.WaitGroup
}

// serve serves a stream; met is called once the other side is no stranger any more.
func (s *server) serve(conn net.Conn, met func()) {
	defer s.untrack(conn)
	in, err := s.greet(conn)
	met()
	if err != nil {
		s.c.stats.refuseStream(err)
		return
	}
	defer in.wg.Wait()
	for {
		request, large, err := in.next()
		if err != nil {
			if errors.Is(err, seal.ErrRefused) || errors.Is(err, seal.ErrTooLong) {
				s.c.stats.refuseStream(err)
			}
			return
		}
		in.handle(request, large)
	}
}

// greet opens the stream with a stranger and learns who it is.
func (s *server) greet(conn net.Conn) (*inbound, error) {
	_ = conn.SetDeadline(time.Now().Add(handshakeTimeout))
	stream, err := seal.Accept(conn, s.c.ring.Load(), s.c.cfg.Random)
	if err != nil {
		return nil, err
	}
	message, err := stream.ReadMessage(maxHello, nil)
	if err != nil {
		return nil, err
	}
	request, err := wire.ParseRequest(message)
	if err != nil {
		return nil, err
	}
	hello, err := wire.ParseHello(request.Body)
	if err != nil || request.Op != wire.OpHello || !nameForm.MatchString(hello.Name) {
		return nil, wire.ErrMalformed
	}
	if !s.admit(conn, hello.Name) {
		return nil, ErrBusy
	}
	_ = conn.SetDeadline(time.Time{})
	return &inbound{s: s, conn: conn, stream: stream, from: hello.Name, serving: make(chan struct{}, maxServing)}, nil
}

// next reads a request. large says that it holds one of the places for large
// messages.
func (in *inbound) next() (request wire.Request, large bool, err error) {
	_ = in.conn.SetReadDeadline(time.Now().Add(serveIdle))
	message, err := in.stream.ReadMessage(maxRequest+answerSlack, func() error {
		_ = in.conn.SetReadDeadline(time.Now().Add(writeTimeout))
		select {
		case in.s.large <- struct{}{}:
			large = true
			return nil
		case <-in.s.c.ctx.Done():
			return net.ErrClosed
		}
	})
	if err == nil {
		request, err = wire.ParseRequest(message)
	}
	if err != nil && large {
		<-in.s.large
	}
	return request, large, err
}

// handle answers a request on a goroutine of its own, or says that there are
// too many.
func (in *inbound) handle(request wire.Request, large bool) {
	done := func() {
		if large {
			<-in.s.large
		}
	}
	select {
	case in.serving <- struct{}{}:
	default:
		done()
		in.reply(wire.Response{Status: wire.StatusBusy, Number: request.Number})
		return
	}
	in.wg.Go(func() {
		ctx, cancel := context.WithTimeout(in.s.c.ctx, requestTimeout)
		defer cancel()
		status, body := in.s.c.answer(ctx, in.from, request)
		done()
		in.reply(wire.Response{Status: status, Number: request.Number, Body: body})
		<-in.serving
	})
}

func (in *inbound) reply(r wire.Response) {
	in.writing.Lock()
	defer in.writing.Unlock()
	_ = in.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := in.stream.WriteMessage(r.Append(nil)); err != nil {
		in.conn.Close() // the side that asked finds out
	}
}
