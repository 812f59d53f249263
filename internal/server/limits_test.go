package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func TestSlowHeadIsAnswered408(t *testing.T) {
	for _, before := range []string{"", get} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, Config{})
			c := f.connect()
			if before != "" {
				c.send(before, 0)
				c.response()
				<-time.After(defaultIdle - time.Second) // idle, which is another matter
			}
			c.send("GET /slow HTTP/1.1\r\n", 0)
			began := time.Now()
			<-time.After(defaultHeadTimeout - time.Second)
			c.send("Host: a.example\r\n", 0) // too little
			if r, _ := c.response(); r.StatusCode != 408 || !r.Close {
				t.Errorf("%d", r.StatusCode)
			}
			if d := time.Since(began); d != defaultHeadTimeout {
				t.Errorf("after %v", d)
			}
			c.wantEnd()
			if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedHeadTimeout || e[0].Target != "/slow" {
				t.Errorf("events: %+v", e)
			}
		})
	}
}

func TestSilentConnectionsAreClosedWithoutAWord(t *testing.T) {
	for _, tc := range []struct {
		before string
		after  time.Duration
	}{{"", defaultHeadTimeout}, {get, defaultIdle}} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, Config{})
			c := f.connect()
			if tc.before != "" {
				c.send(tc.before, 0)
				c.response()
			}
			began := time.Now()
			c.wantEnd()
			if d := time.Since(began); d != tc.after {
				t.Errorf("after %v, not %v", d, tc.after)
			}
			if len(f.refusals()) > 0 {
				t.Errorf("events: %+v", f.refusals())
			}
		})
	}
}

// The empty line that old clients send after a body is not a slow request.
func TestEmptyLineIsNoSlowHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send(post+"Content-Length: 5\r\n\r\nhello", 0)
		c.response()
		synctest.Wait() // the server waits for the next request
		c.send("\r\n", 0)
		c.wantEnd()
		if len(f.refusals()) > 0 {
			t.Errorf("events: %+v", f.refusals())
		}
	})
}

// A client that leaves in the middle of a head is no refusal.
func TestLeavingInAHeadIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send("GET /a HT", 0)
		synctest.Wait()
		c.Close()
		synctest.Wait()
		if len(f.refusals())+len(f.requests()) > 0 {
			t.Errorf("%+v %q", f.refusals(), f.requests())
		}
	})
}

// An endless head is not collected: little more than the limit is ever read.
func TestEndlessHeadIsNotCollected(t *testing.T) {
	for _, head := range []string{"GET /", lineHost + "X: "} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, Config{})
			c := f.connect()
			sent := make(chan int, 1)
			go func() {
				n, _ := io.WriteString(c, head)
				for {
					m, err := io.WriteString(c, strings.Repeat("a", 512))
					if n += m; err != nil {
						sent <- n
						return
					}
				}
			}()
			if r, _ := c.response(); r.StatusCode != 414 && r.StatusCode != 431 {
				t.Errorf("%d", r.StatusCode)
			}
			c.wantEnd()
			// What lingering reads is dropped, and bounded too.
			if n := <-sent; n > defaultHeaderBytes+pooledSize+lingerBytes+512 {
				t.Errorf("%d bytes were read", n)
			}
		})
	}
}

func TestBuffersStayWithinTheHeadLimit(t *testing.T) {
	b := buffer{pool: newBufferPool()}
	source := strings.NewReader(strings.Repeat("x", 1<<20))
	const limit = 10_000
	for {
		if _, err := b.fill(source, limit); err != nil {
			if !errors.Is(err, io.ErrShortBuffer) {
				t.Error(err)
			}
			break
		}
	}
	if b.len() != limit || cap(b.data) > limit {
		t.Errorf("%d bytes in %d", b.len(), cap(b.data))
	}
	b.discard(limit)
	if b.data != nil || b.pooled != nil {
		t.Error("an empty buffer holds memory")
	}
}

