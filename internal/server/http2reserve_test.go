package server

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// Room is a promise: what the inner server sends while a request is being
// answered takes nothing of it, waits, and comes behind the answer.
func TestHTTP2RoomIsReserved(t *testing.T) {
	var h *http2Conn
	var to *sink
	const sent = 30_000
	h, c := relayFor(t, fastHTTP2(func(w FastWriter, r *FastRequest) bool {
		h.Write(data(1, 0, sent))
		n, err := w.SendFields(200, field.Fields{}, [][]byte{bytes.Repeat([]byte("x"), int(r.Room))})
		if err != nil || n != r.Room || n == 0 {
			t.Errorf("sent %d of %d, %v", n, r.Room, err)
		}
		return true
	}))
	defer c.Close()
	to = &sink{Conn: h.Conn}
	h.Conn = to
	h.settle.Do(func() { close(h.settled) })
	h.out.begin(1, true)
	h.last, h.lastInner = 3, 1
	if got := h.offer(); got != fastAnswered {
		t.Fatalf("outcome %v", got)
	}
	h.out.flush()
	taken := map[uint32]int{}
	for _, f := range to.frames(t) {
		if f.kind == frameData {
			taken[f.stream] += f.length
		}
	}
	if taken[1]+taken[3] > initialWindow {
		t.Errorf("%v: more than the window", taken)
	}
	h.out.widen(sent)
	h.out.flush()
	for _, f := range to.frames(t) {
		if f.kind == frameData {
			taken[f.stream] += f.length
		}
	}
	if taken[1] != sent || taken[3] != initialWindow {
		t.Errorf("%v in the end", taken)
	}
}

// What was reserved for a request that is declined can be used again.
func TestHTTP2RoomIsGivenBack(t *testing.T) {
	h, c := relayFor(t, fastHTTP2(func(FastWriter, *FastRequest) bool { return false }))
	defer c.Close()
	h.settle.Do(func() { close(h.settled) })
	for range 3 {
		if got := h.offer(); got != fastStrict {
			t.Fatalf("outcome %v", got)
		}
		if got := h.out.mu.windows.conn; got != initialWindow {
			t.Fatalf("%d left of the window", got)
		}
	}
}

// Answers without content are written as they gather, too: who asks for many at
// once must not have us keep all of their heads.
func TestHTTP2HeadsAreNotHoarded(t *testing.T) {
	fields := field.Fields{{Name: "X-Large", Value: strings.Repeat("x", 20_000)}}
	h, c := relayFor(t, fastHTTP2(func(w FastWriter, _ *FastRequest) bool {
		w.SendFields(304, fields, nil)
		return true
	}))
	defer c.Close()
	h.Conn = &sink{Conn: h.Conn}
	h.settle.Do(func() { close(h.settled) })
	for range 50 {
		h.last += 2
		if got := h.offer(); got != fastAnswered {
			t.Fatalf("outcome %v", got)
		}
		if n := len(h.out.mu.buf); n > outSize {
			t.Fatalf("%d bytes are kept", n)
		}
	}
}
