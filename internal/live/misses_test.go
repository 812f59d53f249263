package live

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

func randomKey() (k field.Key) {
	rand.Read(k[:])
	return k
}

func TestLastMiss(t *testing.T) {
	m, key := NewMisses(0), randomKey()
	if _, ok := m.Last(key); ok {
		t.Error("an empty table knows a miss")
	}
	first := Miss{Time: noon, Outcome: event.OutcomeMiss, Reason: "purged", Status: 200, Purge: "01HZ"}
	m.Note(key, first)
	if got, ok := m.Last(key); !ok || got != first {
		t.Errorf("the last miss is %+v, %v", got, ok)
	}
	later := Miss{Time: noon.Add(time.Second), Outcome: event.OutcomePass, Reason: "method", Status: 404}
	m.Note(key, later)
	m.Note(key, first) // by a goroutine that was late
	m.Note(key, Miss{})
	if got, ok := m.Last(key); !ok || got != later {
		t.Errorf("the last miss is %+v, %v", got, ok)
	}
	if _, ok := m.Last(field.Key{}); ok {
		t.Error("the zero key has a miss")
	}
	m.Note(field.Key{}, first)
	if got, ok := m.Last(field.Key{}); !ok || got != first {
		t.Errorf("the last miss of the zero key is %+v, %v", got, ok)
	}
}

// TestOldestMissGivesWay fills one set of slots, and more.
func TestOldestMissGivesWay(t *testing.T) {
	m := NewMisses(1)
	keys := make([]field.Key, ways+2)
	for i := range keys {
		binary.BigEndian.PutUint64(keys[i][8:], uint64(i+1))
		m.Note(keys[i], Miss{Time: noon.Add(time.Duration(i) * time.Second)})
	}
	for i, key := range keys {
		if _, ok := m.Last(key); ok != (i >= 2) {
			t.Errorf("miss %d of %d is known: %v", i+1, len(keys), ok)
		}
	}
}

// TestMissesStayLongEnough writes half as many keys as there is room for: a
// table that spread them badly would have lost many.
func TestMissesStayLongEnough(t *testing.T) {
	m := NewMisses(0)
	keys := make([]field.Key, DefaultMisses/2)
	for i := range keys {
		keys[i] = randomKey()
		m.Note(keys[i], Miss{Time: noon.Add(time.Duration(i))})
	}
	lost := 0
	for _, key := range keys {
		if _, ok := m.Last(key); !ok {
			lost++
		}
	}
	if lost > len(keys)/10 {
		t.Errorf("%d of %d are lost", lost, len(keys))
	}
}

func TestConcurrentMisses(t *testing.T) {
	m := NewMisses(8)
	keys := make([]field.Key, 16)
	for i := range keys {
		keys[i] = randomKey()
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2000 {
				key := keys[i%len(keys)]
				m.Note(key, Miss{Time: noon.Add(time.Duration(i)), Status: i % len(keys), Reason: fmt.Sprint(i % len(keys))})
				if miss, ok := m.Last(key); ok && (miss.Status != i%len(keys) || miss.Reason != fmt.Sprint(miss.Status)) {
					t.Errorf("key %d has the miss of %d", i%len(keys), miss.Status)
				}
			}
		})
	}
	all.Wait()
}

func TestMissesDoNotAllocate(t *testing.T) {
	m, key := NewMisses(0), randomKey()
	miss := Miss{Time: noon, Outcome: event.OutcomeMiss, Reason: "uri"}
	if n := testing.AllocsPerRun(100, func() { m.Note(key, miss); m.Last(key) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
