package server

import (
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// stuck is a client that has stopped reading: it sends on until the server does
// not take any more.
func stuck(t *testing.T, f *fixture, send func(*peer2)) (sent time.Duration) {
	t.Helper()
	ours, err := f.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	to := &failing{Conn: ours}
	c := &peer2{t: t, net: to, next: 1}
	c.frames = http2.NewFramer(to, nil)
	c.enc = newPeerEncoder(c)
	began := time.Now()
	ours.Write([]byte(http2Preface))
	c.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: largestWindow})
	c.frames.WriteWindowUpdate(0, largestWindow-initialWindow)
	for !to.failed {
		send(c)
	}
	return time.Since(began)
}

// failing notes that a write failed.
type failing struct {
	net.Conn
	failed bool
}

func (w *failing) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.failed = w.failed || err != nil
	return n, err
}

// A client that never reads is cut when a write has taken too long, and costs a
// bounded amount until then, whatever it sends.
func TestHTTP2ClientThatNeverReads(t *testing.T) {
	for name, send := range map[string]func(*peer2){
		"hits":     func(c *peer2) { c.ask(pseudo("GET", "/hit/60000")...) },
		"small":    func(c *peer2) { c.ask(pseudo("HEAD", "/hit/1")...) },
		"resets":   func(c *peer2) { c.frames.WriteRSTStream(c.ask(pseudo("GET", "/hit/100")...), http2.ErrCodeCancel) },
		"relayed":  func(c *peer2) { c.ask(pseudo("GET", "/large")...) },
		"PING":     func(c *peer2) { c.frames.WritePing(false, [8]byte{}) },
		"SETTINGS": func(c *peer2) { c.frames.WriteSettings() },
		"requests and resets": func(c *peer2) {
			c.frames.WriteRSTStream(c.ask(pseudo("GET", "/large")...), http2.ErrCodeCancel)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var before, after runtime.MemStats
				f := startSite(t, false, Config{}, true, everything)
				runtime.ReadMemStats(&before)
				took := stuck(t, f, send)
				runtime.ReadMemStats(&after)
				if took > 3*defaultWriteTimeout {
					t.Errorf("it was cut after %v", took)
				}
				if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
					t.Errorf("it cost %d bytes", grown)
				}
				synctest.Wait()
				if n := f.Stats().Open; n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}

// Streams that are reset as soon as they are opened do not pile up.
func TestHTTP2RapidReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		f := startSite(t, false, Config{}, true, func(_ http.ResponseWriter, r *http.Request) {
			for n := running.Add(1); ; {
				if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
					break
				}
			}
			defer running.Add(-1)
			<-r.Context().Done()
		})
		c := f.speak(false)
		for range 2000 {
			c.frames.WriteRSTStream(c.get("/waits"), http2.ErrCodeCancel)
			c.frames.WriteRSTStream(c.get("/hit/1"), http2.ErrCodeCancel)
		}
		synctest.Wait()
		if n := most.Load(); n > defaultStreams {
			t.Errorf("%d handlers at a time", n)
		}
		hit := c.get("/hit/3")
		if a := c.answers(false, hit)[hit]; a.body != "/hi" {
			t.Errorf("%v", a)
		}
	})
}

// A small block that stands for a large list is refused, not kept.
func TestHTTP2HeaderBomb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, nil)
		c := f.speak(false)
		value := strings.Repeat("v", 3900)
		bomb := pseudo("GET", "/hit/1", "x", value)
		for range 5000 {
			bomb = append(bomb, "x", value)
		}
		id := c.ask(bomb...)
		if a := c.answers(false, id)[id]; a.fields[0] != ":status: 431" {
			t.Errorf("%v", a)
		}
		hit := c.get("/hit/3")
		if a := c.answers(false, hit)[hit]; a.body != "/hi" {
			t.Errorf("the connection is of no more use: %v", a)
		}
	})
}
