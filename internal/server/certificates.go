package server

import (
	"crypto/tls"
	"fmt"
	"slices"
	"sync/atomic"
)

// Certificates are those of one TLS port that come from files. They can be
// replaced while handshakes go on.
type Certificates struct {
	files   []KeyPair
	current atomic.Pointer[[]tls.Certificate]
}

// LoadCertificates reads certificate chains with their keys. A Server does so
// for its own ports; this is for listeners that it does not serve.
func LoadCertificates(files []KeyPair) (*Certificates, error) {
	loaded := make([]tls.Certificate, len(files))
	for i, f := range files {
		var err error
		if loaded[i], err = tls.LoadX509KeyPair(f.Cert, f.Key); err != nil {
			return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
		}
	}
	c := &Certificates{files: slices.Clone(files)}
	c.current.Store(&loaded)
	return c, nil
}

// Reload reads the files again, for handshakes that begin from then on. If any
// is bad, the certificates stay as they are.
func (c *Certificates) Reload() error {
	fresh, err := LoadCertificates(c.files)
	if err != nil {
		return err
	}
	c.current.Store(fresh.current.Load())
	return nil
}

// Config returns a configuration for HTTP/2 and HTTP/1.1 with these
// certificates, made from a base, which is cloned; nil for the defaults of
// crypto/tls. It need not be made again after Reload.
//
// Certificates are chosen per handshake through GetCertificate rather than by
// a new tls.Config per reload: a new Config would have new session ticket keys,
// and every client would do a full handshake after a reload.
func (c *Certificates) Config(base *tls.Config) *tls.Config {
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
func (c *Certificates) choose(
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
