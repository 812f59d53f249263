package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/rescind-edge/rescind/internal/event"
)

// A drain tells the client which streams have been seen, those answered in front
// included, lets the others end, and then ends the connection.
func TestHTTP2DrainCoversWhatWasAnswered(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var cfg Config
		if secure {
			cfg = tlsConfig(t)
		}
		scheme := map[bool]string{false: "http", true: "https"}[secure]
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			f := startSite(t, false, cfg, true, func(w http.ResponseWriter, _ *http.Request) {
				<-release
				io.WriteString(w, "last words")
			})
			c := f.speak(secure)
			ask := func(path string) uint32 {
				return c.ask(":method", "GET", ":scheme", scheme, ":authority", "a.example", ":path", path)
			}
			c.answers(true, ask("/hit/10"))
			slow := ask("/slow")
			hit := ask("/hit/20")
			c.answers(true, hit)

			drained := make(chan error, 1)
			go func() { drained <- f.Shutdown(t.Context()) }()
			synctest.Wait()
			said := ""
			c.until(func(r received) bool {
				if r.Type == http2.FrameGoAway {
					said = string(r.payload)
				}
				return said != ""
			})
			if want := fmt.Sprint(hit, " NO_ERROR"); said != want {
				t.Errorf("GOAWAY %s, want %s", said, want)
			}
			late := ask("/hit/30") // the client may not have known
			close(release)
			if a := c.answers(true, slow)[slow]; a.body != "last words" {
				t.Errorf("%v", a)
			}
			if err := <-drained; err != nil {
				t.Error(err)
			}
			c.until(func(r received) bool {
				if r.StreamID == late && r.err == nil {
					t.Errorf("an answer to what came too late: %v", r)
				}
				return false
			})
		})
	}
}

func TestHTTP2IdleConnectionsEnd(t *testing.T) {
	for name, path := range map[string]string{"nothing": "", "answered in front": "/hit/1", "handled": "/else"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := startSite(t, false, Config{}, true, nil)
				c := f.speak(false)
				synctest.Wait()
				if path != "" {
					// Use keeps it open for longer than it may be idle.
					for range 10 {
						time.Sleep(defaultIdle / 2)
						c.answers(true, c.get(path))
					}
				}
				began := time.Now()
				if said := c.goneAway(); !strings.HasSuffix(said, "NO_ERROR") {
					t.Errorf("%s", said)
				}
				if d := time.Since(began); d < defaultIdle || d > defaultIdle+2*time.Second {
					t.Errorf("after %v", d)
				}
				if f.Stats().Open != 0 {
					t.Error("still in the table")
				}
			})
		})
	}
}

// A connection with a long response on it is not idle.
func TestHTTP2IsNotIdleWhileAnythingIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * defaultIdle)
			io.WriteString(w, "at last")
		})
		c := f.speak(false)
		id := c.get("/slow")
		if a := c.answers(true, id)[id]; a.body != "at last" {
			t.Errorf("%v", a)
		}
	})
}

// A client that has vanished is found out by a PING, hits or not.
func TestHTTP2SilentClientIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		c := f.greet(false)
		c.mute = true
		c.frames.WriteSettings()
		c.get("/waits")
		began := time.Now()
		c.goneAway()
		if d := time.Since(began); d > http2PingAfter+20*time.Second {
			t.Errorf("after %v", d)
		}
	})
}

func TestHTTP2CloseCutsAndWaits(t *testing.T) {
	for _, tcp := range []bool{false, true} {
		f := startSite(t, tcp, Config{}, true, nil)
		c := f.speak(false)
		c.answers(true, c.get("/hit/1"))
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		c.goneAway()
	}
}

func TestHTTP2ShutdownWithIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, nil)
		c := f.speak(false)
		c.answers(true, c.get("/hit/1"))
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}

// A panic ends the connection that it was for, and nothing else.
func TestHTTP2FastHandlerPanics(t *testing.T) {
	var log strings.Builder
	cfg := Config{
		Handler: http.NotFoundHandler(), Log: slog.New(slog.NewTextHandler(&log, nil)),
		Fast: fastHTTP2(func(FastWriter, *FastRequest) bool { panic("oh") }),
	}
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		c := f.speak(false)
		c.get("/")
		if said := c.goneAway(); said != "1 INTERNAL_ERROR" {
			t.Error(said)
		}
		if !strings.Contains(log.String(), "oh") {
			t.Errorf("the log says %q", log.String())
		}
		f.speak(false).get("/")
	})
}

type fastHTTP2 func(FastWriter, *FastRequest) bool

func (f fastHTTP2) ServeFast(w FastWriter, r *FastRequest) bool { return f(w, r) }

