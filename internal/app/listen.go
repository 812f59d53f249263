package app

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/server"
)

// witness tells whether the node serves no site: it keeps the journal, counts for
// the majority, and stores nothing.
func witness(cfg *config.Config) bool { return cfg.Cluster.Role == config.RoleWitness }

// listen makes the server of the sites and opens the admin listener, with the
// sockets that a service manager passed where the configuration names them.
func (a *App) listen(cfg *config.Config) (admin net.Listener, err error) {
	sockets, err := server.InheritSockets()
	if err != nil {
		return nil, err
	}
	defer func() {
		if unused := sockets.Close(); len(unused) > 0 {
			a.log.Warn("sockets that the service manager passed are not used", "names", unused)
		}
	}()
	if !witness(cfg) {
		serverConfig, err := a.serverConfig(cfg, sockets)
		if err != nil {
			return nil, err
		}
		if a.server, err = server.New(serverConfig); err != nil {
			return nil, err
		}
	}
	if admin, err = listenAdmin(cfg.Listen.Admin, sockets); err != nil {
		return nil, fmt.Errorf("listen.admin: %w", err)
	}
	if cfg.Listen.Admin.TLS() {
		a.certs, err = server.LoadCertificates([]server.KeyPair{{Cert: cfg.Listen.Admin.Cert, Key: cfg.Listen.Admin.Key}})
	} else if !config.LocalOnly(admin.Addr()) {
		err = fmt.Errorf("listen.admin: %v can be reached from elsewhere; give it a certificate, because tokens are sent over it", admin.Addr())
	}
	if err != nil {
		admin.Close()
		return nil, err
	}
	return admin, nil
}

func listenAdmin(l config.Listener, sockets *server.Sockets) (net.Listener, error) {
	switch l.Network {
	case config.NetworkFD:
		list, err := sockets.Take(l.Address)
		if err != nil {
			return nil, err
		}
		for _, extra := range list[1:] {
			extra.Close()
		}
		return list[0], nil
	case config.NetworkUnix:
		return listenUnix(l.Address)
	}
	return net.Listen(l.Network, l.Address)
}

// listenUnix listens on a socket that only its owner may connect to. One that
// an earlier process left behind is removed; one that somebody answers on is
// not.
func listenUnix(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("%s is in use", path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		os.Remove(path)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// serveAdmin serves the admin listener until it is shut down.
func (a *App) serveAdmin() error {
	if a.certs == nil {
		return a.admin.Serve(a.adminAt)
	}
	a.admin.TLSConfig = a.certs.Config(&tls.Config{MinVersion: tls.VersionTLS12})
	return a.admin.ServeTLS(a.adminAt, "", "")
}

// serverConfig translates the listeners of the sites.
func (a *App) serverConfig(cfg *config.Config, sockets *server.Sockets) (server.Config, error) {
	s := server.Config{Handler: a.proxy, Fast: a.proxy, Plain: a.proxy, Limits: serverLimits(cfg.Limits), Log: a.log, Refused: a.refuse}
	for i, l := range cfg.Listen.HTTP {
		opened, err := take(l, sockets)
		if err != nil {
			return s, fmt.Errorf("listen.http[%d]: %w", i, err)
		}
		for _, o := range opened {
			s.HTTPListeners = append(s.HTTPListeners, server.Listener{Address: o.address, Listener: o.listener, ProxyFrom: l.ProxyFrom})
		}
	}
	for i, l := range cfg.Listen.HTTPS {
		opened, err := take(l, sockets)
		if err != nil {
			return s, fmt.Errorf("listen.https[%d]: %w", i, err)
		}
		for _, o := range opened {
			s.HTTPS = append(s.HTTPS, server.TLSListener{
				Address: o.address, Listener: o.listener, ProxyFrom: l.ProxyFrom,
				Files: []server.KeyPair{{Cert: l.Cert, Key: l.Key}},
			})
		}
	}
	return s, nil
}

// place is an address to listen on, or a listener that exists.
type place struct {
	address  string
	listener net.Listener
}

func take(l config.Listener, sockets *server.Sockets) (places []place, err error) {
	if l.Network != config.NetworkFD {
		return []place{{address: l.Address}}, nil
	}
	list, err := sockets.Take(l.Address)
	for _, opened := range list {
		places = append(places, place{listener: opened})
	}
	return places, err
}

func serverLimits(l config.Limits) server.Limits {
	return server.Limits{
		MaxHeaderBytes: int(l.HeaderBytes), MaxURLBytes: int(l.URLBytes), MaxHeaderFields: l.HeaderFields,
		ReadHeaderTimeout: l.HeaderTimeout, BodyTimeout: l.BodyTimeout, WriteTimeout: l.WriteTimeout, IdleTimeout: l.IdleTimeout,
		MaxConns: l.Connections, MaxConnsPerAddress: l.ConnectionsPerAddress,
	}
}
