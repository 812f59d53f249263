package origin

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"github.com/rescind-edge/rescind/internal/field"
)

// sessionCacheSize bounds the TLS sessions remembered of one origin. Sessions
// are keyed by server name, of which an origin has one.
const sessionCacheSize = 8

// endpoint is an Endpoint that was understood.
type endpoint struct {
	url       string // as configured
	scheme    string
	hostname  string // to look up and to connect to, without brackets
	port      string
	authority string // the Host sent when neither request nor configuration has one
	override  string // the Host sent whatever the request has
	h2c       bool
	tls       *tls.Config // nil without TLS; NextProtos is left to each transport
	http1     bool        // speaks nothing else, whatever it would choose
}

func parseEndpoint(e Endpoint) (endpoint, error) {
	p, err := parseURL(e.URL)
	if err != nil {
		return endpoint{}, fmt.Errorf("origin %q: %w", e.URL, err)
	}
	if e.Host != "" {
		if _, ok := field.NormalHost("", e.Host); !ok {
			return endpoint{}, fmt.Errorf("origin %q: Host %q is not a host with an optional port", e.URL, e.Host)
		}
	}
	p.override = e.Host
	p.h2c = e.HTTP2
	if p.scheme == "http" {
		return p, nil
	}
	if e.TLS != nil {
		p.tls, p.http1 = e.TLS, true
		return p, nil
	}
	if e.HTTP2 {
		return endpoint{}, fmt.Errorf("origin %q: HTTP2 is for http URLs; https negotiates by itself", e.URL)
	}
	name := p.hostname
	if e.SNI != "" {
		name = e.SNI
	}
	p.tls = &tls.Config{
		ServerName:         name,
		RootCAs:            e.RootCAs,
		InsecureSkipVerify: e.InsecureSkipVerify,
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessionCacheSize),
	}
	return p, nil
}

func parseURL(s string) (endpoint, error) {
	u, err := url.Parse(s)
	if err != nil {
		return endpoint{}, fmt.Errorf("write the URL like http://192.0.2.1:8080: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return endpoint{}, errors.New("the URL must begin with http:// or https://")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery || (u.Path != "" && u.Path != "/") {
		return endpoint{}, errors.New("the URL must be a scheme and a host only")
	}
	authority, ok := field.NormalHost(u.Scheme, u.Host)
	if !ok {
		return endpoint{}, errors.New("the URL has no valid host")
	}
	p := endpoint{url: s, scheme: u.Scheme, hostname: u.Hostname(), port: u.Port(), authority: authority}
	if p.port == "" {
		p.port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return p, nil
}

// static returns the address of an origin whose host is an IP address already.
func (e *endpoint) static() (address string, ok bool) {
	if _, err := netip.ParseAddr(e.hostname); err != nil {
		return "", false
	}
	return net.JoinHostPort(e.hostname, e.port), true
}

// host returns the Host to send with a request that came for the given one.
func (e *endpoint) host(requested string) string {
	switch {
	case e.override != "":
		return e.override
	case requested != "":
		return requested
	}
	return e.authority
}
