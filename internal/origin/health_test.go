package origin

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// logged collects the messages of a pool.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), message)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestFailuresEjectAndSuccessRestores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.2:80", answering(simple))
		var log logged
		p := newPool(t, f, func(c *Config) {
			twoOrigins(c)
			c.Log = log.logger()
			c.KeepAlive = time.Hour
		})
		for range 12 { // the first origin refuses six times, and the other takes over
			mustFetch(t, p, get("/"))
		}
		first := func() OriginStatus { return p.Status()[0] }
		if s := first(); s.State != StateEjected || s.Failures != 5 || !strings.HasPrefix(s.Why, "connect: ") || time.Until(s.EjectedUntil).Round(time.Second) != 10*time.Second {
			t.Fatalf("after five failures: %+v", s)
		}
		pause(10 * time.Second)
		if s := first(); s.State != StateTrial {
			t.Fatalf("after the ejection: %+v", s)
		}
		mustFetch(t, p, get("/"))
		mustFetch(t, p, get("/"))
		if s := first(); s.State != StateEjected || time.Until(s.EjectedUntil).Round(time.Second) != 20*time.Second {
			t.Fatalf("after one more failure: %+v", s)
		}
		f.set("192.0.2.1:80", answering(simple))
		pause(20 * time.Second)
		mustFetch(t, p, get("/"))
		mustFetch(t, p, get("/"))
		if s := first(); s.State != StateHealthy || s.Why != "" {
			t.Fatalf("after a success: %+v", s)
		}
		if n, m := log.count("origin is avoided"), log.count("origin is usable again"); n != 2 || m != 1 {
			t.Errorf("logged %d ejections and %d recoveries", n, m)
		}
	})
}

func TestEjectionsGrowToTheirLimit(t *testing.T) {
	h := health{passive: Passive{Failures: 1}.withDefaults()}
	now := time.Unix(0, 0)
	for _, want := range []time.Duration{10, 20, 40, 80, 160, 300, 300, 300} {
		v, changed := h.exchanged(now, errPoolClosed)
		if got := v.EjectedUntil.Sub(now); !changed || got != want*time.Second {
			t.Errorf("ejected for %v, want %v", got, want*time.Second)
		}
		if _, changed := h.exchanged(now, errPoolClosed); changed {
			t.Error("a late failure prolongs the ejection")
		}
		now = v.EjectedUntil
	}
}

func TestPassiveOff(t *testing.T) {
	h := health{passive: Passive{Failures: -1}.withDefaults()}
	for range 100 {
		if v, changed := h.exchanged(time.Unix(0, 0), errPoolClosed); changed || v.State != StateHealthy {
			t.Fatalf("%+v", v)
		}
	}
}

func TestAllEjectedMeansAllAreTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		p := newPool(t, f, twoOrigins)
		for range 10 {
			fetch(p, get("/"))
		}
		for _, s := range p.Status() {
			if s.State != StateEjected {
				t.Fatalf("%+v", s)
			}
		}
		f.set("192.0.2.1:80", answering(simple))
		f.set("192.0.2.2:80", answering(simple))
		mustFetch(t, p, get("/"))
		if s := p.Status(); s[0].State == s[1].State {
			t.Errorf("one success, yet %v and %v", s[0].State, s[1].State)
		}
	})
}

func TestTooLargeHeadsDoNotEject(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", answering("HTTP/1.1 200 OK\r\nA: "+strings.Repeat("x", 1000)+"\r\n\r\n"))
	p := newPool(t, f, func(c *Config) { c.MaxHeaderBytes = 500 })
	for range 10 {
		_, _, err := fetch(p, get("/"))
		wantKind(t, err, KindTooLarge)
	}
	if s := p.Status()[0]; s.State != StateHealthy || s.Exchanges != 10 {
		t.Errorf("status %+v", s)
	}
}

func TestActiveChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		answer, head := simple, ""
		respond := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			answer = s
		}
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			for h := c.head(); h != ""; h = c.head() {
				mu.Lock()
				head = h
				s := answer
				mu.Unlock()
				if s == "" {
					c.untilClosed()
					return
				}
				c.say(s)
			}
		})
		f.set("192.0.2.2:80", answering(simple))
		var log logged
		p := newPool(t, f, func(c *Config) {
			twoOrigins(c)
			c.Active = Active{Path: "/up?a", Host: "check.example"}
			c.Log = log.logger()
		})
		rounds := func(n int) OriginStatus {
			for range n {
				pause(5250 * time.Millisecond)
			}
			synctest.Wait()
			return p.Status()[0]
		}
		if s := rounds(2); s.State != StateHealthy || s.Exchanges != 0 {
			t.Errorf("at first: %+v", s)
		}
		if want := "GET /up?a HTTP/1.1\r\nHost: check.example\r\nUser-Agent: rescind-health-check\r\n"; head != want {
			t.Errorf("checked by %q", head)
		}
		respond("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
		if s := rounds(4); s.State != StateDown || s.Why != "check: status 503 instead of 200" {
			t.Errorf("after failing checks: %+v", s)
		}
		for range 4 {
			if res, _ := mustFetch(t, p, get("/")); res.Address != "192.0.2.2:80" {
				t.Errorf("answered by %s", res.Address)
			}
		}
		respond("")
		if s := rounds(2); s.State != StateDown || !strings.Contains(s.Why, "no complete response within 2s") {
			t.Errorf("after hanging: %+v", s)
		}
		respond(simple)
		if s := rounds(4); s.State != StateHealthy || s.Why != "" {
			t.Errorf("after passing checks: %+v", s)
		}
		if n, m := log.count("origin is avoided"), log.count("origin is usable again"); n != 1 || m != 1 {
			t.Errorf("logged %d and %d changes", n, m)
		}
	})
}
