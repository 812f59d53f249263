package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/config"
)

var update = flag.Bool("update", false, "rewrite the expected error texts")

// Each testdata/errors/NAME.yaml must give exactly the errors of NAME.txt.
func TestErrorTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			src := source(string(data))
			src.ReadFile = func(path string) ([]byte, error) {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			src.Check = config.Checks{
				Format: func(log config.AccessLog) error {
					if strings.Contains(log.Format, "%!") {
						return errors.New("position 1: no such directive")
					}
					return nil
				},
				Filter: func(string) error { return errors.New("position 8: a value is missing") },
			}
			_, err = config.Parse(src)
			var problems config.Errors
			if !errors.As(err, &problems) {
				t.Fatalf("Parse: %v, want Errors", err)
			}
			got := err.Error() + "\n"
			if strings.Contains(got, "s3cret") {
				t.Errorf("an error shows a secret:\n%s", got)
			}
			compare(t, strings.TrimSuffix(file, ".yaml")+".txt", got)
		})
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("errors differ from %s (-update rewrites it):\n got:\n%s\nwant:\n%s", golden, got, want)
	}
}

func TestNoHostname(t *testing.T) {
	src := source(minimal)
	src.Hostname = ""
	if _, err := config.Parse(src); err == nil || !strings.Contains(err.Error(), "node.name is missing") {
		t.Errorf("got %v", err)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	certA, keyA := certificate(t)
	_, keyB := certificate(t)
	files := map[string][]byte{"/etc/rescind/a.crt": certA, "/etc/rescind/a.key": keyA, "/etc/rescind/b.key": keyB}
	check := func(cert, key string) error {
		src := source(strings.Replace(minimal, `http: ":8080"`, `https: {address: ":8443", cert: `+cert+`, key: `+key+`}`, 1))
		src.ReadFile = func(path string) ([]byte, error) {
			if data, ok := files[path]; ok {
				return data, nil
			}
			return nil, fs.ErrNotExist
		}
		_, err := config.Parse(src)
		return err
	}
	if err := check("a.crt", "a.key"); err != nil {
		t.Errorf("a good pair: %v", err)
	}
	for _, c := range []struct{ cert, key, want string }{
		{"a.crt", "b.key", "edge.yaml:2:"},
		{"a.crt", "b.key", "listen.https.cert: does not work together with key"},
		{"none.crt", "a.key", "listen.https.cert: cannot be read"},
		{"a.crt", "none.key", "listen.https.key: cannot be read"},
	} {
		if err := check(c.cert, c.key); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v, want %q", c.cert, c.key, err, c.want)
		}
	}
}

func TestErrorPages(t *testing.T) {
	files := map[string]string{
		"/etc/rescind/good.html":  "<h1>{{status}} {{reason}}</h1><p>{{request_id}} }} { {",
		"/etc/rescind/typo.html":  "a\n{{status}}\n{{satus}}",
		"/etc/rescind/large.html": strings.Repeat("x", int(config.MaxErrorPage)+1),
		"/etc/rescind/bytes.txt":  "caf\xe9",
	}
	read := func(name string) ([]config.ErrorPage, error) {
		src := source(strings.Replace(minimal, "{id: shop", "{id: shop, error_pages: {503: "+name+"}", 1))
		src.ReadFile = func(path string) ([]byte, error) { return []byte(files[path]), nil }
		c, err := config.Parse(src)
		if err != nil {
			return nil, err
		}
		return c.Services[0].ErrorPages, nil
	}
	pages, err := read("good.html")
	if err != nil || len(pages) != 1 || string(pages[0].Body) != files["/etc/rescind/good.html"] {
		t.Errorf("a good page: %v, %v", pages, err)
	}
	for name, want := range map[string]string{
		"typo.html":  "edge.yaml:4:35: services[0].error_pages.503: the file has a {{ in line 3 that does not begin one of {{status}}, {{reason}} and {{request_id}}",
		"large.html": "the file is larger than 64KiB",
		"bytes.txt":  "the file is not UTF-8",
	} {
		if _, err := read(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A target may hold a secret. What the sink says about it must come with its
// place and without its value.
func TestTargetsAreChecked(t *testing.T) {
	src := source("access_log: [{to: 'https://s3cret@logs.example/'}]\n" + minimal)
	var asked string
	src.Check.Target = func(target string) error {
		asked = target
		return errors.New("has an unknown parameter")
	}
	_, err := config.Parse(src)
	if err == nil || err.Error() != "edge.yaml:1:19: access_log[0].to: has an unknown parameter" || asked != "https://s3cret@logs.example/" {
		t.Errorf("asked about %q: %v", asked, err)
	}
}

func TestLocalOnly(t *testing.T) {
	for want, addrs := range map[bool][]net.Addr{
		true:  {&net.UnixAddr{Name: "/run/x"}, &net.TCPAddr{IP: net.IPv6loopback}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}},
		false: {&net.TCPAddr{}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv6unspecified}, nil},
	} {
		for _, addr := range addrs {
			if config.LocalOnly(addr) != want {
				t.Errorf("LocalOnly(%v) is not %v", addr, want)
			}
		}
	}
}

func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	privateDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: privateDER})
}
