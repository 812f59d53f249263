package sink

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// selfSigned makes a certificate for 127.0.0.1 and the files that name it.
func selfSigned(t *testing.T) (pair tls.Certificate, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) (string, []byte) {
		path, text := filepath.Join(t.TempDir(), name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path, text
	}
	certFile, certPEM := write("cert.pem", "CERTIFICATE", der)
	keyFile, keyPEM := write("key.pem", "PRIVATE KEY", keyDER)
	if pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	return pair, certFile, keyFile
}

func TestSyslogOverTLSKnowsBothSides(t *testing.T) {
	pair, cert, key := selfSigned(t)
	at, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert})
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	s := openOn(t, Config{To: parse(t, "syslog+tls://"+at.Addr().String()+"?ca="+cert+"&cert="+cert+"&key="+key)})
	s.Put([]byte("hello"))
	conn, err := at.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, bufio.NewReader(conn)); got != "hello" {
		t.Errorf("got %q", got)
	}
	if err := closeIn(t, s, time.Minute); err != nil {
		t.Error(err)
	}
	conn.Close()
}

func TestUnknownCollectorGetsNothing(t *testing.T) {
	pair, _, _ := selfSigned(t)
	at, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	log, said := journal()
	s := openOn(t, Config{To: parse(t, "syslog+tls://"+at.Addr().String()), Log: log})
	s.Put([]byte("hello"))
	conn, err := at.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*tls.Conn).Handshake(); err == nil {
		if n, _ := conn.Read(make([]byte, 1)); n > 0 {
			t.Error("something was sent")
		}
	}
	conn.Close()
	at.Close()
	said.await(1)
	closeIn(t, s, time.Millisecond)
	if s.Dropped() != 1 || !strings.Contains(said.String(), "certificate") {
		t.Errorf("dropped %d, reported %s", s.Dropped(), said)
	}
}

func TestTLSFilesAreReadAtOnce(t *testing.T) {
	_, cert, key := selfSigned(t)
	for _, query := range []string{"ca=/nowhere", "ca=" + key, "cert=/nowhere&key=" + key, "cert=" + cert + "&key=" + cert} {
		if _, err := Open(Config{To: parse(t, "syslog+tls://127.0.0.1:1?"+query)}); err == nil {
			t.Errorf("%s: no error", query)
		}
	}
}
