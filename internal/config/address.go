package config

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// parseTCP reads "host:port" or ":port".
func parseTCP(text string) (Listener, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Listener{}, errors.New(`is not an address; write "host:port", or ":port" for every address of this host`)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Listener{}, errors.New("has no port from 0 to 65535 after the colon")
	}
	if host != "" && net.ParseIP(host) == nil {
		if _, ok := field.NormalHost("", host); !ok {
			return Listener{}, errors.New("has no valid host before the colon")
		}
	}
	return Listener{Network: NetworkTCP, Address: text}, nil
}

// maxSocketName is what systemd allows (sd_listen_fds_with_names(3)).
const maxSocketName = 255

// parseSite is parseTCP that also takes "fd:NAME".
func parseSite(text string) (Listener, error) {
	name, ok := strings.CutPrefix(text, NetworkFD+":")
	if !ok {
		return parseTCP(text)
	}
	unfit := func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }
	if name == "" || len(name) > maxSocketName || strings.ContainsFunc(name, unfit) {
		return Listener{}, errors.New("is not fd: and the name of a socket, as FileDescriptorName= in the socket's unit says it")
	}
	return Listener{Network: NetworkFD, Address: name}, nil
}

// parseAdmin is parseSite that also takes "unix:/path".
func (src Source) parseAdmin(text string) (Listener, error) {
	path, ok := strings.CutPrefix(text, NetworkUnix+":")
	if !ok {
		return parseSite(text)
	}
	resolved, err := src.resolve(path)
	if err != nil {
		return Listener{}, errors.New("is not unix: and a path")
	}
	return Listener{Network: NetworkUnix, Address: resolved}, nil
}

// clashes tells whether a node could not listen on both.
func (l Listener) clashes(m Listener) bool {
	if l.Network != m.Network || l.Network != NetworkTCP {
		return l.Network == m.Network && l.Address == m.Address
	}
	hostL, portL, _ := net.SplitHostPort(l.Address)
	hostM, portM, _ := net.SplitHostPort(m.Address)
	if portL != portM || portL == "0" {
		return false
	}
	return hostL == hostM || everywhere(hostL) || everywhere(hostM)
}

func everywhere(host string) bool {
	return host == "" || net.ParseIP(host).IsUnspecified()
}

// exposed tells whether other hosts may connect. A socket of the service
// manager is known only when it is there.
func (l Listener) exposed() bool {
	if l.Network != NetworkTCP {
		return false
	}
	host, _, _ := net.SplitHostPort(l.Address)
	return host != "localhost" && !net.ParseIP(host).IsLoopback()
}
