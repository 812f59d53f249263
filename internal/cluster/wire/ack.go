package wire

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
)

// MaxAckSpans is the most spans above the head in an acknowledgement: enough to
// keep what arrived after a few losses from being sent again. A row with more
// loses the last ones, which says less and nothing wrong.
const MaxAckSpans = 6

// MaxAckSize is the most bytes of one acknowledgement.
const MaxAckSize = 8 + 16 + (3+2*MaxAckSpans)*binary.MaxVarintLen64

// Ack says what a member has applied and made durable of one incarnation.
type Ack struct {
	Receiver    ID
	Incarnation journal.Incarnation
	Head        uint64
	Above       journal.Spans
	// Held is how long ago, when the packet was sent, the receiver had applied
	// the newest entry that this speaks of. Microseconds on the wire, at most
	// about an hour.
	Held time.Duration
	// Delay is how long it took from when that entry was in force until it was
	// durable.
	Delay time.Duration
	// Runs say when entries came into force, as far as that is known: see Times, in
	// which they go.
	Runs []Run
}

// AppendAck appends the body of one acknowledgement to the body of an ack frame.
func AppendAck(to []byte, a *Ack) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(a.Receiver))
	to = append(to, a.Incarnation[:]...)
	to = binary.AppendUvarint(to, a.Head)
	spans := a.Above[:min(len(a.Above), MaxAckSpans)]
	to = binary.AppendUvarint(to, uint64(len(spans)))
	last := a.Head
	for _, s := range spans {
		to = binary.AppendUvarint(to, s.First-last)
		to = binary.AppendUvarint(to, s.Last-s.First)
		last = s.Last
	}
	to = appendMicros(to, a.Held)
	return appendMicros(to, a.Delay)
}

func appendMicros(to []byte, d time.Duration) []byte {
	return binary.AppendUvarint(to, uint64(min(max(0, d.Microseconds()), math.MaxUint32)))
}

func (r *reader) micros() time.Duration {
	us := r.uvarint()
	if us > math.MaxUint32 {
		r.fail("a duration above the limit")
	}
	return time.Duration(us) * time.Microsecond
}

// ParseAcks reads the body of an ack frame. The error wraps ErrMalformed.
func ParseAcks(body []byte) ([]Ack, error) {
	r := reader{data: body}
	var acks []Ack
	for r.err == nil && len(r.data) > 0 {
		acks = append(acks, r.ack())
	}
	if r.err != nil {
		return nil, r.err
	}
	return acks, nil
}

func (r *reader) ack() Ack {
	a := Ack{Receiver: ID(r.uint64()), Incarnation: r.incarnation(), Head: r.uvarint()}
	n := r.count(MaxAckSpans, 2)
	last := a.Head
	for range n {
		first := last + r.uvarint()
		end := first + r.uvarint()
		if first < last+2 || end < first {
			r.fail("spans out of order")
			break
		}
		a.Above = append(a.Above, journal.Span{First: first, Last: end})
		last = end
	}
	a.Held, a.Delay = r.micros(), r.micros()
	if r.err == nil && a.Incarnation.IsZero() {
		r.fail("an acknowledgement of nothing")
	}
	return a
}
