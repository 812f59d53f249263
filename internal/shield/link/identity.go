package link

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// Purpose is what keys of shields are derived for, and SeedBytes how long they
// are: see seal.Keyring.Derive.
const (
	Purpose   = "rescind shield 1"
	SeedBytes = ed25519.SeedSize
)

// Secrets returns a seed of SeedBytes for each secret of the cluster, the one in use
// first. It is asked for every connection, so that a change counts at once.
type Secrets func() [][]byte

// Identity is what this node proves to others and expects of them.
type Identity struct {
	secrets Secrets
	mu      struct {
		sync.Mutex
		certs map[[SeedBytes]byte]*tls.Certificate // of secrets that have been used
	}
}

// NewIdentity returns the identity of who has some secrets.
func NewIdentity(secrets Secrets) *Identity {
	id := &Identity{secrets: secrets}
	id.mu.certs = make(map[[SeedBytes]byte]*tls.Certificate)
	return id
}

// ErrStranger is wrapped by the errors of handshakes with whoever has no secret of
// the cluster.
var ErrStranger = errors.New("the other side does not have the cluster's secret")

// errNoSecret is returned where there is nothing to prove.
var errNoSecret = errors.New("no secret of a cluster")

// serverName is what certificates are for; nobody compares it.
const serverName = "rescind-shield"

// Server returns the settings of who accepts connections.
func (id *Identity) Server() *tls.Config {
	c := id.config()
	c.ClientAuth = tls.RequireAnyClientCert // and then verify
	c.SessionTicketsDisabled = true         // who had a secret is asked again
	return c
}

// Client returns the settings of who dials.
func (id *Identity) Client() *tls.Config {
	c := id.config()
	c.ServerName = serverName
	c.InsecureSkipVerify = true // of names and authorities, of which there are none; verify is what counts
	return c
}

func (id *Identity) config() *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return id.certificate() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return id.certificate() },
		VerifyConnection:     id.verify,
	}
}

// verify accepts whoever has any of the secrets. That the other side holds the key
// of the certificate that it shows is TLS's to find out.
func (id *Identity) verify(state tls.ConnectionState) error {
	if !id.Knows(&state) {
		return ErrStranger
	}
	return nil
}

// Knows tells whether the other side of a connection has a secret that is good
// now: after a change of secrets, a connection may outlive the one that it was
// opened with.
func (id *Identity) Knows(state *tls.ConnectionState) bool {
	if state == nil || len(state.PeerCertificates) == 0 {
		return false
	}
	shown, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return false
	}
	for _, seed := range id.secrets() {
		if cert, err := id.of(seed); err == nil && shown.Equal(cert.Leaf.PublicKey) {
			return true
		}
	}
	return false
}

// certificate returns that of the secret in use.
func (id *Identity) certificate() (*tls.Certificate, error) {
	seeds := id.secrets()
	if len(seeds) == 0 {
		return nil, errNoSecret
	}
	return id.of(seeds[0])
}

// maxCertificates bounds those kept: a cluster has at most 8 secrets, and rotations
// leave others behind.
const maxCertificates = 32

func (id *Identity) of(seed []byte) (*tls.Certificate, error) {
	if len(seed) != SeedBytes {
		return nil, errNoSecret
	}
	id.mu.Lock()
	defer id.mu.Unlock()
	if cert := id.mu.certs[[SeedBytes]byte(seed)]; cert != nil {
		return cert, nil
	}
	cert, err := makeCertificate(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return nil, err
	}
	if len(id.mu.certs) >= maxCertificates {
		clear(id.mu.certs)
	}
	id.mu.certs[[SeedBytes]byte(seed)] = cert
	return cert, nil
}

// makeCertificate signs a key by itself. Its times are as wide as they may be: no
// clock decides who is a member.
func makeCertificate(key ed25519.PrivateKey) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate for shields: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate for shields: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}
