package live

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// DefaultMisses is how many keys a Misses remembers: enough for whoever asks
// about a page minutes after it missed, in less than 2 MiB.
const DefaultMisses = 16384

// ways is how many keys share a set: the least that lets a key stay for about
// as long as the size of the table suggests.
const ways = 4

// Miss is a request that was not answered from the store.
type Miss struct {
	Time    time.Time
	Outcome event.Outcome // not event.OutcomeHit
	Reason  string        // a word of a fixed set: it is kept as it is
	Status  int           // what the client was told
	Purge   string        // id of the purge that withdrew what was stored; may be empty
}

// Misses remembers the last miss of each of many keys. It forgets the oldest
// first, roughly. Its methods may be called from many goroutines at once; they
// do not allocate, and lock a few slots.
type Misses struct {
	sets []set
}

// set is the slots of one key's neighbours. Keys are keyed hashes, so nobody
// can aim at a set.
type set struct {
	mu struct {
		sync.Mutex
		slots [ways]slot
	}
}

// slot is free where its miss has no time.
type slot struct {
	key  field.Key
	miss Miss
}

// NewMisses returns an empty Misses for about as many keys; 0 means
// DefaultMisses. The number is rounded up to a power of two.
func NewMisses(keys int) *Misses {
	if keys <= 0 {
		keys = DefaultMisses
	}
	n := 1
	for n*ways < keys {
		n *= 2
	}
	return &Misses{sets: make([]set, n)}
}

// Note remembers a miss, unless one that is later is known. One without a time
// is not remembered.
func (m *Misses) Note(key field.Key, miss Miss) {
	if miss.Time.IsZero() {
		return
	}
	s := m.set(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	place := &s.mu.slots[0]
	for i := range s.mu.slots {
		slot := &s.mu.slots[i]
		if slot.key == key && !slot.miss.Time.IsZero() {
			if !miss.Time.Before(slot.miss.Time) {
				slot.miss = miss
			}
			return
		}
		if slot.miss.Time.Before(place.miss.Time) { // the zero time is before all
			place = slot
		}
	}
	*place = slot{key, miss}
}

// Last returns the last miss of a key, if it is still known.
func (m *Misses) Last(key field.Key) (miss Miss, ok bool) {
	s := m.set(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.mu.slots {
		if slot := &s.mu.slots[i]; slot.key == key && !slot.miss.Time.IsZero() {
			return slot.miss, true
		}
	}
	return Miss{}, false
}

func (m *Misses) set(key field.Key) *set {
	return &m.sets[binary.LittleEndian.Uint64(key[:])&uint64(len(m.sets)-1)]
}
