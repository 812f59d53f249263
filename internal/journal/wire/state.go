package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/rescind-edge/rescind/internal/journal/state"
)

// Flags of an item.
const (
	flagRemoved     = 1
	itemFlagsKnown  = flagRemoved
	minItem         = 5 // flags, kind, id of one byte, time
	maxItemsAtATime = state.MaxItems
)

// AppendItem appends one item by itself, without a version: for a place that
// has one of its own.
func AppendItem(to []byte, i *state.Item) []byte {
	flags := byte(0)
	if i.Removed {
		flags |= flagRemoved
	}
	to = append(to, flags)
	to = binary.AppendUvarint(to, uint64(i.Kind))
	to = binary.AppendUvarint(to, uint64(len(i.ID)))
	to = append(to, i.ID...)
	to = binary.AppendVarint(to, i.Time)
	if !i.Removed {
		to = appendText(to, i.Value)
	}
	return to
}

func (r *reader) item() state.Item {
	flags := r.byte()
	if flags&^itemFlagsKnown != 0 {
		r.fail(fmt.Errorf("wire: item %w: flags %#x", ErrVersion, flags))
	}
	kind := r.uvarint()
	i := state.Item{Key: state.Key{Kind: state.Kind(kind), ID: string(r.text(state.MaxID))}}
	if uint64(i.Kind) != kind {
		r.fail(malformed("a kind above the limit"))
	}
	i.Time, i.Removed = r.varint(), flags&flagRemoved != 0
	if !i.Removed {
		i.Value = bytes.Clone(r.text(state.MaxValue))
	}
	if r.err == nil {
		if err := i.Validate(); err != nil {
			r.fail(fmt.Errorf("wire: %w: %w", ErrMalformed, err))
		}
	}
	return i
}

// ParseItem reads what AppendItem wrote, and nothing behind it. The item
// shares no memory with data. The error wraps ErrMalformed or ErrVersion.
func ParseItem(data []byte) (state.Item, error) {
	r := reader{data: data}
	i := r.item()
	return i, r.end()
}

// AppendState appends a message of a whole state.
func AppendState(to []byte, m *state.Map) []byte {
	to = append(to, Version)
	to = binary.AppendVarint(to, m.Horizon())
	all := m.All()
	to = binary.AppendUvarint(to, uint64(len(all)))
	for i := range all {
		to = AppendItem(to, &all[i])
	}
	return to
}

// ParseState reads a message that AppendState wrote. The result shares no
// memory with data. The error wraps ErrMalformed or ErrVersion, or is state.ErrFull.
func ParseState(data []byte) (*state.Map, error) {
	r := reader{data: data}
	r.version()
	horizon := r.varint()
	items := make([]state.Item, 0, r.count(maxItemsAtATime, minItem))
	for range cap(items) {
		i := r.item()
		if n := len(items); r.err == nil && n > 0 && i.Key.Compare(items[n-1].Key) <= 0 {
			r.fail(malformed("items out of order"))
		}
		if r.err != nil {
			break
		}
		items = append(items, i)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return state.Load(items, horizon)
}
