package wire

import (
	"encoding/binary"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
)

// Probe asks a member whether it knows the same as the sender.
type Probe struct {
	Nonce  uint64 // repeated in the reply
	Vector journal.Digest
	State  [16]byte
}

// AppendProbe appends a probe frame.
func AppendProbe(to []byte, p *Probe) []byte {
	body := binary.BigEndian.AppendUint64(make([]byte, 0, 40), p.Nonce)
	body = append(body, p.Vector[:]...)
	return AppendFrame(to, TypeProbe, append(body, p.State[:]...))
}

// ParseProbe reads the body of a probe frame. The error wraps ErrMalformed.
func ParseProbe(body []byte) (Probe, error) {
	r := reader{data: body}
	p := Probe{Nonce: r.uint64(), Vector: r.array16(), State: r.array16()}
	return p, r.end()
}

// Beat is a heartbeat as it was passed on: a member, and how long ago at most it
// was alive and knew nothing that the sender of this has not applied.
type Beat struct {
	Member ID
	Age    time.Duration // milliseconds on the wire
}

// MaxBeats is the most heartbeats in one message: four times the members that a
// cluster is made for.
const MaxBeats = 4096

const minBeat = 9

// appendBeats appends as many of some heartbeats as fit into limit bytes.
func appendBeats(to []byte, beats []Beat, limit int) []byte {
	beats = beats[:min(len(beats), MaxBeats)]
	var body []byte
	n := 0
	for _, b := range beats {
		next := binary.BigEndian.AppendUint64(body, uint64(b.Member))
		next = binary.AppendUvarint(next, uint64(max(0, (b.Age+time.Millisecond-1).Milliseconds())))
		if len(next)+binary.MaxVarintLen32 > limit {
			break
		}
		body, n = next, n+1
	}
	to = binary.AppendUvarint(to, uint64(n))
	return append(to, body...)
}

func (r *reader) beats() []Beat {
	beats := make([]Beat, 0, r.count(MaxBeats, minBeat))
	for range cap(beats) {
		b := Beat{Member: ID(r.uint64())}
		ms := r.uvarint()
		if ms > maxAge {
			r.fail("an age above the limit")
		}
		b.Age = time.Duration(ms) * time.Millisecond
		beats = append(beats, b)
	}
	return beats
}

// maxAge is the greatest age of a heartbeat, in milliseconds: a hundred days.
// Older ones are not sent.
const maxAge = 100 * 24 * 3600 * 1000

// MaxAge is maxAge as a duration.
const MaxAge = maxAge * time.Millisecond

// ProbeReply answers a probe.
type ProbeReply struct {
	Nonce      uint64
	SameVector bool
	SameState  bool
	Beats      []Beat
}

// AppendProbeReply appends a reply frame with as many heartbeats as fit into
// limit bytes.
func AppendProbeReply(to []byte, p *ProbeReply, limit int) []byte {
	body := binary.BigEndian.AppendUint64(nil, p.Nonce)
	flags := byte(0)
	if p.SameVector {
		flags |= 1
	}
	if p.SameState {
		flags |= 2
	}
	body = append(body, flags)
	return AppendFrame(to, TypeProbeReply, appendBeats(body, p.Beats, limit-FrameOverhead-len(body)))
}

// ParseProbeReply reads the body of a reply frame. The error wraps ErrMalformed.
func ParseProbeReply(body []byte) (ProbeReply, error) {
	r := reader{data: body}
	p := ProbeReply{Nonce: r.uint64()}
	flags := r.byte()
	p.SameVector, p.SameState = flags&1 != 0, flags&2 != 0
	p.Beats = r.beats()
	return p, r.end()
}
