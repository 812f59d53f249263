package config

import (
	"net"
	"net/netip"
)

// Networks of a Listener.
const (
	NetworkTCP  = "tcp"
	NetworkUnix = "unix"
	NetworkFD   = "fd" // a socket that the service manager opened
)

// Listener is where the node waits for connections, and how.
type Listener struct {
	// Network is NetworkTCP, NetworkUnix or NetworkFD. In the file, the latter two
	// stand before the address, with a colon.
	Network string
	// Address is "host:port", where an empty host is every address and port 0 any
	// free port; "fd:" and the name under which the service manager passed the
	// socket (LISTEN_FDNAMES); for the administrative listener also "unix:" and a
	// path
	Address string

	Cert string // path of a PEM file: the certificate, then its chain; empty: in clear
	Key  string // path of a PEM file; set exactly where Cert is

	ProxyProtocol bool           // connections begin with a PROXY header, version 1 or 2, from one of ProxyFrom; others are refused
	ProxyFrom     []netip.Prefix // whose PROXY headers are believed; set exactly where ProxyProtocol is
}

// String returns the address as it is written in the file.
func (l Listener) String() string {
	if l.Network == NetworkTCP {
		return l.Address
	}
	return l.Network + ":" + l.Address
}

// TLS tells whether the listener speaks TLS.
func (l Listener) TLS() bool { return l.Cert != "" }

// LocalOnly tells whether only this host can connect to an address: to a Unix
// socket, or to a loopback address. An administrative listener anywhere else
// speaks TLS, because tokens are sent over it. What a file says is checked when
// it is read; a socket of NetworkFD is known only when it is there.
func LocalOnly(addr net.Addr) bool {
	switch addr := addr.(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return addr.IP.IsLoopback()
	}
	return false
}
