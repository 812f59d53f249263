package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
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

var balancerAddr = &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5555}

func balancers() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// behindProxy is a cleartext port for load balancers.
func behindProxy() Config {
	return Config{
		HTTPListeners: []Listener{{ProxyFrom: balancers()}},
		Handler:       http.HandlerFunc(tellAddresses),
	}
}

// tellAddresses answers with the addresses of the connection.
func tellAddresses(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s to %s", r.RemoteAddr, r.Context().Value(http.LocalAddrContextKey))
}

func wantAddresses(subject proxySubject, source, to string) string {
	switch subject {
	case proxySelf:
		return balancerAddr.String() + " to " + ourAddr.String()
	case proxyAnonymous:
		return "unknown to " + ourAddr.String()
	}
	return source + " to " + to
}

func TestHandlersSeeTheClientsAddress(t *testing.T) {
	for _, tc := range proxyHeaders {
		for _, piece := range []int{0, 1, 7} {
			synctest.Test(t, func(t *testing.T) {
				f := start(t, false, behindProxy())
				c := f.connect()
				c.send(tc.header+get+get, piece)
				for range 2 {
					if _, body := c.response(); body != wantAddresses(tc.subject, tc.source, tc.to) {
						t.Errorf("%s in pieces of %d: %q", tc.name, piece, body)
					}
				}
			})
		}
	}
}

// What follows the header may be anything that the port speaks.
func TestEveryProtocolBehindAProxyHeader(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		for _, major := range []int{1, 2} {
			t.Run(fmt.Sprintf("TLS %v HTTP/%d", encrypted, major), func(t *testing.T) {
				cfg := behindProxy()
				scheme := "http"
				if encrypted {
					handler := cfg.Handler
					cfg, scheme = tlsConfig(t), "https"
					cfg.HTTPS[0].ProxyFrom, cfg.Handler = balancers(), handler
				}
				f := start(t, true, cfg)
				dial := f.dial
				f.dial = func(ctx context.Context) (net.Conn, error) {
					c, err := dial(ctx)
					if err == nil {
						_, err = io.WriteString(c, binaryHeader(0x21, 0x11, inet4, tlsNote))
					}
					return c, err
				}
				client := f.http2Client(encrypted)
				if major == 1 {
					tr := &http.Transport{
						TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
						DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx) },
					}
					defer tr.CloseIdleConnections()
					client = &http.Client{Transport: tr}
				}
				r, err := client.Get(scheme + "://a.example/")
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(r.Body)
				r.Body.Close()
				if want := "192.0.2.7:12345 to 10.0.0.5:443"; string(body) != want || r.ProtoMajor != major {
					t.Errorf("%s %q", r.Proto, body)
				}
			})
		}
	}
}

// The header and what follows it may come in one packet: TLS, here.
func TestNothingBehindAProxyHeaderIsLost(t *testing.T) {
	cfg := tlsConfig(t)
	cfg.HTTPS[0].ProxyFrom, cfg.Handler = balancers(), http.HandlerFunc(tellAddresses)
	f := start(t, true, cfg)
	plain := f.connect()
	first := &prefixed{Conn: plain.Conn, prefix: "PROXY TCP4 192.0.2.7 10.0.0.5 12345 443\r\n"}
	secure := tls.Client(first, &tls.Config{ServerName: "a.example", InsecureSkipVerify: true})
	c := &client{Conn: secure, t: t, r: bufio.NewReader(secure)}
	c.send(get, 0)
	if _, body := c.response(); body != "192.0.2.7:12345 to 10.0.0.5:443" {
		t.Errorf("%q", body)
	}
}

// prefixed sends something in one piece with the first that is written.
type prefixed struct {
	net.Conn
	prefix string
}

func (p *prefixed) Write(b []byte) (int, error) {
	if p.prefix == "" {
		return p.Conn.Write(b)
	}
	n := len(p.prefix)
	b = append([]byte(p.prefix), b...)
	p.prefix = ""
	m, err := p.Conn.Write(b)
	return max(m-n, 0), err
}

func TestMalformedProxyHeadersAreRefused(t *testing.T) {
	for _, tc := range malformedProxyHeaders {
		for _, piece := range []int{0, 1} {
			if piece > 0 && len(tc.header) > 1<<10 {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				f := start(t, false, behindProxy())
				c := f.connect()
				c.send(tc.header+get, piece)
				c.wantEnd()
				if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedProxyHeader || e[0].Status != 0 || e[0].Remote != balancerAddr.String() {
					t.Errorf("%s: events %+v", tc.name, e)
				}
				if st := f.Stats(); st.Refused != 1 || st.HTTP1Requests != 0 {
					t.Errorf("%s: %+v", tc.name, st)
				}
			})
		}
	}
}

