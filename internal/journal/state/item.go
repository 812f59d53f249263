package state

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
)

// Limits of an item, in bytes.
const (
	MaxID    = 256      // a token's id and a member's name are shorter
	MaxValue = 64 << 10 // a token for some hundreds of services
)

// maxTime bounds an item's time: far beyond any clock, and far from where the
// next time would not be greater any more.
const maxTime = 1 << 53

// Kind says what an item is. Kinds are open-ended: unknown ones are kept and
// passed on. 0 is no kind.
type Kind uint32

// Kinds known today. Their numbers are on the wire and on disk: none is ever
// changed or used again.
const (
	KindToken      Kind = 1
	KindMember     Kind = 2
	KindGeneration Kind = 3
)

// Key names an item everywhere and for ever.
type Key struct {
	Kind Kind
	ID   string
}

// Compare orders keys by kind, then id.
func (k Key) Compare(o Key) int {
	return cmp.Or(cmp.Compare(k.Kind, o.Kind), cmp.Compare(k.ID, o.ID))
}

// Item is one value, or the record that it was removed.
type Item struct {
	Key
	// Time orders the values of an item: the latest stands. It is when this one
	// was made, by its maker's clock, in milliseconds of Unix time, and later
	// than what its maker knew; see Next and Removal. It also says how long a
	// removal is remembered.
	Time    int64
	Removed bool
	Value   []byte // empty if removed
}

// Next returns the item with its next value, made at a time in milliseconds of
// Unix time. Times of an item never go back, whatever clocks do: a removal that
// were older than what it removes could be forgotten before it.
func (i Item) Next(now int64, value []byte) Item {
	return Item{Key: i.Key, Time: max(now, i.Time+1), Value: value}
}

// Removal returns the record that the item was removed.
func (i Item) Removal(now int64) Item {
	i = i.Next(now, nil)
	i.Removed = true
	return i
}

// ErrBadItem is wrapped by what Validate returns.
var ErrBadItem = errors.New("bad item of the replicated state")

// Validate returns an error that wraps ErrBadItem for an item that no node may
// keep or pass on.
func (i *Item) Validate() error {
	switch {
	case i.Kind == 0:
		return fmt.Errorf("%w: no kind", ErrBadItem)
	case i.ID == "":
		return fmt.Errorf("%w: no id", ErrBadItem)
	case len(i.ID) > MaxID:
		return fmt.Errorf("%w: an id of %d bytes; the limit is %d", ErrBadItem, len(i.ID), MaxID)
	case len(i.Value) > MaxValue:
		return fmt.Errorf("%w: a value of %d bytes; the limit is %d", ErrBadItem, len(i.Value), MaxValue)
	case i.Time <= 0 || i.Time > maxTime:
		return fmt.Errorf("%w: made at %d", ErrBadItem, i.Time)
	case i.Removed && len(i.Value) > 0:
		return fmt.Errorf("%w: removed, and yet with a value", ErrBadItem)
	}
	return nil
}

// compare orders what may stand under one key: a removal is greater than any
// value. It is a total order, so all nodes choose alike.
func (i *Item) compare(o *Item) int {
	if i.Removed != o.Removed {
		if i.Removed {
			return 1
		}
		return -1
	}
	return cmp.Or(
		cmp.Compare(i.Time, o.Time),
		bytes.Compare(i.Value, o.Value),
	)
}

// itemOverhead is what an item costs in memory besides its text.
const itemOverhead = 128

func (i *Item) size() int { return itemOverhead + len(i.ID) + len(i.Value) }
