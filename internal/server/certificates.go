package server

import (
	"crypto/tls"
	"fmt"
	"slices"
	"sync/atomic"
)

// certificates are those of one TLS port that came from files. They can be
// replaced while handshakes go on.
type certificates struct {
	files   []KeyPair
	current atomic.Pointer[[]tls.Certificate]
}

func loadCertificates(files []KeyPair) (*certificates, error) {
	loaded := make([]tls.Certificate, len(files))
	for i, f := range files {
		var err error
		if loaded[i], err = tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
	}
	c := &certificates{files: slices.Clone(files)}
	c.current.Store(&loaded)
	return c, nil
}

// config returns the configuration of a port, made from the operator's.
//
// Certificates are chosen per handshake through GetCertificate rather than by
// a new tls.Config per reload: a new Config would have new session ticket keys,
// and every client would do a full handshake after a reload.
func (c *certificates) config(base *tls.Config) *tls.Config {
	cfg := &tls.Config{}
	if base != nil {
		cfg = base.Clone()
	}
	cfg.NextProtos = []string{"h2", "http/1.1"}
	if len(c.files) > 0 {
		otherwise := cfg.GetCertificate
		cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.choose(hello, otherwise)
		}
	}
	return cfg
}

// choose returns the first certificate that fits the client's hello, else what
// the operator's own function says, else the first: a client that connects by
// address sends no name and still needs one.
func (c *certificates) choose(
	hello *tls.ClientHelloInfo,
	otherwise func(*tls.ClientHelloInfo) (*tls.Certificate, error),
) (*tls.Certificate, error) {
	current := *c.current.Load()
	for i := range current {
		if hello.SupportsCertificate(&current[i]) == nil {
			return &current[i], nil
		}
	}
	if otherwise != nil {
		if cert, err := otherwise(hello); cert != nil || err != nil {
			return cert, err
		}
	}
	return &current[0], nil
}
