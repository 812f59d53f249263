package wire

import (
	"encoding/binary"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
)

// MaxRuns is the most runs of entries in a frame of times: two for each millisecond
// between two acknowledgements, and some more. They take some 400 bytes.
const MaxRuns = 64

// Run says when some entries, First to Last, came into force on a member: Delay
// before the instant from which the Held of its acknowledgement counts, which is
// when they were durable. Microseconds on the wire.
type Run struct {
	First, Last uint64
	Delay       time.Duration
}

// Times go before an acknowledgement in its packet: what it says of entries that are
// durable, they say of when these came into force, which was earlier by as much as
// they waited for a sync. Who does not know them loses nothing else.
type Times struct {
	Receiver    ID
	Incarnation journal.Incarnation
	Runs        []Run
}

// AppendTimes appends a frame of times; of more than MaxRuns, the last ones.
func AppendTimes(to []byte, t *Times) []byte {
	runs := t.Runs[max(0, len(t.Runs)-MaxRuns):]
	body := binary.BigEndian.AppendUint64(make([]byte, 0, 32+6*len(runs)), uint64(t.Receiver))
	body = append(body, t.Incarnation[:]...)
	body = binary.AppendUvarint(body, uint64(len(runs)))
	last := uint64(0)
	for _, r := range runs {
		body = binary.AppendVarint(body, int64(r.First-last))
		body = binary.AppendUvarint(body, r.Last-r.First)
		body = appendMicros(body, r.Delay)
		last = r.Last
	}
	return AppendFrame(to, TypeTimes, body)
}

// ParseTimes reads the body of a frame of times. The error wraps ErrMalformed.
func ParseTimes(body []byte) (Times, error) {
	r := reader{data: body}
	t := Times{Receiver: ID(r.uint64()), Incarnation: r.incarnation()}
	n := r.count(MaxRuns, 3)
	last := uint64(0)
	for range n {
		run := Run{First: last + uint64(r.varint())}
		run.Last = run.First + r.uvarint()
		run.Delay = r.micros()
		if run.Last < run.First {
			r.fail("a run that ends before it begins")
		}
		last = run.Last
		t.Runs = append(t.Runs, run)
	}
	return t, r.end()
}