// Only one header counts, and only the first bytes are one.
func TestASecondProxyHeaderIsNoRequest(t *testing.T) {
	f := start(t, true, behindProxy())
	c := f.connect()
	const line = "PROXY TCP4 192.0.2.7 10.0.0.5 12345 443\r\n"
	c.send(line+line+get, 0)
	if r, _ := c.response(); r.StatusCode != 400 {
		t.Errorf("%d", r.StatusCode)
	}
	c.wantEnd()
	if e := f.refusals(); len(e) != 1 || e[0].Remote != "192.0.2.7:12345" || e[0].Local != "10.0.0.5:443" {
		t.Errorf("events: %+v", e)
	}
}

// A port without the PROXY protocol believes nobody.
func TestProxyHeadersAreRefusedElsewhere(t *testing.T) {
	f := start(t, true, Config{})
	c := f.connect()
	c.send("PROXY TCP4 192.0.2.7 10.0.0.5 12345 443\r\n"+get, 0)
	if r, _ := c.response(); r.StatusCode != 400 {
		t.Errorf("%d", r.StatusCode)
	}
	if len(f.requests()) > 0 {
		t.Errorf("handled: %q", f.requests())
	}
}

func TestStrangersAreRefusedWhereProxiesConnect(t *testing.T) {
	for _, header := range []string{"", "PROXY TCP4 192.0.2.7 10.0.0.5 12345 443\r\n"} {
		cfg := behindProxy()
		cfg.HTTPListeners[0].ProxyFrom = []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32")}
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, cfg)
			c := f.connect()
			c.send(header+get, 0)
			c.wantEnd()
			if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedPeer || e[0].Remote != balancerAddr.String() {
				t.Errorf("events: %+v", e)
			}
		})
	}
}

// A loopback address is that of whoever names it.
func TestALoopbackAddressOfAnotherHostIsNotOurs(t *testing.T) {
	for _, tc := range []struct {
		peer   net.Addr
		header string
		want   string
	}{
		{balancerAddr, "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", "unknown to 10.0.0.9:80"},
		{balancerAddr, "PROXY TCP6 ::1 ::1 1 2\r\n", "unknown to 10.0.0.9:80"},
		{balancerAddr, "PROXY TCP6 ::ffff:127.0.0.1 ::1 1 2\r\n", "unknown to 10.0.0.9:80"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 5}, "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n", "127.0.0.1:1 to 127.0.0.1:2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, behindProxy())
			ours, theirs := net.Pipe()
			f.cfg.HTTPListeners[0].Listener.(*pipes).conns <- addressed{theirs, tc.peer}
			c := &client{Conn: ours, t: t, r: bufio.NewReader(ours)}
			c.send(tc.header+get, 0)
			if _, body := c.response(); body != tc.want {
				t.Errorf("%v says %q: %q", tc.peer, tc.header, body)
			}
		})
	}
}

func TestSlowProxyHeaders(t *testing.T) {
	for _, began := range []string{"", "PROXY ", proxyV2Signature} {
		synctest.Test(t, func(t *testing.T) {
			f := start(t, false, behindProxy())
			c := f.connect()
			c.send(began, 0)
			before := time.Now()
			c.wantEnd()
			if d := time.Since(before); d != defaultHeadTimeout {
				t.Errorf("%q: after %v", began, d)
			}
			e := f.refusals()
			if began == "" && len(e) > 0 || began != "" && (len(e) != 1 || e[0].Reason != event.RefusedProxyTimeout) {
				t.Errorf("%q: events %+v", began, e)
			}
		})
	}
}

// The time for a header does not run on into what follows.
func TestAProxyHeaderDoesNotShortenTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, behindProxy())
		c := f.connect()
		<-time.After(defaultHeadTimeout - time.Second)
		c.send("PROXY UNKNOWN\r\n", 0)
		<-time.After(defaultHeadTimeout - time.Second)
		c.send(get, 0)
		if r, _ := c.response(); r.StatusCode != 200 {
			t.Errorf("%d", r.StatusCode)
		}
	})
}

// Load balancers connect and leave to see whether we are there.
func TestABalancersCheckIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, behindProxy())
		for _, began := range []string{"", "PROXY TCP4"} {
			c := f.connect()
			c.send(began, 0)
			synctest.Wait()
			c.Close()
		}
		synctest.Wait()
		if len(f.refusals()) > 0 {
			t.Errorf("events: %+v", f.refusals())
		}
		if st := f.Stats(); st.Open != 0 || st.Accepted != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestDrainDoesNotWaitForProxyHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, behindProxy())
		c := f.connect()
		c.send("PROXY TCP4 ", 0)
		synctest.Wait()
		before := time.Now()
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(before); d > time.Second { // net/http looks every now and then
			t.Errorf("after %v", d)
		}
		c.wantEnd()
	})
}

