package config

import (
	"errors"
	"net"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Address is where a listener waits.
type Address struct {
	Network string // "tcp" or "unix"
	Address string // tcp: "host:port", where an empty host is every address and port 0 any free port; unix: an absolute path
}

// String returns the address as it is written in the file.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Address
	}
	return a.Address
}

// parseTCP reads "host:port" or ":port".
func parseTCP(text string) (Address, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Address{}, errors.New(`is not an address; write "host:port", or ":port" for every address of this host`)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return Address{}, errors.New("has no port from 0 to 65535 after the colon")
	}
	if host != "" && net.ParseIP(host) == nil {
		if _, ok := field.NormalHost("", host); !ok {
			return Address{}, errors.New("has no valid host before the colon")
		}
	}
	return Address{Network: "tcp", Address: text}, nil
}

// parseAddress is parseTCP that also takes "unix:/path".
func (src Source) parseAddress(text string) (Address, error) {
	path, ok := strings.CutPrefix(text, "unix:")
	if !ok {
		return parseTCP(text)
	}
	resolved, err := src.resolve(path)
	if err != nil {
		return Address{}, errors.New("is not unix: and a path")
	}
	return Address{Network: "unix", Address: resolved}, nil
}

// clashes tells whether a node could not listen on both.
func (a Address) clashes(b Address) bool {
	if a.Network != b.Network || a.Network == "unix" {
		return a == b
	}
	hostA, portA, _ := net.SplitHostPort(a.Address)
	hostB, portB, _ := net.SplitHostPort(b.Address)
	if portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || everywhere(hostA) || everywhere(hostB)
}

func everywhere(host string) bool {
	return host == "" || net.ParseIP(host).IsUnspecified()
}
