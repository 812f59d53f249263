package wire

import (
	"encoding/binary"
	"math"

	"github.com/rescind-edge/rescind/internal/journal"
)

// MaxIssuers is the most incarnations whose acknowledgements are asked for at a
// time: those of a member's last starts.
const MaxIssuers = 16

// Sync is the body of OpSync: what the sender knows, and the incarnations it
// issued with, whose acknowledgements it would like to have.
type Sync struct {
	Issuers []journal.Incarnation
	Digests []byte // journal/wire
}

// Append appends the body.
func (s *Sync) Append(to []byte) []byte {
	return append(appendIssuers(to, s.Issuers), s.Digests...)
}

// ParseSync reads the body. Digests alias it. The error wraps ErrMalformed.
func ParseSync(data []byte) (Sync, error) {
	r := reader{data: data}
	s := Sync{Issuers: r.issuers()}
	s.Digests = r.data
	return s, r.err
}

func appendIssuers(to []byte, issuers []journal.Incarnation) []byte {
	issuers = issuers[:min(len(issuers), MaxIssuers)]
	to = append(to, byte(len(issuers)))
	for _, inc := range issuers {
		to = append(to, inc[:]...)
	}
	return to
}

func (r *reader) issuers() []journal.Incarnation {
	n := int(r.byte())
	if n > MaxIssuers {
		r.fail("more issuers than the limit")
		n = 0
	}
	var issuers []journal.Incarnation
	for range n {
		issuers = append(issuers, r.incarnation())
	}
	return issuers
}

// SyncReply answers OpSync: the rows of the parts that differ, acknowledgements
// of the asker's entries, heartbeats.
type SyncReply struct {
	Parts   journal.BucketSet
	State   [16]byte              // digest
	Issuers []journal.Incarnation // of the one who answers
	Acks    []byte                // body of an ack frame
	Beats   []Beat
	Vector  []byte // journal/wire
}

// Append appends the body.
func (s *SyncReply) Append(to []byte) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(s.Parts))
	to = append(to, s.State[:]...)
	to = appendIssuers(to, s.Issuers)
	to = appendText(to, s.Acks)
	to = appendBeats(to, s.Beats, math.MaxInt)
	return append(to, s.Vector...)
}

// ParseSyncReply reads the body. Acks and Vector alias it. The error wraps
// ErrMalformed.
func ParseSyncReply(data []byte) (SyncReply, error) {
	r := reader{data: data}
	s := SyncReply{Parts: journal.BucketSet(r.uint64()), State: r.array16()}
	s.Issuers = r.issuers()
	s.Acks = r.text(MaxIssuers * MaxAckSize)
	s.Beats = r.beats()
	s.Vector = r.data
	return s, r.err
}
