package wire

import (
	"encoding/binary"
	"math"
	"time"
)

// Op says what a request on a stream asks for.
type Op uint8

// Requests. Numbers are never changed or used again. An unknown one is answered
// with StatusUnknown.
const (
	OpHello Op = 1 // the first on every stream: who dialled
	OpSync  Op = 2 // compare vectors
	OpFetch Op = 3 // entries of ranges
	OpPush  Op = 4 // take entries
	OpState Op = 5 // the whole replicated state
	OpGive  Op = 6 // take the whole replicated state
	OpQuery Op = 7 // a question of the product
)

// Status says how a request went.
type Status uint8

const (
	StatusOK      Status = 0
	StatusUnknown Status = 1 // no such request in this version
	StatusBusy    Status = 2 // too many at a time: ask later
	StatusFailed  Status = 3 // the body says why
)

// Request and response are told apart by who dialled: he asks.
type (
	// Request is a message from the side that dialled.
	Request struct {
		Op     Op
		Number uint64
		Body   []byte
	}
	// Response is a message from the side that was dialled.
	Response struct {
		Status Status
		Number uint64
		Body   []byte
	}
)

// Append appends the message.
func (m *Request) Append(to []byte) []byte {
	to = append(to, byte(m.Op))
	to = binary.AppendUvarint(to, m.Number)
	return append(to, m.Body...)
}

// ParseRequest reads a message. The body aliases it. The error wraps
// ErrMalformed.
func ParseRequest(data []byte) (Request, error) {
	r := reader{data: data}
	m := Request{Op: Op(r.byte()), Number: r.uvarint()}
	m.Body = r.data
	return m, r.err
}

// Append appends the message.
func (m *Response) Append(to []byte) []byte {
	to = append(to, byte(m.Status))
	to = binary.AppendUvarint(to, m.Number)
	return append(to, m.Body...)
}

// ParseResponse reads a message. The body aliases it. The error wraps
// ErrMalformed.
func ParseResponse(data []byte) (Response, error) {
	r := reader{data: data}
	m := Response{Status: Status(r.byte()), Number: r.uvarint()}
	m.Body = r.data
	return m, r.err
}

func appendMillis(to []byte, d time.Duration) []byte {
	return binary.AppendUvarint(to, uint64(min(max(0, d.Milliseconds()), math.MaxUint32)))
}

func (r *reader) millis() time.Duration {
	ms := r.uvarint()
	if ms > math.MaxUint32 {
		r.fail("a duration above the limit")
	}
	return time.Duration(ms) * time.Millisecond
}

// Hello is the body of OpHello.
type Hello struct {
	Name    string
	Session [16]byte
}

// Append appends the body.
func (h *Hello) Append(to []byte) []byte {
	return append(appendText(to, h.Name), h.Session[:]...)
}

// ParseHello reads the body; what a later version put behind it is ignored. The
// error wraps ErrMalformed.
func ParseHello(data []byte) (Hello, error) {
	r := reader{data: data}
	h := Hello{Name: string(r.text(MaxName)), Session: r.array16()}
	return h, r.err
}

// MaxTopic is the most bytes of a query's topic.
const MaxTopic = 64

// Query is the body of OpQuery.
type Query struct {
	Topic string
	Body  []byte
}

// Append appends the body.
func (q *Query) Append(to []byte) []byte { return append(appendText(to, q.Topic), q.Body...) }

// ParseQuery reads the body. The error wraps ErrMalformed.
func ParseQuery(data []byte) (Query, error) {
	r := reader{data: data}
	q := Query{Topic: string(r.text(MaxTopic))}
	q.Body = r.data
	return q, r.err
}
