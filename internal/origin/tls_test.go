package origin

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func tlsOrigin(t *testing.T, http2 bool) (url string, roots *x509.CertPool) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			io.Copy(conn, rw)
			return
		}
		fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, r.TLS.ServerName)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.URL, roots
}

func tlsPool(t *testing.T, e Endpoint) *Pool {
	t.Helper()
	// Fifty handshakes at once take a busy machine seconds.
	p, err := New(Config{Origins: []Endpoint{e}, ConnectTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestTLSNegotiatesTheVersion(t *testing.T) {
	for http2, want := range map[bool]string{
		false: "HTTP/1.1 www.example.com example.com",
		true:  "HTTP/2.0 www.example.com example.com",
	} {
		url, roots := tlsOrigin(t, http2)
		p := tlsPool(t, Endpoint{URL: url, SNI: "example.com", RootCAs: roots})
		for range 3 {
			if _, body := mustFetch(t, p, get("/")); body != want {
				t.Errorf("%q, want %q", body, want)
			}
		}
		if n := p.Status()[0].Connections; n != 1 {
			t.Errorf("%d connections", n)
		}
	}
}

func TestUpgradeGoesOutOnHTTP1(t *testing.T) {
	url, roots := tlsOrigin(t, true)
	p := tlsPool(t, Endpoint{URL: url, RootCAs: roots})
	mustFetch(t, p, get("/"))
	r := get("/")
	r.Upgrade = "x"
	res, err := p.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Upgraded.Close()
	io.WriteString(res.Upgraded, "hi\n")
	if line, err := bufio.NewReader(res.Upgraded).ReadString('\n'); line != "hi\n" {
		t.Errorf("%q, %v", line, err)
	}
}

func TestTLSFailures(t *testing.T) {
	url, roots := tlsOrigin(t, true)
	for name, e := range map[string]Endpoint{
		"unknown authority": {URL: url},
		"other name":        {URL: url, RootCAs: roots, SNI: "other.test"},
		"no TLS":            {URL: strings.Replace(plainOrigin(t), "http:", "https:", 1)},
	} {
		p := tlsPool(t, e)
		_, _, err := fetch(p, get("/"))
		if kindOf(err) != KindTLS {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := tlsPool(t, Endpoint{URL: url, InsecureSkipVerify: true, SNI: "other.test"})
	mustFetch(t, p, get("/"))
}

func plainOrigin(t *testing.T) string {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	return s.URL
}

func TestTLSHandshakeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:443", func(c *fakeConn) { c.untilClosed() })
		p := newPool(t, f, func(c *Config) { c.Origins = []Endpoint{{URL: "https://192.0.2.1"}} })
		start := time.Now()
		_, _, err := fetch(p, get("/"))
		wantKind(t, err, KindConnectTimeout)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestTruncationOverTLS: a TLS connection that ends without being closed
// properly inside a body is no complete body.
func TestTruncationOverTLS(t *testing.T) {
	template := httptest.NewTLSServer(nil)
	certificate := template.TLS.Certificates[0]
	roots := x509.NewCertPool()
	roots.AddCert(template.Certificate())
	template.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close() // of TCP: no close_notify
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}})
		http.ReadRequest(bufio.NewReader(secure))
		io.WriteString(secure, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
	}()
	p := tlsPool(t, Endpoint{URL: "https://" + l.Addr().String(), RootCAs: roots})
	_, body, err := fetch(p, get("/"))
	wantKind(t, err, KindTruncated)
	if body != "abc" {
		t.Errorf("body %q", body)
	}
	l.Close()
	<-done
}
