package cluster

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
)

// line is a stream that this node has opened, or is opening.
type line struct {
	session seal.Session // of the member
	ready   chan struct{}
	giveUp  context.CancelFunc // opening it
	conn    net.Conn           // after ready, like the rest
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
