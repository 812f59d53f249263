package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/rescind-edge/rescind/internal/journal"
)

// Flags of an entry.
const (
	flagIncarnation = 1 << iota // its incarnation follows; else it is that of the entry before
	flagSame                    // Same follows
	flagBy                      // By follows, and no body
	flagExtra                   // Extra follows
	flagsKnown      = flagIncarnation | flagSame | flagBy | flagExtra
)

// appendEntry appends an entry, relative to the one before it.
func appendEntry(to []byte, e, before *journal.Entry) []byte {
	flags := byte(0)
	if e.Incarnation != before.Incarnation {
		flags |= flagIncarnation
	}
	if e.Same != 0 {
		flags |= flagSame
	}
	if e.By != 0 {
		flags |= flagBy
	}
	if len(e.Extra) > 0 {
		flags |= flagExtra
	}
	to = append(to, flags)
	if flags&flagIncarnation != 0 {
		to = append(to, e.Incarnation[:]...)
	}
	to = binary.AppendVarint(to, int64(e.Seq-before.Seq-1))
	to = binary.AppendUvarint(to, uint64(e.Kind))
	to = binary.AppendVarint(to, e.Time-before.Time)
	if e.Same != 0 {
		to = binary.BigEndian.AppendUint64(to, e.Same)
	}
	if e.By != 0 {
		to = binary.AppendUvarint(to, e.By-e.Seq)
	} else {
		to = appendText(to, e.Body)
	}
	if len(e.Extra) > 0 {
		to = appendText(to, e.Extra)
	}
	return to
}

// entry takes an entry. Its texts alias the message.
func (r *reader) entry(before *journal.Entry) journal.Entry {
	flags := r.byte()
	if flags&^flagsKnown != 0 {
		r.fail(fmt.Errorf("wire: entry %w: flags %#x", ErrVersion, flags))
	}
	e := journal.Entry{ID: journal.ID{Incarnation: before.Incarnation}}
	if flags&flagIncarnation != 0 {
		copy(e.Incarnation[:], r.bytes(uint64(len(e.Incarnation))))
		if e.Incarnation == before.Incarnation {
			r.fail(malformed("an incarnation repeated"))
		}
	}
	e.Seq = before.Seq + 1 + uint64(r.varint())
	kind := r.uvarint()
	if e.Kind = journal.Kind(kind); uint64(e.Kind) != kind {
		r.fail(malformed("a kind above the limit"))
	}
	e.Time = before.Time + r.varint()
	if flags&flagSame != 0 {
		if same := r.bytes(8); same != nil {
			e.Same = binary.BigEndian.Uint64(same)
		}
		if e.Same == 0 {
			r.fail(malformed("an empty field"))
		}
	}
	if flags&flagBy != 0 {
		later := r.uvarint()
		if e.By = e.Seq + later; later == 0 || e.By < e.Seq {
			r.fail(malformed("an entry covered by none"))
		}
	} else {
		e.Body = r.text(journal.MaxBody)
	}
	if flags&flagExtra != 0 {
		if e.Extra = r.text(journal.MaxExtra); len(e.Extra) == 0 {
			r.fail(malformed("an empty field"))
		}
	}
	if r.err == nil {
		if err := e.Validate(); err != nil {
			r.fail(fmt.Errorf("wire: %w: %w", ErrMalformed, err))
		}
	}
	return e
}

// AppendEntry appends one entry by itself, without a version: for a place that
// has one of its own.
func AppendEntry(to []byte, e *journal.Entry) []byte {
	return appendEntry(to, e, &journal.Entry{})
}

// ParseEntry reads what AppendEntry wrote, and nothing behind it. The entry's
// Body and Extra alias data. The error wraps ErrMalformed or ErrVersion.
func ParseEntry(data []byte) (journal.Entry, error) {
	r := reader{data: data}
	e := r.entry(&journal.Entry{})
	return e, r.end()
}

// AppendBatch appends a message of entries: at most journal.MaxBatch, and no
// more than keep it within limit bytes, but always one. It returns how many it
// took. Entries of one incarnation next to each other take the least space.
func AppendBatch(to []byte, entries []journal.Entry, limit int) (message []byte, taken int) {
	start := len(to)
	to = append(to, Version)
	var before journal.Entry
	for i := range entries {
		n := len(to)
		to = appendEntry(to, &entries[i], &before)
		if taken > 0 && len(to)-start > limit || taken == journal.MaxBatch {
			return to[:n], taken
		}
		before = entries[i]
		taken++
	}
	return to, taken
}

// ParseBatch reads a message that AppendBatch wrote. The entries' Body and Extra
// alias data. The error wraps ErrMalformed or ErrVersion.
func ParseBatch(data []byte) ([]journal.Entry, error) {
	// Ordinary entries take some 70 bytes; a guess of twice as many does not grow
	// the slice, and one from a peer could not be trusted.
	return ParseBatchInto(make([]journal.Entry, 0, min(len(data)/35+1, journal.MaxBatch)), data)
}

// ParseBatchInto is ParseBatch for who reads many messages: it appends the
// entries to those of to, and after an error returns to as it was.
func ParseBatchInto(to []journal.Entry, data []byte) ([]journal.Entry, error) {
	r := reader{data: data}
	r.version()
	entries := to
	var before journal.Entry
	for r.err == nil && len(r.data) > 0 {
		if len(entries)-len(to) == journal.MaxBatch {
			r.fail(malformed("more entries than the limit"))
			break
		}
		e := r.entry(&before)
		entries = append(entries, e)
		before = e
	}
	if err := r.end(); err != nil {
		return to, err
	}
	return entries, nil
}
