package purge

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// TestAppliedMeansVisible holds promise 1 against readers that never stop:
// whatever position a reader has seen published, it sees every mark of the
// purges up to there, of batches as of single ones.
func TestAppliedMeansVisible(t *testing.T) {
	const keys, rounds = 256, 100
	e := NewEngine(Config{})
	s := e.Service("shop")
	var stop atomic.Bool
	var readers sync.WaitGroup
	for reader := range 2 {
		readers.Go(func() {
			for i := reader; !stop.Load(); i++ {
				// Whatever is published is stamped one less than it takes.
				published := s.Position()
				if published == 0 {
					continue
				}
				tag := spread(i % keys)
				if v := s.Judge(Tags{tag}, published-1, field.Times{}); v.State != Withdrawn || v.UpTo < published {
					t.Errorf("position %d is published, but key %d is %v", published, i%keys, v.State)
					return
				}
			}
		})
	}
	tags := spreadTags(0, keys)
	for range rounds {
		e.Apply(1, Purge{ID: NewID(1), Service: "shop", Tags: tags})
	}
	stop.Store(true)
	readers.Wait()
}

// TestLiveIsRememberedSafely is a store in small: objects remember the
// position up to which they were found live, and are judged again only past
// it. Nobody may use one whose purge had returned before.
func TestLiveIsRememberedSafely(t *testing.T) {
	const objects = 64
	e := NewEngine(Config{})
	s := e.Service("shop")
	var purged [objects]atomic.Bool
	var checked [objects]atomic.Uint64
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for i := 0; !stop.Load(); i = (i + 1) % objects {
				gone := purged[i].Load()
				live := checked[i].Load() >= uint64(s.Position())
				if !live {
					v := s.Judge(Tags{spread(i), spread(i + objects)}, 0, field.Times{})
					if live = v.State == Live; live && uint64(v.UpTo) > checked[i].Load() {
						checked[i].Store(uint64(v.UpTo))
					}
				}
				if gone && live {
					t.Errorf("object %d is used after its purge", i)
					return
				}
			}
		})
	}
	for i := range objects {
		for range 100 { // elsewhere in the service
			e.Apply(1, Purge{ID: NewID(1), Service: "shop", Tags: spreadTags(1000, 3)})
		}
		e.Apply(1, Purge{ID: NewID(1), Service: "shop", Tags: Tags{spread(i + i%2*objects)}})
		purged[i].Store(true)
	}
	stop.Store(true)
	readers.Wait()
}

// TestEverythingAtOnce runs purges, reverts, sweeps, leases, look-ups and
// statistics against each other for the race detector, and checks that the
// books balance at the end.
func TestEverythingAtOnce(t *testing.T) {
	e := NewEngine(Config{UndoWindow: 50, MarkBytes: 100_000, Predicates: 20})
	missing, err := ParseBan("obj.status == 404")
	bans := []*Predicate{compiled(t, missing, err), compiled(t, missing, err)}
	object := page("https://h/a", 404)
	services := []string{"shop", "news", "blog"}
	var clock atomic.Int64
	var stop atomic.Bool
	var others, purgers sync.WaitGroup
	for p := range 2 {
		purgers.Go(func() {
			for i := range 3000 {
				id := NewID(1)
				now := clock.Add(1)
				purge := Purge{ID: id, Service: services[i%3], Tags: spreadTags(i%500, 1+i%5), Effect: Effect{Mode: Mode(i % 2)}}
				if i%5 == 0 {
					purge.Predicates = bans
				}
				e.Apply(now, purge)
				if i%7 == p {
					e.Revert(now, id)
				}
			}
		})
	}
	others.Go(func() {
		for i := 0; !stop.Load(); i++ {
			s := e.Service(services[i%3])
			lease := s.Begin()
			s.Judge(spreadTags(i%500, 13), lease.Stamp()/2, field.Times{})
			s.Concerned(spreadTags(i%500, 3), lease.Stamp()/2, lease.Stamp())
			s.Settle(spreadTags(i%500, 3), 0, field.Times{}, clock.Load())
			s.Settle(object, lease.Stamp()/2, field.Times{}, clock.Load())
			s.Judge(object, lease.Stamp()/2, field.Times{})
			e.Room(clock.Load(), services[i%3], bans)
			lease.End()
		}
	})
	others.Go(func() {
		for !stop.Load() {
			e.EndSweep(e.BeginSweep(clock.Load()))
			e.Stats()
		}
	})
	purgers.Wait()
	stop.Store(true)
	others.Wait()
	st := e.Stats()
	if st.Applied != 6000 || st.Position != 6000 {
		t.Errorf("%+v", st)
	}
	e.EndSweep(e.BeginSweep(clock.Load() + 100))
	if st = e.Stats(); st.Marks != 0 || st.Predicates != 0 || st.Bytes != 0 || len(e.Service("s").records) != 0 || len(e.mu.byID) != 0 {
		t.Errorf("left behind: %+v, %d records", st, len(e.Service("s").records))
	}
	for _, id := range services {
		if fold := e.Service(id).folded.Load(); fold != nil {
			for i := range fold {
				if fold[i].Load() != 0 {
					t.Fatalf("slot %d of %s is still folded", i, id)
				}
			}
		}
	}
}

// TestLookupsWaitForNobody holds that no look-up takes a lock: it returns
// while another goroutine holds the engine's and the service's.
func TestLookupsWaitForNobody(t *testing.T) {
	e := NewEngine(Config{})
	s := e.Service("shop")
	missing, err := ParseBan("obj.status == 404")
	e.Apply(1, Purge{ID: NewID(1), Service: "shop", Tags: Tags{1}, Predicates: []*Predicate{compiled(t, missing, err)}})
	object := page("https://h/a", 404)
	e.mu.Lock()
	defer e.mu.Unlock()
	s.leases.Lock()
	defer s.leases.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Service("shop").Judge(Tags{1, 2}, 0, field.Times{})
		s.Concerned(Tags{1}, 0, 1)
		s.Settle(Tags{1}, 0, field.Times{}, 1)
		s.Touched(Tags{1}, 0, ID{})
		s.Judge(object, 0, field.Times{})
		s.Concerned(object, 0, 1)
		s.JudgeRenewed(object, object, 0, field.Times{})
	}()
	select {
	case <-done:
	case <-time.After(time.Minute): // with a lock, it would wait for ever
		t.Error("a look-up waits for a lock that purges hold")
	}
}
