package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
)

// fastFunc is a FastHandler.
type fastFunc func(w FastWriter, r *FastRequest) bool

func (f fastFunc) ServeFast(w FastWriter, r *FastRequest) bool { return f(w, r) }

// answerFast sends a response with the given content.
func answerFast(w FastWriter, r *FastRequest, content ...string) {
	var parts [][]byte
	size := 0
	for _, part := range content {
		size += len(part)
		parts = append(parts, []byte(part))
	}
	if r.Method == "HEAD" {
		parts = nil
	}
	w.Send(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nX-Fast: 1\r\nContent-Length: %d\r\n\r\n", size), parts)
}

// fast answers requests under /fast, with what it was told of them, and notes
// them with a mark.
func (f *fixture) fast(w FastWriter, r *FastRequest) bool {
	if !strings.HasPrefix(r.Target, "/fast") {
		return false
	}
	line := strings.Clone(r.Method + " " + r.Target + " ")
	f.note("fast " + line)
	answerFast(w, r, line[:1], "", line[1:])
	return true
}

func startFast(t *testing.T, tcp bool, cfg Config) *fixture {
	t.Helper()
	var f *fixture
	cfg.Fast = fastFunc(func(w FastWriter, r *FastRequest) bool { return f.fast(w, r) })
	f = start(t, tcp, cfg)
	return f
}

const getFast = "GET /fast HTTP/1.1\r\nHost: a.example\r\n\r\n"

// wantAnswer reads a response to "GET target" and checks who gave it.
func (c *client) wantAnswer(target string, fast bool) {
	c.t.Helper()
	r, body := c.response()
	if body != "GET "+target+" " || (r.Header.Get("X-Fast") != "") != fast {
		c.t.Errorf("%d %q, fast %q; want %s, fast %v", r.StatusCode, body, r.Header.Get("X-Fast"), target, fast)
	}
}

func TestFastAndOtherRequestsInAnyOrder(t *testing.T) {
	seed := rand.Uint64()
	for _, encrypted := range []bool{false, true} {
		var memory, tcp Config
		if encrypted {
			memory, tcp = tlsConfig(t), tlsConfig(t)
		}
		synctest.Test(t, func(t *testing.T) {
			f := startFast(t, false, memory)
			f.mixed(rand.New(rand.NewPCG(seed, 0)), encrypted)
		})
		f := startFast(t, true, tcp)
		f.mixed(rand.New(rand.NewPCG(seed, 0)), encrypted)
		if t.Failed() {
			t.Fatalf("TLS %v, seed %d", encrypted, seed)
		}
	}
}

// mixed sends requests of both kinds on one connection, each as soon as the one
// before is answered.
func (f *fixture) mixed(order *rand.Rand, encrypted bool) {
	c := f.connect()
	if encrypted {
		c, _ = f.secure("a.example")
	}
	for i := range 200 {
		fast := order.IntN(2) == 0
		target := fmt.Sprintf("/%d", i)
		if fast {
			target = "/fast" + target
		}
		c.send("GET "+target+" HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", 0)
		if c.wantAnswer(target, fast); f.t.Failed() {
			return
		}
	}
	c.Close()
	if n := f.Stats().HTTP1Requests; n != 200 {
		f.t.Errorf("%d requests were counted", n)
	}
}

func TestWhatAFastRequestSays(t *testing.T) {
	cfg := tlsConfig(t)
	var heard []string
	cfg.Fast = fastFunc(func(w FastWriter, r *FastRequest) bool {
		heard = append(heard, fmt.Sprintf("%s %s %s %q %s %s %x", r.Method, r.Target, r.Host, r.Fields, r.Remote, r.Peer, r.TLS))
		answerFast(w, r)
		return true
	})
	f := start(t, true, cfg)
	c, state := f.secure("a.example")
	c.send("HEAD /a?b HTTP/1.1\r\nHost: A.example:8443\r\nConnection: keep-alive\r\nX: 1\r\nx:  2 \r\n\r\n", 0)
	if r, err := http.ReadResponse(c.r, &http.Request{Method: "HEAD"}); err != nil || r.ContentLength != 0 {
		t.Fatal(r, err)
	}
	remote := c.LocalAddr().String()
	want := fmt.Sprintf("HEAD /a?b A.example:8443 [{\"X\" \"1\"} {\"x\" \"2\"}] %s %s %x",
		remote, netip.MustParseAddrPort(remote).Addr(), state.Version)
	if len(heard) != 1 || heard[0] != want {
		t.Errorf("%q, want %q", heard, want)
	}
}

func TestFastRequestsHaveTheAddressOfAProxyHeader(t *testing.T) {
	var remote, peer string
	f := start(t, true, Config{
		HTTPListeners: []Listener{{ProxyFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
		Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
			remote, peer = strings.Clone(r.Remote), r.Peer.String()
			answerFast(w, r, "GET ", r.Target, " ")
			return true
		}),
	})
	c := f.connect()
	c.send("PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n"+getFast, 0)
	c.wantAnswer("/fast", true)
	c.send(getFast, 0)
	c.wantAnswer("/fast", true)
	if remote != "192.0.2.7:1234" || peer != "192.0.2.7" {
		t.Errorf("%s, %s", remote, peer)
	}
}

// Requests that are not alone on the way, or that have bodies, go through
// net/http, and so does whatever follows them on the connection.
func TestPipelinesAndBodiesAreNotOffered(t *testing.T) {
	for _, before := range []string{getFast + getFast, post + "Content-Length: 2\r\n\r\nhi"} {
		for _, tcp := range []bool{false, true} {
			f := startFast(t, tcp, Config{})
			c := f.connect()
			c.send(getFast, 0)
			c.wantAnswer("/fast", true)
			c.send(before, 0)
			c.response()
			if before == getFast+getFast {
				c.response()
			}
			c.send(getFast, 0)
			c.wantAnswer("/fast", false)
			c.Close()
		}
	}
}

// A head that arrives in pieces goes through net/http; the next does not.
func TestHeadsInPiecesAreAnsweredAlike(t *testing.T) {
	for _, hits := range []int{0, 1} {
		for cut := 1; cut < len(getFast); cut++ {
			synctest.Test(t, func(t *testing.T) {
				f := startFast(t, false, Config{})
				c := f.connect()
				for range hits {
					c.send(getFast, 0)
					c.wantAnswer("/fast", true)
				}
				c.send(getFast[:cut], 0)
				synctest.Wait()
				c.send(getFast[cut:], 0)
				c.wantAnswer("/fast", false)
				c.send(getFast, 0)
				c.wantAnswer("/fast", true)
			})
		}
	}
}

func TestRefusalsAfterFastRequests(t *testing.T) {
	for _, tc := range refusedHeads {
		if len(tc.head) > 4096 {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			f := startFast(t, false, Config{})
			c := f.connect()
			c.send(getFast, 0)
			c.wantAnswer("/fast", true)
			c.send(tc.head, 0)
			if r, _ := c.response(); r.StatusCode < 400 || !r.Close {
				t.Errorf("%d to %q", r.StatusCode, tc.head)
			}
			c.wantEnd()
			if len(f.refusals()) != 1 || len(f.requests()) != 1 {
				t.Errorf("%+v %q", f.refusals(), f.requests())
			}
		})
	}
}

// A client may say that it sends no more and still wait for the answer.
func TestHalfClosedConnectionsAreAnswered(t *testing.T) {
	f := startFast(t, true, Config{})
	c := f.connect()
	if _, err := io.WriteString(c, getFast); err != nil {
		t.Fatal(err)
	}
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.wantAnswer("/fast", true)
	c.wantEnd()
}

func TestClientsThatLeaveAreForgotten(t *testing.T) {
	f := startFast(t, true, Config{})
	for range 20 {
		c := f.connect()
		io.WriteString(c, getFast)
		c.Close()
	}
	if !eventually(t, func() bool { return f.Stats().Open == 0 }) {
		t.Errorf("%d connections are left", f.Stats().Open)
	}
}
