package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultAddress is where a node's administrative listener is by default.
const DefaultAddress = "http://127.0.0.1:8081"

// ErrBadAddress is wrapped by New's error for an address it cannot use.
var ErrBadAddress = errors.New("bad address")

// ErrUnreachable is wrapped by the error of a call that got no answer. A purge
// may have been applied nevertheless, and may be sent again.
var ErrUnreachable = errors.New("no answer from the node")

// Options are what a client can be given. The zero value is usable.
type Options struct {
	// Token is sent with every request; empty: none.
	Token string
	// Timeout bounds one call, answer included. 0: DefaultTimeout.
	Timeout time.Duration
	// Transport makes the connections; nil: one of the client's own, which
	// honours the proxy settings of the environment.
	Transport http.RoundTripper
}

// DefaultTimeout is longer than a purge takes on any node that works, and waits
// for other members where the node is set so, unless for longer than by default.
const DefaultTimeout = 40 * time.Second

// Client calls one node. Its methods may be used from many goroutines.
type Client struct {
	base  string // scheme and authority
	token string
	http  http.Client
}

// New returns a client of the node at an address: "http://host:port",
// "https://host:port" or "unix:/path".
func New(address string, o Options) (*Client, error) {
	base, transport, err := dial(address)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = transport
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Client{
		base:  base,
		token: o.Token,
		http: http.Client{
			Transport: o.Transport,
			Timeout:   o.Timeout,
			// The API does not redirect, and a token must not follow a redirect
			// to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes the client's idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func dial(address string) (base string, transport *http.Transport, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return "", nil, fmt.Errorf("%w: after unix: there is no path", ErrBadAddress)
		}
		return "http://localhost", unixTransport(path), nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", nil, fmt.Errorf("%w %q: write http://host:port, https://host:port or unix:/path", ErrBadAddress, address)
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", nil, fmt.Errorf("%w: give only scheme, host and port", ErrBadAddress)
	}
	return u.Scheme + "://" + u.Host, &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}, nil
}

func unixTransport(path string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}
}