func TestMaxConns(t *testing.T) {
	f := start(t, true, Config{Limits: Limits{MaxConns: 2}})
	first, second := f.connect(), f.connect()
	for _, c := range []*client{first, second} {
		c.send(get, 0)
		c.response()
	}
	third := f.connect()
	third.wantEnd()
	if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedTooManyConnections || e[0].Status != 0 || e[0].Remote != third.LocalAddr().String() {
		t.Fatalf("events: %+v", e)
	}
	first.Close()
	if !eventually(t, func() bool {
		c := f.connect()
		io.WriteString(c, get)
		r, err := http.ReadResponse(c.r, nil)
		return err == nil && r.StatusCode == 200
	}) {
		t.Error("the place of a closed connection stays taken")
	}
}

// eventually tries what cannot be waited for otherwise: the kernel's part.
func eventually(t *testing.T, try func() bool) bool {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if try() {
			return true
		}
		<-tick.C
	}
	return false
}

func TestMaxConnsPerAddress(t *testing.T) {
	f := start(t, true, Config{Limits: Limits{MaxConnsPerAddress: 1}})
	first := f.connect()
	first.send(get, 0)
	first.response()
	f.connect().wantEnd()
	if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedTooManyFromOneAddress {
		t.Errorf("events: %+v", e)
	}
}

func TestOneAddressDoesNotUseUpThePlacesOfOthers(t *testing.T) {
	table, limits := newTable(), &Limits{MaxConns: 3, MaxConnsPerAddress: 2}
	add := func(ip string) (*link, event.RefusedReason) {
		return table.add(&scripted{from: ip}, netip.MustParseAddr(ip), limits)
	}
	first, _ := add("192.0.2.1")
	add("192.0.2.1")
	if l, reason := add("192.0.2.1"); l != nil || reason != event.RefusedTooManyFromOneAddress {
		t.Errorf("a third: %q", reason)
	}
	if l, _ := add("192.0.2.2"); l == nil {
		t.Error("another address was refused")
	}
	if l, reason := add("192.0.2.3"); l != nil || reason != event.RefusedTooManyConnections {
		t.Errorf("a fourth: %q", reason)
	}
	first.Close()
	first.Close() // counts once
	if l, _ := add("192.0.2.1"); l == nil {
		t.Error("the place of a closed connection stays taken")
	}
}

func TestOriginsAreCountedByNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:80":              "192.0.2.1",
		"[::ffff:192.0.2.1]:80":     "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::",
		"[fe80::1%lo]:80":           "fe80::",
	} {
		a, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := origin(a).String(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if origin(pipeAddr{}).IsValid() {
		t.Error("an address that is none is counted")
	}
}

func TestLimitsChangeWhileConnectionsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		ask := func() int {
			c.send("GET /"+strings.Repeat("a", 100)+" HTTP/1.1\r\nHost: a\r\n\r\n", 0)
			r, _ := c.response()
			return r.StatusCode
		}
		if n := ask(); n != 200 {
			t.Errorf("%d before", n)
		}
		if err := f.SetLimits(Limits{MaxURLBytes: 50}); err != nil {
			t.Fatal(err)
		}
		if n := ask(); n != 414 {
			t.Errorf("%d after", n)
		}
		if err := f.SetLimits(Limits{MaxURLBytes: -1}); err == nil {
			t.Error("a negative limit was taken")
		}
	})
}

func TestImpossibleConfigurationsAreErrors(t *testing.T) {
	h := http.NotFoundHandler()
	for name, cfg := range map[string]Config{
		"nothing":            {},
		"no handler":         {HTTP: []string{":0"}},
		"no listener":        {Handler: h},
		"no certificate":     {Handler: h, HTTPS: []TLSListener{{Address: ":0"}}},
		"missing file":       {Handler: h, HTTPS: []TLSListener{{Address: ":0", Files: []KeyPair{{"no.crt", "no.key"}}}}},
		"small head":         {Handler: h, HTTP: []string{":0"}, Limits: Limits{MaxHeaderBytes: 100}},
		"large head":         {Handler: h, HTTP: []string{":0"}, Limits: Limits{MaxHeaderBytes: 1 << 30}},
		"URL above the head": {Handler: h, HTTP: []string{":0"}, Limits: Limits{MaxHeaderBytes: 2000, MaxURLBytes: 2001}},
		"negative timeout":   {Handler: h, HTTP: []string{":0"}, Limits: Limits{IdleTimeout: -1}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