func TestHTTP2FastHandlerIsToldOfTheRequest(t *testing.T) {
	for _, secure := range []bool{false, true} {
		f := (*fixture)(nil)
		cfg := Config{Handler: http.NotFoundHandler()}
		if secure {
			cfg = tlsConfig(t)
			cfg.Handler = http.NotFoundHandler()
		}
		told := make(chan string, 1)
		cfg.Fast = fastHTTP2(func(w FastWriter, r *FastRequest) bool {
			told <- fmt.Sprint(r.HTTP2, r.Method, r.Target, r.Host, r.Fields, r.Remote != "", r.Peer, r.TLS != 0, r.Room)
			w.SendFields(404, nil, nil)
			return true
		})
		f = start(t, true, cfg)
		c := f.speak(secure)
		scheme := map[bool]string{false: "http", true: "https"}[secure]
		id := c.ask(":method", "HEAD", ":scheme", scheme, ":authority", "b.example:1", ":path", "/x?y", "a", "b")
		if a := c.answers(false, id)[id]; fmt.Sprint(a.fields) != "[:status: 404]" {
			t.Errorf("%v", a)
		}
		if got, want := <-told, fmt.Sprintf("trueHEAD/x?yb.example:1[{a b}] true 127.0.0.1 %v 65535", secure); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A handler that answers with more than there is room for has its request
// answered by the other one.
func TestHTTP2ContentBeyondTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "slow") }),
			Fast: fastHTTP2(func(w FastWriter, _ *FastRequest) bool {
				if sent, err := w.SendFields(200, nil, [][]byte{make([]byte, 100_000)}); sent != 0 || err == nil {
					t.Errorf("%d %v", sent, err)
				}
				return true
			}),
		})
		c := f.speak(false)
		id := c.get("/")
		if a := c.answers(true, id)[id]; a.body != "slow" {
			t.Errorf("%v", a)
		}
	})
}

func TestHTTP2SettingsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, everything)
		c := f.speak(false, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 1 << 20})
		for _, size := range []uint32{4096, 0, 100, 4096, 60, 0} {
			for range 4 {
				c.answers(true, c.get("/hit/10"), c.get("/flush"))
			}
			c.frames.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: size})
			c.until(func(r received) bool { return r.Type == http2.FrameSettings })
			c.dec.SetAllowedMaxDynamicTableSize(size)
		}
		for range 4 {
			if a := c.answers(true, c.get("/hit/10")); len(a) != 1 {
				t.Error(a)
			}
		}
	})
}

// What a client may not do ends the connection with the code that says so.
func TestHTTP2ErrorsOfTheClient(t *testing.T) {
	raw := func(kind, flags uint8, stream uint32, payload ...byte) func(*peer2) {
		return func(c *peer2) {
			f := frameHeader{length: len(payload), kind: kind, flags: flags, stream: stream}
			c.net.Write(append(appendFrameHeader(nil, f), payload...))
		}
	}
	then := func(all ...func(*peer2)) func(*peer2) {
		return func(c *peer2) {
			for _, do := range all {
				do(c)
			}
		}
	}
	hit := func(c *peer2) { c.answers(false, c.get("/hit/1")) }
	huge := binary.BigEndian.AppendUint32(nil, largestWindow)
	for name, tc := range map[string]struct {
		do   func(*peer2)
		want string
	}{
		"DATA on an answered stream":     {then(hit, raw(frameData, 0, 1, 'x')), "STREAM_CLOSED"},
		"HEADERS on an answered stream":  {then(hit, raw(frameHeaders, flagEndHeaders|flagEndStream, 1, 0x82)), "STREAM_CLOSED"},
		"an older stream":                {then(func(c *peer2) { c.next = 5 }, hit, raw(frameHeaders, flagEndHeaders|flagEndStream, 3, 0x82)), "STREAM_CLOSED"},
		"DATA on an idle stream":         {then(hit, raw(frameData, 0, 9, 'x')), "PROTOCOL_ERROR"},
		"RST_STREAM on an idle stream":   {then(hit, raw(frameReset, 0, 9, 0, 0, 0, 0)), "PROTOCOL_ERROR"},
		"an even stream":                 {then(hit, raw(frameHeaders, flagEndHeaders|flagEndStream, 2, 0x82)), "PROTOCOL_ERROR"},
		"a window too large":             {then(hit, raw(frameWindowUpdate, 0, 0, huge...)), "FLOW_CONTROL_ERROR"},
		"no increment":                   {then(hit, raw(frameWindowUpdate, 0, 0, 0, 0, 0, 0)), "PROTOCOL_ERROR"},
		"a short WINDOW_UPDATE":          {then(hit, raw(frameWindowUpdate, 0, 0, 1)), "FRAME_SIZE_ERROR"},
		"a frame too large":              {then(hit, raw(frameData, 0, 3, make([]byte, maxFramePayload+1)...)), "FRAME_SIZE_ERROR"},
		"HEADERS too large":              {then(hit, raw(frameHeaders, flagEndHeaders, 3, make([]byte, maxFramePayload+1)...)), "FRAME_SIZE_ERROR"},
		"padding without end":            {then(hit, raw(frameHeaders, flagPadded|flagEndHeaders, 3, 9, 0x82)), "PROTOCOL_ERROR"},
		"a bad index":                    {then(hit, raw(frameHeaders, flagEndHeaders, 3, 0x80)), "COMPRESSION_ERROR"},
		"half a field":                   {then(hit, raw(frameHeaders, flagEndHeaders, 3, 0x40)), "COMPRESSION_ERROR"},
		"CONTINUATION out of place":      {then(hit, raw(frameContinuation, 0, 1, 0x82)), "PROTOCOL_ERROR"},
		"something within a block":       {then(hit, raw(frameHeaders, 0, 3, 0x82), raw(6, 0, 0, make([]byte, 8)...)), "PROTOCOL_ERROR"},
		"CONTINUATION of another":        {then(hit, raw(frameHeaders, 0, 3, 0x82), raw(frameContinuation, 0, 5, 0x82)), "PROTOCOL_ERROR"},
		"HEADERS on stream 0":            {then(hit, raw(frameHeaders, flagEndHeaders, 0, 0x82)), "PROTOCOL_ERROR"},
		"PUSH_PROMISE":                   {then(hit, raw(5, flagEndHeaders, 3, 0, 0, 0, 2, 0x82)), "PROTOCOL_ERROR"},
		"an initial window too large":    {then(hit, raw(frameSettings, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff)), "FLOW_CONTROL_ERROR"},
		"a frame size too small":         {then(hit, raw(frameSettings, 0, 0, 0, 5, 0, 0, 0, 1)), "PROTOCOL_ERROR"},
		"an acknowledgement of nothing":  {then(hit, raw(frameSettings, flagAck, 0), raw(frameSettings, flagAck, 0)), "PROTOCOL_ERROR"},
		"SETTINGS of an odd length":      {then(hit, raw(frameSettings, 0, 0, 1)), "FRAME_SIZE_ERROR"},
		"a block of empty CONTINUATIONs": {then(hit, raw(frameHeaders, 0, 3), flood(raw(frameContinuation, 0, 3), maxContinuations+1)), "ENHANCE_YOUR_CALM"},
		"a block without end":            {then(hit, raw(frameHeaders, 0, 3), flood(raw(frameContinuation, 0, 3, make([]byte, maxFramePayload)...), 80)), "ENHANCE_YOUR_CALM"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := startSite(t, false, Config{}, true, nil)
				c := f.speak(false)
				done := make(chan struct{})
				go func() { defer close(done); tc.do(c); synctest.Wait() }()
				<-done
				if said := c.goneAway(); !strings.HasSuffix(said, " "+tc.want) {
					t.Errorf("%s, want %s", said, tc.want)
				}
				if f.Stats().Open != 0 {
					t.Error("the connection is still there")
				}
			})
		})
	}
}

