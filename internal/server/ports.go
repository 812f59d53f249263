package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// port is one listener and how connections that come in on it are spoken to.
type port struct {
	address   string
	listener  net.Listener   // given, or bound by Start
	proxyFrom []netip.Prefix // who speaks the PROXY protocol; nil where it is not spoken
	tls       *tls.Config    // nil on a cleartext port
	certs     *Certificates  // nil on a cleartext port
}

func newPorts(cfg Config) ([]*port, error) {
	var ports []*port
	for _, a := range cfg.HTTP {
		ports = append(ports, &port{address: a})
	}
	for _, l := range cfg.HTTPListeners {
		ports = append(ports, &port{address: l.Address, listener: l.Listener, proxyFrom: l.ProxyFrom})
	}
	for _, l := range cfg.HTTPS {
		certs, err := LoadCertificates(l.Files)
		if err != nil {
			return nil, fmt.Errorf("TLS port %s: %w", l.name(), err)
		}
		ports = append(ports, &port{
			address: l.Address, listener: l.Listener, proxyFrom: l.ProxyFrom,
			certs: certs, tls: certs.Config(l.TLS),
		})
	}
	return ports, nil
}

// bindAll binds every port, or leaves none bound.
func bindAll(ports []*port) error {
	for _, p := range ports {
		if err := p.bind(); err != nil {
			for _, p := range ports {
				p.close()
			}
			return err
		}
	}
	return nil
}

func (p *port) bind() error {
	if p.listener != nil {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", p.address)
	if err != nil {
		return err // net.OpError says what and where
	}
	p.listener = l
	return nil
}

func (p *port) close() {
	if p.listener != nil {
		p.listener.Close()
	}
}

// reloadAll reads all certificates before it replaces any.
func reloadAll(ports []*port) error {
	fresh := make([]*Certificates, len(ports))
	var errs []error
	for i, p := range ports {
		if p.certs == nil {
			continue
		}
		var err error
		if fresh[i], err = LoadCertificates(p.certs.files); err != nil {
			errs = append(errs, fmt.Errorf("server: TLS port %s: %w", p.address, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for i, p := range ports {
		if p.certs != nil {
			p.certs.current.Store(fresh[i].current.Load())
		}
	}
	return nil
}
