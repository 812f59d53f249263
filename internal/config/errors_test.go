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