func flood(do func(*peer2), n int) func(*peer2) {
	return func(c *peer2) {
		for range n {
			do(c)
		}
	}
}

// A block that does not come to its end does not hold a connection for long.
func TestHTTP2SlowHeaderBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, Config{}, true, nil)
		c := f.speak(false)
		c.answers(false, c.get("/hit/1"))
		began := time.Now()
		c.net.Write(append(appendFrameHeader(nil, frameHeader{length: 1, kind: frameHeaders, stream: 3}), 0x82))
		if said := c.goneAway(); said != "1 ENHANCE_YOUR_CALM" {
			t.Error(said)
		}
		if d := time.Since(began); d < defaultHeadTimeout || d > defaultHeadTimeout+2*time.Second {
			t.Errorf("after %v", d)
		}
		if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedHeadTimeout {
			t.Errorf("events: %+v", e)
		}
	})
}

// A handler behind a relay sees the connection that the client made.
func TestHTTP2HandlerSeesTheConnection(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var cfg Config
		if secure {
			cfg = tlsConfig(t)
		}
		seen := make(chan string, 1)
		f := startSite(t, true, cfg, true, func(_ http.ResponseWriter, r *http.Request) {
			local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			name := ""
			if r.TLS != nil {
				name = r.TLS.ServerName
			}
			seen <- fmt.Sprint(r.RemoteAddr, " ", local, " ", r.TLS != nil, " ", name)
		})
		c := f.speak(secure)
		c.ask(":method", "GET", ":scheme", map[bool]string{false: "http", true: "https"}[secure], ":authority", "a.example", ":path", "/")
		want := fmt.Sprint(c.net.LocalAddr(), " ", f.Addrs()[0], " ", secure, " ", map[bool]string{true: "a.example"}[secure])
		if got := <-seen; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A client that does not say anything after a TLS handshake is not waited for.
func TestHTTP2SilenceFromTheBeginning(t *testing.T) {
	cfg := tlsConfig(t)
	synctest.Test(t, func(t *testing.T) {
		f := startSite(t, false, cfg, true, nil)
		c, _ := f.secure("a.example", "h2")
		began := time.Now()
		io.Copy(io.Discard, c)
		if d := time.Since(began); d != defaultHeadTimeout {
			t.Errorf("it ended after %v", d)
		}
	})
}
