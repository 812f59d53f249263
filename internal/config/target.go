package config

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
)

var errTarget = errors.New("is not known; write stdout, file:/path, syslog+udp://host:port, syslog+tcp://host:port, syslog+tls://host:port, or https://host/path")

// parseTarget reads where log lines go and makes a path absolute. Its errors go
// out without the value.
func (src Source) parseTarget(text string) (string, error) {
	if text == "stdout" {
		return text, nil
	}
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		resolved, err := src.resolve(path)
		if err != nil {
			return "", errors.New("is not file: and a path")
		}
		return "file:" + resolved, nil
	}
	scheme, _, _ := strings.Cut(text, "://")
	switch scheme {
	case "syslog+udp", "syslog+tcp", "syslog+tls", "https", "http":
	default:
		return "", errTarget
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Fragment != "" {
		return "", errors.New("is not a URL with a host")
	}
	if strings.HasPrefix(scheme, "syslog+") {
		return text, checkSyslog(u)
	}
	return text, nil
}

func checkSyslog(u *url.URL) error {
	if u.Path != "" && u.Path != "/" || u.User != nil {
		return errors.New("has more than a host, a port and parameters")
	}
	if _, port, err := net.SplitHostPort(u.Host); err == nil {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return errors.New("has no port from 1 to 65535 after the host")
		}
		return nil
	}
	return errors.New("has no port; syslog+udp usually has 514, syslog+tcp 601 and syslog+tls 6514")
}
