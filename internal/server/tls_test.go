package server

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// writeCertificate makes a certificate for a name and writes it to files.
func writeCertificate(t testing.TB, dir, name string, serial int64) KeyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Unix(1<<33, 0),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pair := KeyPair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	writePEM(t, pair.Cert, "CERTIFICATE", cert)
	writePEM(t, pair.Key, "PRIVATE KEY", private)
	return pair
}

func writePEM(t testing.TB, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tlsConfig(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	return Config{HTTPS: []TLSListener{{Address: "127.0.0.1:0", Files: []KeyPair{
		writeCertificate(t, dir, "a.example", 1), writeCertificate(t, dir, "b.example", 2),
	}}}}
}

// secure makes a TLS connection that offers the given protocols.
func (f *fixture) secure(name string, protocols ...string) (*client, tls.ConnectionState) {
	f.t.Helper()
	plain := f.connect()
	c := tls.Client(plain.Conn, &tls.Config{ServerName: name, NextProtos: protocols, InsecureSkipVerify: true})
	if err := c.Handshake(); err != nil {
		f.t.Fatal(err)
	}
	return &client{Conn: c, t: f.t, r: bufio.NewReader(c)}, c.ConnectionState()
}

func TestHTTP1OverTLS(t *testing.T) {
	for _, protocols := range [][]string{nil, {"http/1.1"}} {
		cfg := tlsConfig(t)
		cfg.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "%s %s %v", r.Proto, r.TLS.ServerName, r.TLS.HandshakeComplete)
		})
		f := start(t, true, cfg)
		c, _ := f.secure("b.example", protocols...)
		c.send(get+get+"GET /smuggled HTTP/1.1\nHost: a\n\n", 0)
		for range 2 {
			if _, body := c.response(); body != "HTTP/1.1 b.example true" {
				t.Errorf("%q", body)
			}
		}
		if r, _ := c.response(); r.StatusCode != 400 {
			t.Errorf("%d", r.StatusCode)
		}
		c.wantEnd()
		c.Close()
	}
}

func TestUpgradeOverTLS(t *testing.T) {
	cfg := tlsConfig(t)
	cfg.Handler = http.HandlerFunc(upgradeToEcho)
	f := start(t, true, cfg)
	c, _ := f.secure("a.example")
	c.send(lineHost+"Connection: upgrade\r\nUpgrade: echo\r\n\r\n\x00\x01", 0)
	if r, err := http.ReadResponse(c.r, nil); err != nil || r.StatusCode != 101 {
		t.Fatalf("%v %v", r, err)
	}
	got := make([]byte, 2)
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != "\x00\x01" {
		t.Errorf("%q %v", got, err)
	}
}

func TestCertificateFitsTheName(t *testing.T) {
	f := start(t, true, tlsConfig(t))
	for _, tc := range []struct {
		name   string
		serial int64
	}{{"a.example", 1}, {"b.example", 2}, {"c.example", 1}, {"", 1}} {
		_, state := f.secure(tc.name)
		if n := state.PeerCertificates[0].SerialNumber.Int64(); n != tc.serial {
			t.Errorf("%q: certificate %d", tc.name, n)
		}
	}
}

func TestCertificatesAreReplacedWhileConnectionsGoOn(t *testing.T) {
	cfg := tlsConfig(t)
	f := start(t, true, cfg)
	c, _ := f.secure("a.example")
	ask := func() {
		t.Helper()
		c.send(get, 0)
		if _, body := c.response(); body != "GET /a " {
			t.Errorf("%q", body)
		}
	}
	serial := func() int64 {
		_, state := f.secure("a.example")
		return state.PeerCertificates[0].SerialNumber.Int64()
	}
	ask()
	dir := filepath.Dir(cfg.HTTPS[0].Files[0].Cert)
	writeCertificate(t, dir, "a.example", 3)
	if err := f.ReloadCertificates(); err != nil {
		t.Fatal(err)
	}
	ask()
	if n := serial(); n != 3 {
		t.Errorf("certificate %d after the reload", n)
	}

	writeCertificate(t, dir, "a.example", 4)
	if err := os.WriteFile(cfg.HTTPS[0].Files[1].Cert, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.ReloadCertificates(); err == nil {
		t.Error("a bad file was taken")
	}
	ask()
	if n := serial(); n != 3 {
		t.Errorf("certificate %d after the failed reload", n)
	}
}

func TestCleartextOnATLSPort(t *testing.T) {
	f := start(t, true, tlsConfig(t))
	c := f.connect()
	c.send(get, 0)
	if r, body := c.response(); r.StatusCode != 400 || !strings.Contains(body, string(event.RefusedCleartext)) {
		t.Errorf("%d %q", r.StatusCode, body)
	}
	c.wantEnd()
	if e := f.refusals(); len(e) != 1 || e[0].Reason != event.RefusedCleartext {
		t.Errorf("events: %+v", e)
	}
}

func TestSlowHandshakeEnds(t *testing.T) {
	cfg := tlsConfig(t)
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, cfg)
		c := f.connect()
		c.send("\x16\x03\x01", 0)
		began := time.Now()
		c.wantEnd()
		if d := time.Since(began); d != defaultHandshake {
			t.Errorf("after %v", d)
		}
	})
}

