package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/event"
)

func parse(t testing.TB, text string) *Filter {
	t.Helper()
	f, err := ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func listen(t testing.TB, h *Hub, filter string) *Tail {
	t.Helper()
	tail, err := h.Listen(parse(t, filter).Match)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tail.Close)
	return tail
}

func writeTarget(to []byte, r *event.Request) []byte { return append(to, r.Target...) }

// wantLine takes the next line, which must be there already.
func wantLine(t *testing.T, tail *Tail, want string, wantMissed uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	line, missed, err := tail.Next(ctx)
	if err != nil || string(line) != want || missed != wantMissed {
		t.Errorf("next is %.60q after %d lost (%v), want %.60q after %d", line, missed, err, want, wantMissed)
	}
}

func TestNothingIsWrittenForNobody(t *testing.T) {
	h := new(Hub)
	r := &event.Request{Target: "/a", Status: 200}
	write := func([]byte, *event.Request) []byte { t.Error("a line was made"); return nil }
	h.Publish(r, write)
	tail := listen(t, h, "status>=500")
	if !h.Listening() {
		t.Error("nobody listens")
	}
	h.Publish(r, write)
	tail.Close()
	if h.Listening() {
		t.Error("somebody listens")
	}
	h.Publish(r, write)
	if n := testing.AllocsPerRun(100, func() { h.Publish(r, write) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestEachListenerHasItsFilter(t *testing.T) {
	h := new(Hub)
	all, failed := listen(t, h, ""), listen(t, h, "status=5xx")
	made := 0
	for _, r := range []event.Request{{Target: "/a", Status: 200}, {Target: "/b", Status: 503}, {Target: "/c", Status: 500}} {
		h.Publish(&r, func(to []byte, r *event.Request) []byte { made++; return append(to, r.Target...) })
	}
	for _, want := range []string{"/a", "/b", "/c"} {
		wantLine(t, all, want, 0)
	}
	wantLine(t, failed, "/b", 0)
	wantLine(t, failed, "/c", 0)
	if made != 3 {
		t.Errorf("%d lines were made of 3 requests", made)
	}
}

// TestSlowReaderIsToldWhatItLost leaves lines to a reader that does not come.
func TestSlowReaderIsToldWhatItLost(t *testing.T) {
	h := new(Hub)
	tail := listen(t, h, "")
	for i := range maxLines + 10 {
		h.Publish(&event.Request{Target: fmt.Sprint(i)}, writeTarget)
	}
	wantLine(t, tail, "10", 10)
	wantLine(t, tail, "11", 0)
	h.Publish(&event.Request{Target: "more"}, writeTarget)
	h.Publish(&event.Request{Target: "and more"}, writeTarget)
	h.Publish(&event.Request{Target: "and more"}, writeTarget)
	wantLine(t, tail, "13", 1)
}

func TestLinesHaveALimitInBytes(t *testing.T) {
	h := new(Hub)
	tail := listen(t, h, "")
	third := strings.Repeat("x", maxBytes/3+1)
	for i := range 4 {
		h.Publish(&event.Request{Target: fmt.Sprintf("%d %s", i, third)}, func(_ []byte, r *event.Request) []byte { return []byte(r.Target) })
		if tail.mu.bytes > maxBytes {
			t.Fatalf("%d bytes wait", tail.mu.bytes)
		}
	}
	h.Publish(&event.Request{}, func([]byte, *event.Request) []byte { return make([]byte, maxBytes+1) })
	line, missed, err := tail.Next(t.Context())
	if err != nil || !strings.HasPrefix(string(line), "2 ") || missed != 3 {
		t.Errorf("next is %.10q after %d lost (%v), want the third after 3: two for want of room, one too long", line, missed, err)
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(Hub)
		tail, err := h.Listen(nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		next := func(ctx context.Context) {
			line, _, err := tail.Next(ctx)
			got <- fmt.Sprint(string(line), err)
		}
		go next(t.Context())
		synctest.Wait()
		h.Publish(&event.Request{Target: "/a"}, writeTarget)
		if line := <-got; line != "/a<nil>" {
			t.Errorf("got %s", line)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go next(ctx)
		synctest.Wait()
		cancel()
		if line := <-got; line != context.Canceled.Error() {
			t.Errorf("got %s", line)
		}
		go next(t.Context())
		synctest.Wait()
		h.Close()
		if line := <-got; line != ErrClosed.Error() {
			t.Errorf("got %s", line)
		}
	})
}

func TestClosedHub(t *testing.T) {
	h := new(Hub)
	tail := listen(t, h, "")
	h.Publish(&event.Request{Target: "/a"}, writeTarget)
	h.Close()
	h.Publish(&event.Request{Target: "/b"}, writeTarget)
	wantLine(t, tail, "/a", 0)
	if _, _, err := tail.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Next: %v", err)
	}
	if _, err := h.Listen(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Listen: %v", err)
	}
}

func TestListenersAreLimited(t *testing.T) {
	h := new(Hub)
	first := listen(t, h, "")
	for range MaxTails - 1 {
		listen(t, h, "")
	}
	if _, err := h.Listen(nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	first.Close()
	first.Close()
	listen(t, h, "")
}

// TestNoLineIsLostUnseen has publishers, a reader and others that come and go.
// What the reader got and what it was told it lost must be all there was.
func TestNoLineIsLostUnseen(t *testing.T) {
	const publishers, each = 4, 5000
	h := new(Hub)
	tail := listen(t, h, "")
	var publishing sync.WaitGroup
	for range publishers {
		publishing.Go(func() {
			for range each {
				h.Publish(&event.Request{Target: "/a"}, writeTarget)
			}
		})
	}
	var stop atomic.Bool
	var coming sync.WaitGroup
	coming.Go(func() {
		for !stop.Load() {
			if other, err := h.Listen(nil); err == nil {
				other.Close()
			}
		}
	})
	var seen, lost uint64
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for {
			line, missed, err := tail.Next(t.Context())
			if err != nil {
				return
			}
			if string(line) != "/a" {
				t.Errorf("got %q", line)
			}
			seen, lost = seen+1, lost+missed
		}
	}()
	publishing.Wait()
	stop.Store(true)
	coming.Wait()
	h.Close()
	<-reading
	if seen+lost != publishers*each {
		t.Errorf("%d seen and %d lost of %d", seen, lost, publishers*each)
	}
}
