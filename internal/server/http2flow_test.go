package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"golang.org/x/net/http2"
)

// windows is a client that keeps account of what it has admitted.
type windows struct {
	*peer2
	conn, initial int64
	asked         []int64 // of initial, not acknowledged
	streams       map[uint32]*admitted
}

type admitted struct {
	window int64
	want   int
	got    int
	reset  bool
	done   bool
}

// drain takes what has come, and checks that it was admitted.
func (w *windows) drain() {
	w.t.Helper()
	synctest.Wait()
	for {
		var r received
		select {
		case r = <-w.got:
		default:
			return
		}
		s := w.streams[r.StreamID]
		switch {
		case r.Type == http2.FrameSettings && r.Flags.Has(http2.FlagSettingsAck) && len(w.asked) > 0:
			w.initialIs(w.asked[0])
			w.asked = w.asked[1:]
		case r.err != nil || r.Type == http2.FrameGoAway:
			w.t.Fatalf("the connection ended: %v %s", r.err, r.payload)
		case r.Type == http2.FrameData:
			n := int64(len(r.payload))
			w.conn -= n
			s.window -= n
			s.got += len(r.payload)
			if n > 0 && (w.conn < 0 || s.window < 0) {
				w.t.Fatalf("stream %d: %d bytes more than admitted, %d of the connection", r.StreamID, -s.window, -w.conn)
			}
		case r.Type == http2.FrameRSTStream && !s.reset:
			w.t.Fatalf("stream %d was reset: %s", r.StreamID, r.payload)
		}
		if s != nil && r.Flags.Has(http2.FlagDataEndStream) && (r.Type == http2.FrameData || r.Type == http2.FrameHeaders) {
			s.done = true
			if s.got != s.want && !s.reset {
				w.t.Fatalf("stream %d: %d bytes of %d", r.StreamID, s.got, s.want)
			}
		}
	}
}

func (w *windows) request(path string, n int) {
	id := w.get(path + strconv.Itoa(n))
	w.streams[id] = &admitted{window: w.initial, want: n}
}

func (w *windows) widen(stream uint32, n int64) {
	if stream == 0 {
		w.conn += n
	} else {
		w.streams[stream].window += n
	}
	w.frames.WriteWindowUpdate(stream, uint32(n))
}

func (w *windows) setInitial(n int64) {
	w.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(n)})
	w.asked = append(w.asked, n)
}

// initialIs is called when the server has acknowledged what was asked.
func (w *windows) initialIs(n int64) {
	for _, s := range w.streams {
		s.window += n - w.initial
	}
	w.initial = n
}

// anyOpen returns a stream that has not ended.
func (w *windows) anyOpen(rnd *rand.Rand) uint32 {
	var open []uint32
	for id := uint32(1); id < w.next; id += 2 {
		if s := w.streams[id]; !s.done && !s.reset {
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		return 0
	}
	return open[rnd.IntN(len(open))]
}

func sized(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/sized/"))
	for n > 0 {
		k := min(n, 1+n%7000)
		if _, err := w.Write(make([]byte, k)); err != nil {
			return
		}
		n -= k
	}
}

// TestHTTP2NeverSendsMoreThanIsAdmitted drives connections at random: hits,
// relayed responses, windows and settings. Whatever comes has been admitted, and
// once enough is, everything has come.
func TestHTTP2NeverSendsMoreThanIsAdmitted(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			f := startSite(t, false, Config{}, true, sized)
			w := &windows{peer2: f.speak(false), conn: initialWindow, initial: initialWindow, streams: map[uint32]*admitted{}}
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			w.drain()
			for range 150 {
				switch rnd.IntN(8) {
				case 0, 1:
					w.request("/hit/", rnd.IntN(1<<rnd.IntN(18)))
				case 2:
					if rnd.IntN(2) == 0 {
						w.request("/sized/", rnd.IntN(1<<rnd.IntN(19)))
					}
				case 3:
					w.widen(0, 1+rnd.Int64N(1<<rnd.IntN(18)))
				case 4, 5:
					if id := w.anyOpen(rnd); id > 0 {
						w.widen(id, 1+rnd.Int64N(1<<rnd.IntN(18)))
					}
				case 6:
					if id := w.anyOpen(rnd); id > 0 && rnd.IntN(2) == 0 {
						w.streams[id].reset = true
						w.frames.WriteRSTStream(id, http2.ErrCodeCancel)
					}
				case 7:
					if rnd.IntN(3) == 0 {
						w.setInitial(rnd.Int64N(1 << rnd.IntN(20)))
					}
				}
				w.drain()
			}
			w.widen(0, 1<<28)
			w.drain()
			for id := range w.streams {
				if s := w.streams[id]; !s.done && !s.reset {
					w.widen(id, 1<<26)
				}
			}
			w.drain()
			for id, s := range w.streams {
				if !s.done && !s.reset {
					t.Errorf("stream %d has not ended: %d of %d", id, s.got, s.want)
				}
			}
		})
	}
}

// A response passes a window of one byte at a time, trailers behind it.
func TestHTTP2HeldDataComesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "0123456789")
			w.Header().Set(http.TrailerPrefix+"X-Late", "late")
		})
		c := f.speak(false)
		c.answers(false, c.get("/hit/65530")) // leaves five
		id := c.get("/")
		synctest.Wait() // its handler has written all that it has to say
		other := c.get("/hit/0")
		synctest.Wait()
		for range 5 {
			c.frames.WriteWindowUpdate(0, 1)
		}
		var order []uint32
		body, trailer := "", ""
		err := c.until(func(r received) bool {
			if r.Type == http2.FrameData {
				body += string(r.payload)
			}
			if r.Type == http2.FrameHeaders {
				order = append(order, r.StreamID)
				trailer = fmt.Sprint(r.fields)
			}
			return r.StreamID == id && r.Flags.Has(http2.FlagHeadersEndStream) && r.Type == http2.FrameHeaders
		})
		if err != nil || body != "0123456789" || !strings.Contains(trailer, "x-late") {
			t.Errorf("%q %q %v", body, trailer, err)
		}
		if fmt.Sprint(order) != fmt.Sprint([]uint32{id, other, id}) {
			t.Errorf("what needs no window waits: %v", order)
		}
	})
}

// A client with a large window does not have to widen it for a response larger
// than what the inner server is promised at once.
func TestHTTP2LargeResponseInALargeWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, sized)
		c := f.speak(false, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
		c.frames.WriteWindowUpdate(0, 1<<30)
		const n = 5*maxCredit + 3
		id := c.get("/sized/" + strconv.Itoa(n))
		if a := c.answers(false, id)[id]; len(a.body) != n {
			t.Errorf("%d bytes", len(a.body))
		}
	})
}