// A handshake that does not go on keeps nobody else waiting.
func TestHandshakesDoNotWaitForEachOther(t *testing.T) {
	f := start(t, true, tlsConfig(t))
	for range 50 {
		f.connect()
	}
	c, _ := f.secure("a.example")
	c.send(get, 0)
	if _, body := c.response(); body != "GET /a " {
		t.Errorf("%q", body)
	}
}

// http2Client returns a client of HTTP/2 only, over TLS or with prior knowledge.
func (f *fixture) http2Client(encrypted bool) *http.Client {
	var p http.Protocols
	p.SetHTTP2(encrypted)
	p.SetUnencryptedHTTP2(!encrypted)
	tr := &http.Transport{
		Protocols:       &p,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx) },
	}
	f.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestHTTP2(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		for _, tcp := range []bool{false, true} {
			t.Run(fmt.Sprintf("TLS %v TCP %v", encrypted, tcp), func(t *testing.T) {
				var cfg Config
				scheme := "http"
				if encrypted {
					cfg, scheme = tlsConfig(t), "https"
				}
				cfg.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					fmt.Fprintf(w, "%s %s %s %s %v", r.Proto, r.Host, r.RequestURI, body, r.TLS != nil)
				})
				f := start(t, tcp, cfg)
				c := f.http2Client(encrypted)
				for range 3 {
					r, err := c.Post(scheme+"://a.example/a?b", "text/plain", strings.NewReader("hello"))
					if err != nil {
						t.Fatal(err)
					}
					body, _ := io.ReadAll(r.Body)
					r.Body.Close()
					if want := fmt.Sprintf("HTTP/2.0 a.example /a?b hello %v", encrypted); string(body) != want {
						t.Errorf("%q, want %q", body, want)
					}
				}
			})
		}
	}
}

// The preface arrives in as many pieces as it likes.
func TestHTTP2PrefaceInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{})
		c := f.connect()
		c.send(http2Preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00", 1)
		frame := make([]byte, 9)
		if _, err := io.ReadFull(c.r, frame); err != nil || frame[3] != 4 {
			t.Errorf("not a SETTINGS frame: %x %v", frame, err)
		}
	})
}

func TestHTTP2IsHeldToTheSameRules(t *testing.T) {
	for _, tc := range []struct {
		name   string
		edit   func(*http.Request)
		status int
		reason event.RefusedReason
	}{
		{"long target", func(r *http.Request) { r.URL.Path = "/" + strings.Repeat("a", defaultURLBytes) }, 414, event.RefusedTargetTooLong},
		{"large head", func(r *http.Request) { r.Header.Set("X", strings.Repeat("y", defaultHeaderBytes)) }, 431, event.RefusedHeadTooLarge},
		{"many fields", func(r *http.Request) {
			for range defaultHeaderFields + 1 {
				r.Header.Add("X", "y")
			}
		}, 431, event.RefusedTooManyFields},
		{"invalid authority", func(r *http.Request) { r.Host = "a_b..example" }, 400, event.RefusedInvalidHost},
		{"unknown expectation", func(r *http.Request) { r.Header.Set("Expect", "tea") }, 417, event.RefusedUnknownExpect},
		{"fragment", func(r *http.Request) { r.URL.Opaque = "/a#b" }, 400, event.RefusedTarget},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := start(t, false, Config{})
			r, _ := http.NewRequest("GET", "http://a.example/a", nil)
			tc.edit(r)
			resp, err := f.http2Client(false).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != tc.status {
				t.Errorf("%d", resp.StatusCode)
			}
			if e := f.refusals(); len(e) != 1 || e[0].Reason != tc.reason || e[0].Status != tc.status {
				t.Errorf("events: %+v", e)
			}
			if len(f.requests()) > 0 {
				t.Errorf("handled: %q", f.requests())
			}
		})
	}
}

// The certificates serve a net/http server of somebody else's, too.
func TestCertificatesOfOtherListeners(t *testing.T) {
	dir := t.TempDir()
	pair := writeCertificate(t, dir, "a.example", 1)
	certs, err := LoadCertificates([]KeyPair{pair})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Server{Handler: http.NotFoundHandler(), TLSConfig: certs.Config(nil)}
	served := make(chan error)
	go func() { served <- other.ServeTLS(l, "", "") }()
	defer func() { other.Close(); <-served }()

	serial := func() int64 {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "a.example", InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if p := c.ConnectionState().NegotiatedProtocol; p != "h2" {
			t.Errorf("protocol %q", p)
		}
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Errorf("certificate %d", n)
	}
	writeCertificate(t, dir, "a.example", 2)
	if err := certs.Reload(); err != nil {
		t.Error(err)
	}
	if n := serial(); n != 2 {
		t.Errorf("certificate %d after the reload", n)
	}
	if err := os.Remove(pair.Key); err != nil {
		t.Fatal(err)
	}
	if err := certs.Reload(); err == nil {
		t.Error("a key that is not there was read")
	}
	if n := serial(); n != 2 {
		t.Errorf("certificate %d after the failed reload", n)
	}
}
