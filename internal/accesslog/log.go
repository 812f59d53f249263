package accesslog

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/event"
)

// Output takes finished lines. Put copies the line, never blocks, and is safe
// for concurrent use; what it cannot take it counts.
type Output interface {
	Put(line []byte)
}

// Route leads requests to an output.
type Route struct {
	Format *Format
	To     Output
	// Only says which requests are written; nil: all. It must be safe for
	// concurrent use and keep nothing of the event.
	Only func(*event.Request) bool
}

// Log writes requests along its routes. It is immutable and safe for concurrent
// use.
type Log struct {
	node   string
	routes []Route
	lines  lines
}

// NewLog returns a Log. Refused requests are written as this node's.
func NewLog(node string, routes []Route) *Log {
	return &Log{node: node, routes: routes}
}

// Request writes a finished request.
func (l *Log) Request(e *event.Request) {
	if len(l.routes) == 0 {
		return
	}
	line := l.lines.get()
	for i := range l.routes {
		r := &l.routes[i]
		if r.Only != nil && !r.Only(e) {
			continue
		}
		*line = r.Format.Append((*line)[:0], e)
		r.To.Put(*line)
	}
	l.lines.put(line)
}

// Refused writes a request that no handler saw.
func (l *Log) Refused(r event.Refused) {
	if len(l.routes) == 0 {
		return
	}
	e := FromRefused(l.node, r)
	l.Request(&e)
}

// PurgeLog writes what was done and what was denied on the path of purges, as
// JSON: purges, reverts and changes of tokens. It is immutable and safe for
// concurrent use.
type PurgeLog struct {
	outputs []Output
	lines   lines
}

// NewPurgeLog returns a PurgeLog that writes each line to all outputs.
func NewPurgeLog(outputs []Output) *PurgeLog {
	return &PurgeLog{outputs: outputs}
}

// Written tells whether there is an output.
func (l *PurgeLog) Written() bool { return len(l.outputs) > 0 }

// Purged writes a purge.
func (l *PurgeLog) Purged(e event.Purged) {
	l.write(func(dst []byte) []byte { return AppendPurged(dst, &e) })
}

// Reverted writes a purge that was taken back.
func (l *PurgeLog) Reverted(e event.Reverted) {
	l.write(func(dst []byte) []byte { return AppendReverted(dst, &e) })
}

// Denied writes what was turned down.
func (l *PurgeLog) Denied(e event.Denied) {
	l.write(func(dst []byte) []byte { return AppendDenied(dst, &e) })
}

// TokenChanged writes a token that was created or revoked.
func (l *PurgeLog) TokenChanged(e event.TokenChanged) {
	l.write(func(dst []byte) []byte { return AppendTokenChanged(dst, &e) })
}

func (l *PurgeLog) write(line func(dst []byte) []byte) {
	if !l.Written() {
		return
	}
	b := l.lines.get()
	*b = line((*b)[:0])
	for _, o := range l.outputs {
		o.Put(*b)
	}
	l.lines.put(b)
}

// lines keeps buffers for reuse.
type lines struct{ pool sync.Pool }

// mostKept is more than usual lines take: a rare long one is not worth keeping
// its memory for good.
const mostKept = 16 << 10

func (l *lines) get() *[]byte {
	if b, ok := l.pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1024)
	return &b
}

func (l *lines) put(b *[]byte) {
	if cap(*b) <= mostKept {
		l.pool.Put(b)
	}
}
