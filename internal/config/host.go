package config

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

const howToWriteHosts = "write it in ASCII, such as www.example.com (xn--… for other scripts)"

// parseDomain reads a host name, "*.suffix" or "*".
func parseDomain(text string) (string, error) {
	if text == "*" {
		return text, nil
	}
	suffix, wildcard := strings.CutPrefix(text, "*.")
	if strings.Contains(suffix, "*") {
		return "", errors.New(`may have a * only as its whole first label: "*.example.com", or "*" for every host`)
	}
	host, ok := field.NormalHost("", suffix)
	if !ok {
		return "", errors.New("is not a host name; " + howToWriteHosts)
	}
	if _, port := field.SplitPort(suffix); port != "" {
		return "", errors.New("has a port; a domain serves every port")
	}
	if wildcard {
		return "*." + host, nil
	}
	return host, nil
}

// parseOriginURL reads a scheme and an authority, and returns them in normal
// form. Its errors go out without the value, which may hold a password.
func parseOriginURL(text string) (string, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "http" && scheme != "https" {
		return "", errors.New("does not begin with http:// or https://")
	}
	authority, beyond := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority, beyond = rest[:end], rest[end:]
	}
	if strings.Contains(authority, "@") {
		return "", errors.New("holds a user or password, which is not sent to origins; remove it")
	}
	if beyond != "" && beyond != "/" {
		return "", errors.New("has a path or query; requests go out under their own, so write only scheme, host and port")
	}
	host, ok := field.NormalHost(scheme, authority)
	if !ok {
		return "", errors.New("has no valid host after the scheme; " + howToWriteHosts)
	}
	if err := checkPort(host); err != nil {
		return "", err
	}
	return scheme + "://" + host, nil
}

// parseHostField reads what may stand in a Host field.
func parseHostField(text string) (string, error) {
	if _, ok := field.NormalHost("", text); !ok {
		return "", errors.New("is not a host with an optional port; " + howToWriteHosts)
	}
	return strings.ToLower(text), checkPort(text) // even a default port stays, as it was asked for
}

// parseServerName reads a name for a TLS handshake (RFC 6066 section 3).
func parseServerName(text string) (string, error) {
	host, ok := field.NormalHost("", text)
	if !ok || strings.ContainsAny(host, ":[") {
		return "", errors.New("is not a host name without a port; " + howToWriteHosts)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return "", errors.New("is an address; a server name must be a name")
	}
	return host, nil
}

func checkPort(host string) error {
	_, port := field.SplitPort(host)
	if port == "" {
		return nil
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return errors.New("has no port from 1 to 65535 after the host")
	}
	return nil
}