// The limit for one address is for those that the proxy names, not for the
// proxy, through which everybody comes.
func TestMaxConnsPerAddressBehindAProxy(t *testing.T) {
	cfg := behindProxy()
	cfg.Limits.MaxConnsPerAddress = 2
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		connect := func(header string) (*client, bool) {
			c := f.connect()
			c.send(header+get, 0)
			_, err := http.ReadResponse(c.r, nil)
			return c, err == nil
		}
		from := func(ip string) string {
			if strings.Contains(ip, ":") {
				return "PROXY TCP6 " + ip + " 2001:db8::5 1 2\r\n"
			}
			return "PROXY TCP4 " + ip + " 10.0.0.5 1 2\r\n"
		}
		first, _ := connect(from("192.0.2.7"))
		for _, step := range []struct {
			header string
			served bool
		}{
			{from("192.0.2.7"), true},
			{from("192.0.2.7"), false},
			{from("::ffff:192.0.2.7"), false},
			{from("192.0.2.8"), true},
			{from("2001:db8::1"), true},
			{from("2001:db8::2"), true},
			{from("2001:db8::3"), false},
			{from("2001:db8:0:1::3"), true},
			{"PROXY UNKNOWN\r\n", true},
			{"PROXY UNKNOWN\r\n", true},
			{"PROXY UNKNOWN\r\n", true},
			{binaryHeader(0x20, 0), true},
			{binaryHeader(0x20, 0), true},
			{binaryHeader(0x20, 0), true},
		} {
			if _, served := connect(step.header); served != step.served {
				t.Errorf("%q: served %v", step.header, served)
			}
		}
		e := f.refusals()
		if len(e) != 3 || e[0].Reason != event.RefusedTooManyFromOneAddress || e[0].Remote != "192.0.2.7:1" {
			t.Errorf("events: %+v", e)
		}
		first.Close()
		synctest.Wait()
		if _, served := connect(from("192.0.2.7")); !served {
			t.Error("the place of a closed connection stays taken")
		}
	})
}

func TestAllPlacesAreGivenBack(t *testing.T) {
	cfg := behindProxy()
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		for _, header := range []string{"", "PROXY", "nonsense", "PROXY UNKNOWN\r\n", "PROXY TCP4 192.0.2.7 10.0.0.5 1 2\r\n"} {
			c := f.connect()
			c.send(header, 0)
			synctest.Wait()
			c.Close()
		}
		synctest.Wait()
		f.links.mu.Lock()
		defer f.links.mu.Unlock()
		if len(f.links.mu.links) != 0 || len(f.links.mu.from) != 0 || f.links.mu.notHTTP2 != 0 {
			t.Errorf("%+v", f.links.mu.from)
		}
	})
}

func TestProxyNetworksThatMatchNobodyAreErrors(t *testing.T) {
	for _, list := range [][]netip.Prefix{{}, {netip.Prefix{}}, {netip.MustParsePrefix("::ffff:10.0.0.0/104")}} {
		h := http.NotFoundHandler()
		if _, err := New(Config{Handler: h, HTTPListeners: []Listener{{Address: ":0", ProxyFrom: list}}}); err == nil {
			t.Errorf("%v: no error", list)
		}
		withTLS := TLSListener{Address: ":0", ProxyFrom: list, TLS: &tls.Config{Certificates: make([]tls.Certificate, 1)}}
		if _, err := New(Config{Handler: h, HTTPS: []TLSListener{withTLS}}); err == nil {
			t.Errorf("%v: no error with TLS", list)
		}
	}
}

// What is behind a header belongs to the connection in its order.
func TestBytesBehindAProxyHeaderKeepTheirOrder(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	cfg := behindProxy()
	cfg.Handler = nil
	f := start(t, true, cfg)
	c := f.connect()
	c.send("PROXY UNKNOWN\r\n"+fmt.Sprintf("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)+get, 0)
	if _, got := c.response(); got != "POST /a "+string(body) {
		t.Errorf("%d bytes came back", len(got))
	}
	if _, got := c.response(); got != "GET /a " {
		t.Errorf("%q", got)
	}
}

// A connection that ends before its address is known is counted nowhere.
func TestClosedConnectionsAreNotLocated(t *testing.T) {
	table, limits := newTable(), &Limits{MaxConns: 1}
	l, _ := table.add(&scripted{from: "10.0.0.1"}, netip.Addr{}, limits)
	l.Close()
	if reason := table.locate(l, limits); reason != "" || len(table.mu.from) > 0 {
		t.Errorf("%q, %v", reason, table.mu.from)
	}
}
