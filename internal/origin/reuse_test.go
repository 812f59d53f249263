package origin

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// secureOrigin serves TLS connections with a script, and negotiates what
// versions says at the time.
func secureOrigin(t *testing.T, versions func() []string, serve func(c net.Conn, protocol string)) (url string, roots *x509.CertPool) {
	template := httptest.NewTLSServer(nil)
	certificate := template.TLS.Certificates[0]
	roots = x509.NewCertPool()
	roots.AddCert(template.Certificate())
	template.Close()
	address := listen(t, func(c net.Conn) {
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: versions()})
		if secure.Handshake() == nil {
			serve(secure, secure.ConnectionState().NegotiatedProtocol)
		}
	})
	return "https://" + address, roots
}

// TestBytesOnAnIdleSecureConnection: what TLS has decrypted or not, a response
// that nobody asked for answers nobody.
func TestBytesOnAnIdleSecureConnection(t *testing.T) {
	for name, answer := range map[string][]string{
		"in one record":        {simple + "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"},
		"in the next record":   {simple, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"},
		"behind a large body":  {"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000) + "HTTP/1.1 200 OK\r\n"},
		"a record behind that": {"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + strings.Repeat("x", 20000), "HTTP/1.1 200 OK\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			said := make(chan bool, 10)
			url, roots := secureOrigin(t, func() []string { return onlyHTTP1 }, func(c net.Conn, _ string) {
				r := bufio.NewReader(c)
				for {
					if _, err := http.ReadRequest(r); err != nil {
						return
					}
					for _, s := range answer {
						io.WriteString(c, s)
					}
					said <- true
				}
			})
			p := tlsPool(t, Endpoint{URL: url, RootCAs: roots})
			_, first := mustFetch(t, p, get("/"))
			for range 5 {
				<-said
				if _, body := mustFetch(t, p, get("/")); body != first {
					t.Fatalf("answered with %.20q", body)
				}
			}
		})
	}
}

// TestOriginThatChangesItsVersion speaks HTTP/2, then HTTP/1, then HTTP/2 again,
// as one that is reconfigured does; no request fails.
func TestOriginThatChangesItsVersion(t *testing.T) {
	var mu sync.Mutex
	versions := bothVersions
	url, roots := secureOrigin(t, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return versions
	}, func(c net.Conn, protocol string) {
		if protocol == "h2" {
			h2Origin{c}.serve(func(o h2Origin, stream uint32) {
				o.fields(stream, true, ":status", "200")
				c.Close()
			})
			return
		}
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	})
	p := tlsPool(t, Endpoint{URL: url, RootCAs: roots})
	for _, want := range []string{"HTTP/2.0", "HTTP/1.1", "HTTP/1.1", "HTTP/2.0"} {
		mu.Lock()
		if versions = bothVersions; want == "HTTP/1.1" {
			versions = onlyHTTP1
		}
		mu.Unlock()
		if res, _ := mustFetch(t, p, get("/")); res.Proto != want {
			t.Errorf("spoke %s, want %s", res.Proto, want)
		}
	}
	if s := p.Status()[0]; s.Failures != 0 || s.InFlight != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestManyAtFirst: the version of HTTP is not known yet when many ask at once.
func TestManyAtFirst(t *testing.T) {
	for http2, want := range map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"} {
		url, roots := tlsOrigin(t, http2)
		p := tlsPool(t, Endpoint{URL: url, RootCAs: roots})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if res, _, err := fetch(p, get("/")); err != nil || res.Proto != want {
					t.Errorf("%v, %v", res, err)
				}
			})
		}
		wg.Wait()
	}
}

// TestCancellingOverTCP: a caller that leaves is not kept by a silent origin,
// whether it waits for a head or for a body.
func TestCancellingOverTCP(t *testing.T) {
	for _, said := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"} {
		f := overSockets()
		waits := make(chan bool, 1)
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			c.say(said)
			waits <- true
			c.untilClosed()
		})
		p := newPool(t, f, nil)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			<-waits
			cancel()
		}()
		res, err := p.Do(ctx, get("/"))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		wantKind(t, err, KindCanceled)
		if s := p.Status()[0]; s.InFlight != 0 || s.Failures != 0 || s.Connections != 0 {
			t.Errorf("status %+v", s)
		}
	}
}

// TestLateCancelHurtsNobody: a context that ends when its exchange is over must
// not cut the connection, on which there is another one by then.
func TestLateCancelHurtsNobody(t *testing.T) {
	f := overSockets()
	f.set("192.0.2.1:80", answering(simple))
	p := newPool(t, f, nil)
	for range 300 {
		ctx, cancel := context.WithCancel(context.Background())
		res, err := p.Do(ctx, get("/"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Fatal(err)
		}
		go cancel()
		mustFetch(t, p, get("/"))
	}
	if s := p.Status()[0]; s.Failures != 0 {
		t.Errorf("status %+v", s)
	}
}

// TestEarlyAnswer: an origin refuses a body that it has not read, and closes.
// What it said arrives.
func TestEarlyAnswer(t *testing.T) {
	for _, network := range []*fakeNet{newFakeNet(), overSockets()} {
		network.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			c.say("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
			io.CopyN(io.Discard, c.r, 1<<20) // as servers do, or the answer may be lost with a reset
		})
		p := newPool(t, network, nil)
		endless := readerFunc(func(b []byte) (int, error) { return len(b), nil })
		res, body := mustFetch(t, p, post(onlyReader{endless}, -1))
		if res.Status != 413 || body != "no" {
			t.Errorf("%d %q", res.Status, body)
		}
		p.Close()
		if s := p.Status()[0]; s.InFlight != 0 || s.Connections != 0 {
			t.Errorf("status %+v", s)
		}
	}
}

// TestStaleConnections: an origin restarts, and has closed many connections at
// once. Nobody notices, not even whose request may not be repeated.
func TestStaleConnections(t *testing.T) {
	f := overSockets()
	var restart sync.WaitGroup
	restart.Add(1)
	closed := make(chan bool, 20)
	var together sync.WaitGroup
	together.Add(20)
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		if c.n <= 20 {
			together.Done()
			together.Wait()
			c.say(simple)
			restart.Wait()
			c.Close()
			closed <- true
			return
		}
		c.say(simple)
		answering(simple)(c)
	})
	p := newPool(t, f, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { mustFetch(t, p, get("/")) })
	}
	wg.Wait()
	restart.Done()
	for range 20 {
		<-closed
	}
	mustFetch(t, p, post(nil, 0))
	if s := p.Status()[0]; s.Failures != 0 || s.Exchanges != 21 || s.Connections != 1 {
		t.Errorf("status %+v", s)
	}
}

// TestIdleConnectionsAreBounded: no more than MaxIdle stay.
func TestIdleConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			for c.head() != "" {
				pause(time.Second)
				c.say(simple)
			}
		})
		p := newPool(t, f, func(c *Config) { c.MaxIdle = 3 })
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { mustFetch(t, p, get("/")) })
		}
		wg.Wait()
		if s := p.Status()[0]; s.Connections != 3 {
			t.Errorf("status %+v", s)
		}
		pause(31 * time.Second)
		if s := p.Status()[0]; s.Connections != 0 {
			t.Errorf("later: %+v", s)
		}
	})
}
