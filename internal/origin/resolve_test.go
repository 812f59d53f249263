package origin

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func named(r *fakeResolver, change func(*Config)) func(*Config) {
	return func(c *Config) {
		c.Origins = []Endpoint{{URL: "http://origin.example:8080"}}
		c.Resolver = r
		if change != nil {
			change(c)
		}
	}
}

func TestAllAddressesOfANameAreUsed(t *testing.T) {
	r := &fakeResolver{}
	r.set("origin.example", "192.0.2.2", "2001:db8::1", "192.0.2.1", "192.0.2.2", "nonsense")
	f := newFakeNet()
	used := map[string]int{}
	for _, a := range []string{"192.0.2.1:8080", "192.0.2.2:8080", "[2001:db8::1]:8080"} {
		f.set(a, answering(simple))
	}
	p := newPool(t, f, named(r, nil))
	for range 9 {
		res, _ := mustFetch(t, p, get("/"))
		used[res.Address]++
	}
	if used["192.0.2.1:8080"] != 3 || used["192.0.2.2:8080"] != 3 || used["[2001:db8::1]:8080"] != 3 {
		t.Errorf("used %v", used)
	}
}

func TestAnotherAddressIsTriedWhenOneRefuses(t *testing.T) {
	r := &fakeResolver{}
	r.set("origin.example", "192.0.2.1", "192.0.2.2")
	f := newFakeNet()
	f.set("192.0.2.2:8080", answering(simple))
	p := newPool(t, f, named(r, nil))
	for range 6 {
		mustFetch(t, p, get("/"))
	}
}

// TestAddressesChange: an address that leaves the name gets no new requests,
// its idle connections go, and an exchange on it is completed.
func TestAddressesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeResolver{}
		r.set("origin.example", "192.0.2.1")
		f := newFakeNet()
		f.set("192.0.2.1:8080", func(c *fakeConn) {
			for h := c.head(); h != ""; h = c.head() {
				if !strings.HasPrefix(h, "GET /long ") {
					c.say(simple)
					continue
				}
				c.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
				for range 2 {
					pause(59 * time.Second)
					c.say("x")
				}
			}
		})
		f.set("192.0.2.2:8080", answering(simple))
		p := newPool(t, f, named(r, func(c *Config) { c.KeepAlive = time.Hour }))
		long, err := p.Do(t.Context(), get("/long"))
		if err != nil {
			t.Fatal(err)
		}
		mustFetch(t, p, get("/"))
		r.set("origin.example", "192.0.2.2")
		pause(31 * time.Second)
		if res, _ := mustFetch(t, p, get("/")); res.Address != "192.0.2.2:8080" {
			t.Errorf("answered by %s", res.Address)
		}
		if s := p.Status(); len(s) != 1 || s[0].Address != "192.0.2.2:8080" {
			t.Errorf("status %+v", s)
		}
		if body, err := io.ReadAll(long.Body); string(body) != "xx" || err != nil {
			t.Errorf("the exchange on the old address: %q, %v", body, err)
		}
		long.Body.Close()
		p.conns.mu.Lock()
		defer p.conns.mu.Unlock()
		if n := len(p.conns.mu.conns); n != 1 {
			t.Errorf("%d connections are open", n)
		}
	})
}

func TestFailingLookupsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeResolver{}
		r.set("origin.example", "192.0.2.1")
		f := newFakeNet()
		f.set("192.0.2.1:8080", answering(simple))
		var log logged
		p := newPool(t, f, named(r, func(c *Config) { c.Log = log.logger() }))
		mustFetch(t, p, get("/"))
		r.set("origin.example")
		pause(5 * time.Minute)
		mustFetch(t, p, get("/"))
		if s := p.Status()[0]; s.State != StateHealthy || !strings.Contains(s.LookupError, "no such host") {
			t.Errorf("status %+v", s)
		}
		r.set("origin.example", "192.0.2.1")
		pause(time.Minute)
		if s := p.Status()[0]; s.LookupError != "" || s.Exchanges != 2 {
			t.Errorf("status %+v", s)
		}
		if n, m := log.count("does not resolve"), log.count("resolves again"); n != 1 || m != 1 {
			t.Errorf("logged %d failures and %d recoveries", n, m)
		}
	})
}

func TestNameThatDoesNotResolveYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &fakeResolver{}
		f := newFakeNet()
		f.set("192.0.2.1:8080", answering(simple))
		p := newPool(t, f, named(r, nil))
		start := time.Now()
		_, _, err := fetch(p, get("/"))
		wantKind(t, err, KindNoOrigin)
		if !strings.Contains(err.Error(), "no such host") || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if s := p.Status()[0]; s.State != StateDown || s.Address != "" {
			t.Errorf("status %+v", s)
		}
		r.set("origin.example", "192.0.2.1")
		pause(lookupRetry + 1)
		mustFetch(t, p, get("/"))
	})
}

func TestTooManyAddresses(t *testing.T) {
	u := &upstream{endpoint: endpoint{hostname: "a", port: "80"}}
	var hosts []string
	for i := range 2 * maxAddresses {
		hosts = append(hosts, fmt.Sprintf("192.0.2.%d", i))
	}
	got, err := u.addresses(append(hosts, hosts...))
	if len(got) != maxAddresses || err != nil {
		t.Errorf("%d addresses, %v", len(got), err)
	}
}
