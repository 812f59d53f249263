package config

import "crypto/tls"

// checkPair reports a certificate or key that would not work.
func (s *section) checkPair(listener Listener) {
	read := s.r.src.ReadFile
	if read == nil || listener.Cert == "" || listener.Key == "" {
		return
	}
	cert, err := read(listener.Cert)
	if err != nil {
		s.failField("cert", "cannot be read: %s", err)
		return
	}
	key, err := read(listener.Key)
	if err != nil {
		s.failField("key", "cannot be read: %s", err)
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		s.failField("cert", "does not work together with key: %s", err)
	}
}
