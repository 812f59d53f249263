package durable

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/wire"
)

// recordType says what a record is. Their numbers are on disk: none is ever
// changed or used again.
type recordType byte

const (
	recSegment  recordType = 1  // first of a segment: the length of the one before
	recEntry    recordType = 2  // position, time of arrival, entry
	recRows     recordType = 3  // rows of a vector, joined to what is known
	recGap      recordType = 4  // position: what was stored before it was dropped
	recItem     recordType = 5  // an item of the state
	recState    recordType = 6  // the state's horizon, and whether it is complete
	recCeiling  recordType = 7  // end of the reserved positions
	recNode     recordType = 8  // the node's identity
	recFirst    recordType = 9  // first segment that is needed
	recSnapshot recordType = 10 // a part of the caller's snapshot
	recApplied  recordType = 11 // position up to which the snapshot has everything
	recEnd      recordType = 12 // last of a checkpoint: the number of records before it
)

// appendRecord appends one record of a payload.
func appendRecord(to []byte, t recordType, data []byte) []byte {
	to = append(to, byte(t))
	to = binary.AppendUvarint(to, uint64(len(data)))
	return append(to, data...)
}

func appendNumber(to []byte, t recordType, n uint64) []byte {
	var b [binary.MaxVarintLen64]byte
	return appendRecord(to, t, binary.AppendUvarint(b[:0], n))
}

// appendEntry appends a record of an entry; scratch is memory for its data, which
// is returned for the next.
func appendEntry(to, scratch []byte, pos field.Position, arrived int64, e *journal.Entry) (record, used []byte) {
	data := binary.AppendUvarint(scratch[:0], uint64(pos))
	data = binary.AppendVarint(data, arrived)
	data = wire.AppendEntry(data, e)
	return appendRecord(to, recEntry, data), data
}

func appendItem(to []byte, i *state.Item) []byte {
	return appendRecord(to, recItem, wire.AppendItem(nil, i))
}

func appendState(to []byte, horizon int64, complete bool) []byte {
	b := binary.AppendVarint(nil, horizon)
	if complete {
		return appendRecord(to, recState, append(b, 1))
	}
	return appendRecord(to, recState, append(b, 0))
}

// rowsAtATime keeps a record of rows far below maxFrame whatever they hold.
const rowsAtATime = 256

// rowRecords calls add with the records of a vector.
func rowRecords(v journal.Vector, add func(recordType, []byte)) {
	incs := v.Incarnations()
	for len(incs) > 0 {
		n := min(len(incs), rowsAtATime)
		part := make(journal.Vector, n)
		for _, inc := range incs[:n] {
			part[inc] = v[inc]
		}
		add(recRows, wire.AppendVector(nil, part))
		incs = incs[n:]
	}
}

// record is one that was read. Its data aliases the file's content.
type record struct {
	kind recordType
	data []byte
}

var errRecord = errors.New("a record that no version writes")

// eachRecord calls do with the records of a payload.
func eachRecord(payload []byte, do func(record) error) error {
	for len(payload) > 0 {
		t := recordType(payload[0])
		length, n := binary.Uvarint(payload[1:])
		if n <= 0 || length > uint64(len(payload)-1-n) {
			return errRecord
		}
		end := 1 + n + int(length)
		if err := do(record{t, payload[1+n : end]}); err != nil {
			return err
		}
		payload = payload[end:]
	}
	return nil
}

// number reads what appendNumber wrote.
func (r record) number() (uint64, error) {
	v, n := binary.Uvarint(r.data)
	if n != len(r.data) || n <= 0 {
		return 0, errRecord
	}
	return v, nil
}

// entry reads what appendEntry wrote.
func (r record) entry() (pos field.Position, arrived int64, e journal.Entry, err error) {
	p, n := binary.Uvarint(r.data)
	if n <= 0 {
		return 0, 0, e, errRecord
	}
	arrived, m := binary.Varint(r.data[n:])
	if m <= 0 {
		return 0, 0, e, errRecord
	}
	e, err = wire.ParseEntry(r.data[n+m:])
	return field.Position(p), arrived, e, err
}

// state reads what appendState wrote.
func (r record) state() (horizon int64, complete bool, err error) {
	horizon, n := binary.Varint(r.data)
	if n <= 0 || n+1 != len(r.data) || r.data[n] > 1 {
		return 0, false, errRecord
	}
	return horizon, r.data[n] == 1, nil
}

// unknown is the error for a record of a type that this version does not know.
func (r record) unknown() error {
	return fmt.Errorf("%w: record type %d; run that version, or one that is newer", ErrVersion, r.kind)
}
