package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"
)

// Limits of a Map.
const (
	// MaxItems is the most items, removals included: a thousand tokens and a
	// thousand members at a time, each replaced thirty times in the life of a
	// removal.
	MaxItems = 1 << 16
	// MaxBytes is the most bytes in memory: what a thousand tokens with the
	// largest value would take. It bounds what a peer can send.
	MaxBytes = 64 << 20
	// TombstoneLife is how long a removal is remembered: a node that was away
	// for longer than a year is set up anew by then. One that comes back
	// nevertheless does not bring back what was removed: see Map.Merge.
	TombstoneLife = 400 * 24 * time.Hour
)

// ErrFull is returned when a change would exceed MaxItems or MaxBytes. Nothing
// has changed then.
var ErrFull = errors.New("the replicated state is full; remove what is not used any more")

// Outcome is what became of an item that was offered to a Map.
type Outcome uint8

const (
	Changed     Outcome = iota + 1 // the item stands now
	Unchanged                      // what stood is as late or later, or a removal
	RefusedOld                     // not known, and of a time of which removals are forgotten
	RefusedFull                    // see ErrFull
)

func (o Outcome) String() string {
	switch o {
	case Changed:
		return "changed"
	case Unchanged:
		return "unchanged"
	case RefusedOld:
		return "refused: older than what is remembered"
	case RefusedFull:
		return "refused: full"
	}
	return "unknown"
}

// Map is the state. The zero Map is empty. It is not for more than one
// goroutine at a time; values in it are never changed.
type Map struct {
	items map[Key]Item
	// horizon is the time of the latest removal that was forgotten. An item of
	// then or earlier that is not here may have been removed.
	horizon int64
	bytes   int
}

// Len returns the number of items, removals included.
func (m *Map) Len() int { return len(m.items) }

// Horizon returns the time, in milliseconds of Unix time, up to which an
// unknown item is taken for a removed one.
func (m *Map) Horizon() int64 { return m.horizon }

// Get returns what stands under a key: a value, or a removal.
func (m *Map) Get(key Key) (Item, bool) {
	i, ok := m.items[key]
	return i, ok
}

// Live returns the items of a kind that have a value, in order of their ids.
func (m *Map) Live(kind Kind) []Item {
	var out []Item
	for key, i := range m.items {
		if key.Kind == kind && !i.Removed {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b Item) int { return a.Key.Compare(b.Key) })
	return out
}

// All returns all items, removals included, in the order of their keys.
func (m *Map) All() []Item {
	return slices.SortedFunc(maps.Values(m.items), func(a, b Item) int { return a.Key.Compare(b.Key) })
}

// Put offers one item, which must be valid. The Map keeps its value without
// copying it.
func (m *Map) Put(i Item) Outcome {
	old, known := m.items[i.Key]
	if known && i.compare(&old) <= 0 {
		return Unchanged
	}
	if !known && i.Time <= m.horizon {
		return RefusedOld
	}
	grow := i.size()
	if known {
		grow -= old.size()
	}
	// A removal must get in whatever the size: it takes less than what it
	// removes, or is bounded by MaxItems.
	if !known && len(m.items) >= MaxItems || m.bytes+grow > MaxBytes && !i.Removed {
		return RefusedFull
	}
	m.set(i)
	return Changed
}

func (m *Map) set(i Item) {
	if m.items == nil {
		m.items = make(map[Key]Item)
	}
	if old, ok := m.items[i.Key]; ok {
		m.bytes -= old.size()
	}
	m.bytes += i.size()
	m.items[i.Key] = i
}

func (m *Map) drop(key Key) {
	old := m.items[key]
	m.bytes -= old.size()
	delete(m.items, key)
}

// Merge takes over a whole other Map and returns what changed; an item that
// was dropped is returned as a removal. An item that only one side has stands
// if it is later than the other side's horizon: else the other side has
// forgotten that it was removed. This takes for granted that who forgets the
// removals of a time, TombstoneLife after it, has by then heard of all that was
// made until that time. On ErrFull nothing has changed.
func (m *Map) Merge(o *Map) ([]Item, error) {
	next := Map{items: make(map[Key]Item, len(m.items)), horizon: max(m.horizon, o.horizon)}
	var changed []Item
	for key, mine := range m.items {
		theirs, both := o.items[key]
		switch {
		case both && theirs.compare(&mine) > 0:
			next.set(theirs)
			changed = append(changed, theirs)
		case both || mine.Time > o.horizon:
			next.set(mine)
		case !mine.Removed:
			changed = append(changed, Item{Key: key, Time: mine.Time, Removed: true})
		}
	}
	for key, theirs := range o.items {
		if _, both := m.items[key]; !both && theirs.Time > m.horizon {
			next.set(theirs)
			changed = append(changed, theirs)
		}
	}
	if len(next.items) > MaxItems || next.bytes > MaxBytes {
		return nil, ErrFull
	}
	*m = next
	slices.SortFunc(changed, func(a, b Item) int { return a.Key.Compare(b.Key) })
	return changed, nil
}

// Trim forgets removals that are older than TombstoneLife.
func (m *Map) Trim(now int64) {
	last := now - TombstoneLife.Milliseconds()
	for key, i := range m.items {
		if i.Removed && i.Time <= last {
			m.drop(key)
			m.horizon = max(m.horizon, i.Time)
		}
	}
}

// Load makes an empty Map of items, which must be valid, and a horizon. The
// error is ErrFull.
func Load(items []Item, horizon int64) (*Map, error) {
	m := &Map{items: make(map[Key]Item, len(items)), horizon: horizon}
	for _, i := range items {
		m.set(i)
	}
	if len(m.items) > MaxItems || m.bytes > MaxBytes {
		return nil, ErrFull
	}
	return m, nil
}

// Clone returns a Map that changes independently.
func (m *Map) Clone() *Map {
	return &Map{items: maps.Clone(m.items), horizon: m.horizon, bytes: m.bytes}
}

// Digest returns a short name for the items. Nodes with equal digests need not
// exchange their state. The horizon is not in it: what it would change shows in
// the items.
func (m *Map) Digest() [16]byte {
	h := sha256.New()
	var b []byte
	for _, i := range m.All() {
		b = binary.AppendUvarint(b[:0], uint64(i.Kind))
		b = binary.AppendUvarint(b, uint64(len(i.ID)))
		b = append(b, i.ID...)
		b = binary.AppendVarint(b, i.Time)
		if i.Removed {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = binary.AppendUvarint(b, uint64(len(i.Value)))
		b = append(b, i.Value...)
		h.Write(b)
	}
	var d [16]byte
	copy(d[:], h.Sum(nil))
	return d
}

// Restore puts an item back that was read from disk, whatever the horizon.
func (m *Map) Restore(i Item) {
	if old, ok := m.items[i.Key]; !ok || i.compare(&old) > 0 {
		m.set(i)
	}
}

// Forgotten raises the horizon: removals up to a time have been forgotten.
func (m *Map) Forgotten(horizon int64) { m.horizon = max(m.horizon, horizon) }
