package origin

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func twoOrigins(c *Config) {
	c.Origins = []Endpoint{{URL: "http://192.0.2.1"}, {URL: "http://192.0.2.2"}}
}

func TestRoundRobin(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", answering(simple))
	f.set("192.0.2.2:80", answering(simple))
	p := newPool(t, f, twoOrigins)
	used := map[string]int{}
	for range 10 {
		res, _ := mustFetch(t, p, get("/"))
		used[res.Address]++
	}
	if used["192.0.2.1:80"] != 5 || used["192.0.2.2:80"] != 5 {
		t.Errorf("used %v", used)
	}
}

func TestRetries(t *testing.T) {
	closes := func(c *fakeConn) { c.head() }
	for _, test := range []struct {
		name          string
		first, second script
		request       func() *Request
		change        func(*Config)
		kind          Kind // 0: the second origin answers
		dials         int
	}{
		{name: "refused, GET", second: answering(simple), dials: 2},
		{name: "refused, POST with an untouched body", second: answering(simple), dials: 2,
			request: func() *Request { return post(onlyReader{strings.NewReader("")}, 0) }},
		{name: "refused by both", kind: KindConnect, dials: 2},
		{name: "closed, GET", first: closes, second: answering(simple), dials: 2},
		{name: "closed, POST", first: closes, second: answering(simple), kind: KindClosed, dials: 1,
			request: func() *Request { return post(nil, 0) }},
		{name: "closed, PUT with a body that cannot be sent again", first: func(c *fakeConn) { c.head(); c.r.ReadByte() },
			second: answering(simple), kind: KindClosed, dials: 1,
			request: func() *Request {
				r := post(onlyReader{strings.NewReader("abc")}, 3)
				r.Method = "PUT"
				return r
			}},
		{name: "closed, PUT with a body that can", first: func(c *fakeConn) { c.head(); c.r.ReadByte() },
			second: func(c *fakeConn) {
				c.head()
				body := make([]byte, 3)
				if io.ReadFull(c.r, body); string(body) == "abc" {
					c.say(simple)
				}
			}, dials: 2,
			request: func() *Request {
				body := strings.NewReader("-abc")
				body.ReadByte()
				r := post(body, 3)
				r.Method = "PUT"
				return r
			}},
		{name: "part of a response", first: func(c *fakeConn) { c.head(); c.say("HTTP/1.1 200 OK\r\n") },
			second: answering(simple), kind: KindClosed, dials: 1},
		{name: "garbage", first: answering("nonsense\r\n\r\n"), second: answering(simple), kind: KindGarbage, dials: 1},
		{name: "slow", first: func(c *fakeConn) { c.untilClosed() }, second: answering(simple), kind: KindFirstByteTimeout, dials: 1},
		{name: "retries off", second: answering(simple), kind: KindConnect, dials: 1, change: func(c *Config) { c.Retries = -1 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFakeNet()
				for address, s := range map[string]script{"192.0.2.1:80": test.first, "192.0.2.2:80": test.second} {
					if s != nil {
						f.set(address, s)
					}
				}
				p := newPool(t, f, func(c *Config) {
					twoOrigins(c)
					if test.change != nil {
						test.change(c)
					}
				})
				r := get("/")
				if test.request != nil {
					r = test.request()
				}
				_, body, err := fetch(p, r)
				if test.kind != 0 {
					wantKind(t, err, test.kind)
				} else if err != nil || body != "ok" {
					t.Errorf("%q, %v", body, err)
				}
				if d := f.dialled(); len(d) != test.dials {
					t.Errorf("dialled %v", d)
				}
			})
		})
	}
}

// TestConnectionClosedWhileIdle: keep-alive ends at the origin's side between
// two requests; neither is lost and nobody is blamed.
func TestConnectionClosedWhileIdle(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say(simple)
	})
	p := newPool(t, f, nil)
	for range 20 {
		mustFetch(t, p, get("/"))
	}
	if s := p.Status()[0]; s.Failures != 0 || s.Exchanges != 20 {
		t.Errorf("status %+v", s)
	}
}

func TestMaxConnsAndBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			for c.head() != "" {
				pause(time.Second)
				c.say(simple)
			}
		})
		p := newPool(t, f, func(c *Config) { c.MaxConns = 2 })
		var wg sync.WaitGroup
		var mu sync.Mutex
		kinds := map[Kind]int{}
		start := time.Now()
		for range 11 {
			wg.Go(func() {
				_, _, err := fetch(p, get("/"))
				mu.Lock()
				defer mu.Unlock()
				kinds[kindOf(err)]++
			})
		}
		synctest.Wait()
		if s := p.Status()[0]; s.InFlight != 2 || s.Waiting != 8 || s.Connections != 2 {
			t.Errorf("status %+v", s)
		}
		wg.Wait()
		// Two at once. One found the queue full; of the eight in it, those
		// that had no turn within three seconds gave up.
		if kinds[0] < 6 || kinds[0] > 8 || kinds[0]+kinds[KindBusy] != 11 {
			t.Errorf("ended as %v", kinds)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if n := len(f.dialled()); n != 2 {
			t.Errorf("%d connections", n)
		}
		if s := p.Status()[0]; s.InFlight != 0 || s.Waiting != 0 || s.State != StateHealthy {
			t.Errorf("status %+v", s)
		}
	})
}

func TestBusyOriginYieldsToAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) { c.untilClosed() })
		f.set("192.0.2.2:80", answering(simple))
		p := newPool(t, f, func(c *Config) { twoOrigins(c); c.MaxConns = 1 })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Do(ctx, get("/hangs"))
		}()
		synctest.Wait()
		for range 4 {
			if res, _ := mustFetch(t, p, get("/")); res.Address != "192.0.2.2:80" {
				t.Errorf("answered by %s", res.Address)
			}
		}
		cancel()
		<-done
	})
}

func TestCancelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", nil)
		f.set("192.0.2.2:80", func(c *fakeConn) { c.untilClosed() })
		f.set("192.0.2.3:80", func(c *fakeConn) {
			c.head()
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			c.untilClosed()
		})
		for _, host := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"} {
			p := newPool(t, f, func(c *Config) { c.Origins = []Endpoint{{URL: "http://" + host}} })
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			res, err := p.Do(ctx, get("/"))
			if err == nil {
				_, err = io.ReadAll(res.Body)
				res.Body.Close()
			}
			cancel()
			wantKind(t, err, KindCanceled)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", host, err)
			}
			p.Close()
			if s := p.Status()[0]; s.InFlight != 0 || s.Connections != 0 || s.Failures != 0 {
				t.Errorf("%s: %+v", host, s)
			}
		}
	})
}

func TestCloseCutsWhatIsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) { c.untilClosed() })
		f.set("192.0.2.2:80", func(c *fakeConn) {
			c.head()
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			c.untilClosed()
		})
		f.set("192.0.2.3:80", nil)
		p := newPool(t, f, func(c *Config) {
			c.Origins = []Endpoint{{URL: "http://192.0.2.1"}, {URL: "http://192.0.2.2"}, {URL: "http://192.0.2.3"}}
		})
		errs := make(chan error, 3)
		for range 3 {
			go func() {
				_, _, err := fetch(p, get("/"))
				errs <- err
			}()
		}
		synctest.Wait()
		p.Close()
		for range 3 {
			wantKind(t, <-errs, KindPoolClosed)
		}
		_, _, err := fetch(p, get("/"))
		wantKind(t, err, KindPoolClosed)
		for _, s := range p.Status() {
			if s.Connections != 0 || s.InFlight != 0 {
				t.Errorf("after Close: %+v", s)
			}
		}
	})
}

func TestShutdownLetsExchangesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			pause(time.Minute / 2)
			c.say(simple)
		})
		p := newPool(t, f, nil)
		done := make(chan error)
		go func() {
			_, _, err := fetch(p, get("/"))
			done <- err
		}()
		synctest.Wait()
		stopped := make(chan error)
		go func() { stopped <- p.Shutdown(t.Context()) }()
		synctest.Wait()
		_, _, err := fetch(p, get("/"))
		wantKind(t, err, KindPoolClosed)
		if err := <-done; err != nil {
			t.Errorf("the exchange in progress: %v", err)
		}
		if err := <-stopped; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

func TestImpossibleConfigurations(t *testing.T) {
	one := []Endpoint{{URL: "http://192.0.2.1"}}
	for _, test := range []struct {
		want string
		cfg  Config
	}{
		{"no origins", Config{}},
		{"must begin with http", Config{Origins: []Endpoint{{URL: "ftp://a"}}}},
		{"write the URL like", Config{Origins: []Endpoint{{URL: "192.0.2.1:80"}}}},
		{"scheme and a host only", Config{Origins: []Endpoint{{URL: "http://a/b"}}}},
		{"scheme and a host only", Config{Origins: []Endpoint{{URL: "http://u:p@a"}}}},
		{"no valid host", Config{Origins: []Endpoint{{URL: "http://"}}}},
		{"not a host", Config{Origins: []Endpoint{{URL: "http://a", Host: "b/c"}}}},
		{"negotiates", Config{Origins: []Endpoint{{URL: "https://a", HTTP2: true}}}},
		{"ConnectTimeout", Config{Origins: one, ConnectTimeout: -1}},
		{"MaxConns", Config{Origins: one, MaxConns: -1}},
		{"Active.Path", Config{Origins: one, Active: Active{Path: "health"}}},
	} {
		p, err := New(test.cfg)
		if err == nil {
			p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.cfg.Origins, err, test.want)
		}
	}
}

func TestIdleConnectionsAreKeptForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", answering(simple))
		p := newPool(t, f, nil)
		for _, gap := range []time.Duration{29 * time.Second, 31 * time.Second, 0} {
			mustFetch(t, p, get("/"))
			pause(gap)
			synctest.Wait()
		}
		if d := f.dialled(); !slices.Equal(d, []string{"192.0.2.1:80", "192.0.2.1:80"}) {
			t.Errorf("dialled %v", d)
		}
	})
}
