package control

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

func repeatable(t testing.TB, idempotency, k string) Request {
	return Request{Service: "shop", Selectors: []purge.Selector{key(t, k)}, IdempotencyKey: idempotency}
}

func TestRepeatedPurge(t *testing.T) {
	n := newNode(t)
	deploy := with(stranger, "deploy-secret")
	first, err := n.Purge(deploy, repeatable(t, "build-7", "k"))
	if err != nil || first.Replayed {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := n.Purge(deploy, repeatable(t, "build-7", "k"))
	if err != nil || again.ID != first.ID || again.Position != first.Position || !again.Replayed {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	if len(n.engine.applied) != 1 || len(n.sink.purged) != 1 {
		t.Errorf("applied %d times, recorded %d times", len(n.engine.applied), len(n.sink.purged))
	}
	for name, changed := range map[string]Request{
		"another key": repeatable(t, "build-7", "K"), "a note": {Service: "shop", Selectors: first.Selectors, Note: "x", IdempotencyKey: "build-7"},
		"soft":               {Service: "shop", Selectors: first.Selectors, Effect: purge.SoftEffect(), IdempotencyKey: "build-7"},
		"a URL of that name": {Service: "shop", Selectors: []purge.Selector{{Kind: purge.ByHost, Target: host(t, "k").Target}}, IdempotencyKey: "build-7"},
	} {
		if _, err := n.Purge(deploy, changed); !errors.Is(err, ErrKeyReused) {
			t.Errorf("%s under the same idempotency key: %v", name, err)
		}
	}
	for name, creds := range map[string]Credentials{"another token": with(stranger, "editor-secret"), "no token": here} {
		if r, err := n.Purge(creds, repeatable(t, "build-7", "k")); err != nil || r.ID == first.ID {
			t.Errorf("%s shares the key: %v, %v", name, r.ID, err)
		}
	}
	if _, err := n.Purge(with(stranger, "wrong-secret"), repeatable(t, "build-7", "k")); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a stranger got a receipt: %v", err)
	}
}

// TestCallersByAddressDoNotShareKeys has two machines of one allowed network.
func TestCallersByAddressDoNotShareKeys(t *testing.T) {
	n := newNode(t)
	colleague := onData(office)
	colleague.Addr = colleague.Addr.Next()
	a, err1 := n.Purge(onData(office), repeatable(t, "1", "k"))
	b, err2 := n.Purge(colleague, repeatable(t, "1", "k"))
	if err := errors.Join(err1, err2); err != nil || a.ID == b.ID {
		t.Errorf("%v and %v, %v", a.ID, b.ID, err)
	}
}

func TestRepeatAfterFailure(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits.PerHour = 256 })
	if err := n.ask(t, here, "shop", 256); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Purge(here, repeatable(t, "1", "k")); err == nil {
		t.Fatal("not limited")
	}
	n.clock = n.clock.Add(time.Hour)
	if r, err := n.Purge(here, repeatable(t, "1", "other")); err != nil || r.Replayed {
		t.Errorf("a purge that failed used up its key: %+v, %v", r, err)
	}
}

func TestRepeatShowsRevert(t *testing.T) {
	n := newNode(t)
	first, err := n.Purge(here, repeatable(t, "1", "k"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Revert(here, first.ID); err != nil {
		t.Fatal(err)
	}
	if again, err := n.Purge(here, repeatable(t, "1", "k")); err != nil || again.Reverted == nil {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestRepeatsEndAfterADay(t *testing.T) {
	n := newNode(t)
	first, err := n.Purge(here, repeatable(t, "1", "k"))
	if err != nil {
		t.Fatal(err)
	}
	n.clock = n.clock.Add(repeatWindow - 1)
	if r, err := n.Purge(here, repeatable(t, "1", "k")); err != nil || r.ID != first.ID {
		t.Errorf("within a day: %v, %v", r.ID, err)
	}
	n.clock = n.clock.Add(1)
	if r, err := n.Purge(here, repeatable(t, "1", "k")); err != nil || r.ID == first.ID {
		t.Errorf("a day later: %v, %v", r.ID, err)
	}
	if len(n.repeats.mu.order) != 1 || len(n.repeats.mu.byKey) != 1 {
		t.Errorf("%d are kept", len(n.repeats.mu.order))
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	n := newNode(t, func(c *Config) { c.Limits = noLimits })
	for i := range maxRepeats + 10 {
		if _, err := n.Purge(here, repeatable(t, fmt.Sprint(i), "k")); err != nil {
			t.Fatal(err)
		}
	}
	if len(n.repeats.mu.order) != maxRepeats || len(n.repeats.mu.byKey) != maxRepeats {
		t.Errorf("%d and %d are kept", len(n.repeats.mu.order), len(n.repeats.mu.byKey))
	}
	long := url(t, "//www.example.com/"+strings.Repeat("x", 60<<10))
	for i := range maxRepeatedBytes/(60<<10) + 5 {
		if _, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{long}, IdempotencyKey: fmt.Sprint("long-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n.repeats.mu.bytes > maxRepeatedBytes || len(n.repeats.mu.byKey) != len(n.repeats.mu.order) {
		t.Errorf("%d bytes, %d and %d entries", n.repeats.mu.bytes, len(n.repeats.mu.order), len(n.repeats.mu.byKey))
	}
	for _, bad := range []string{strings.Repeat("x", MaxIdempotencyKeyBytes+1), "a\nb", "é"} {
		if _, err := n.Purge(here, repeatable(t, bad, "k")); !errors.Is(err, ErrBadRequest) {
			t.Errorf("key %.20q: %v", bad, err)
		}
	}
}

// slowEngine lets a test look at purges while they are applied.
type slowEngine struct {
	fakeEngine
	entered, release chan struct{}
}

func (e *slowEngine) Apply(now int64, p purge.Purge) purge.Applied {
	e.entered <- struct{}{}
	<-e.release
	return e.fakeEngine.Apply(now, p)
}

func TestRepeatsAtOnceWaitForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		engine := &slowEngine{entered: make(chan struct{}), release: make(chan struct{})}
		n.Control.parts.Engine = engine
		receipts := make([]Receipt, 5)
		var all sync.WaitGroup
		for i := range receipts {
			all.Go(func() {
				var err error
				if receipts[i], err = n.Purge(here, repeatable(t, "1", "k")); err != nil {
					t.Error(err)
				}
			})
		}
		<-engine.entered
		synctest.Wait() // all but one wait for that one
		close(engine.release)
		all.Wait()
		replayed := 0
		for _, r := range receipts {
			if r.ID != receipts[0].ID {
				t.Error("they have different receipts")
			}
			if r.Replayed {
				replayed++
			}
		}
		if replayed != len(receipts)-1 || len(engine.applied) != 1 {
			t.Errorf("%d replayed, %d applied", replayed, len(engine.applied))
		}
	})
}
