package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/rescind-edge/rescind/internal/event"
)

// Config says what a Server listens on and who answers. At least one listener
// and a Handler are needed; everything else has a useful zero value.
type Config struct {
	// HTTP are addresses ("host:port", ":port") of cleartext ports. They speak
	// HTTP/1 and, to clients that begin with its preface, HTTP/2.
	HTTP []string
	// HTTPListeners are cleartext ports of which there is more to say than the
	// address, served as the addresses in HTTP are.
	HTTPListeners []Listener
	// HTTPS are the TLS ports. They speak HTTP/1.1 and HTTP/2, by ALPN.
	HTTPS []TLSListener

	// Handler answers every request that was not refused, "OPTIONS *" included.
	// The ResponseWriter supports deadlines and, on HTTP/1, Hijack.
	Handler http.Handler

	// Fast is offered, before the Handler, every request by HTTP/1.1 or HTTP/2
	// that is simple enough (see FastRequest), unless the Server drains. It is not
	// called after Close has returned. Nil for none.
	Fast FastHandler

	// Plain answers, instead of the Handler, every request by HTTP/1.1 that is
	// simple enough (see FastRequest) and that Fast has declined, unless the Server
	// drains. It is not called after Close has returned. Nil for none.
	Plain PlainHandler

	// Limits bound what clients can make this node hold.
	Limits Limits

	// Refused is told of every request or connection that was turned away. It
	// is called on the connection's goroutine, concurrently, and must not
	// block. It is not called after Close has returned. Nil for nobody.
	Refused func(event.Refused)
	// RefusedBody returns the body of the answer to a refused request. Nil for
	// a line of plain text that says the status and the reason.
	RefusedBody func(status int, reason event.RefusedReason) (contentType, body string)

	// Log receives what is wrong with the node, not with requests: failing
	// accepts, panicking handlers. TLS handshakes that fail are logged at debug
	// level. Nil discards.
	Log *slog.Logger
}

// Listener is a cleartext port.
type Listener struct {
	// Address is "host:port"; it is ignored where Listener is given.
	Address string
	// Listener is a listener that exists already. The Server closes it.
	Listener net.Listener
	// ProxyFrom are the networks of load balancers that speak the PROXY
	// protocol, version 1 or 2, on this port. Every connection must then come
	// from one of them and begin with its header; the addresses that it names
	// become those of the connection, for limits, handlers and events alike.
	// Nil where clients connect by themselves.
	ProxyFrom []netip.Prefix
}

// TLSListener is a port that speaks TLS. Its certificates come from files, from
// a tls.Config, or both: those of the files are asked first.
type TLSListener struct {
	// Address is "host:port"; it is ignored where Listener is given.
	Address string
	// Listener is a listener that exists already. The Server closes it.
	Listener net.Listener
	// ProxyFrom is that of Listener; TLS begins behind the PROXY header.
	ProxyFrom []netip.Prefix
	// Files are PEM certificate chains with their keys. The first that a
	// client's hello fits is used, the first of all where none fits.
	// ReloadCertificates reads them again.
	Files []KeyPair
	// TLS is the base of the port's configuration; it is cloned. Nil for the
	// defaults of crypto/tls (TLS 1.2 and later). NextProtos is ours.
	TLS *tls.Config
}

// KeyPair names the files of a certificate chain and of its private key.
type KeyPair struct {
	Cert, Key string
}

var errNoListener = errors.New("no listener is configured")
var errNoHandler = errors.New("no handler is configured")

// withDefaults returns a copy in which every optional part is set.
func (c Config) withDefaults() (Config, error) {
	if len(c.HTTP)+len(c.HTTPListeners)+len(c.HTTPS) == 0 {
		return c, errNoListener
	}
	if c.Handler == nil {
		return c, errNoHandler
	}
	for _, l := range c.HTTPListeners {
		if err := checkNetworks(l.ProxyFrom); err != nil {
			return c, fmt.Errorf("port %s: %w", nameOf(l.Listener, l.Address), err)
		}
	}
	for _, l := range c.HTTPS {
		if !l.hasCertificate() {
			return c, fmt.Errorf("TLS port %s has no certificate", l.name())
		}
		if err := checkNetworks(l.ProxyFrom); err != nil {
			return c, fmt.Errorf("TLS port %s: %w", l.name(), err)
		}
	}
	var err error
	if c.Limits, err = c.Limits.withDefaults(); err != nil {
		return c, err
	}
	if c.Refused == nil {
		c.Refused = func(event.Refused) {}
	}
	if c.RefusedBody == nil {
		c.RefusedBody = plainBody
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func plainBody(status int, reason event.RefusedReason) (contentType, body string) {
	return "text/plain; charset=utf-8",
		fmt.Sprintf("%d %s: %s\n", status, http.StatusText(status), reason)
}

func (l TLSListener) hasCertificate() bool {
	return len(l.Files) > 0 || l.TLS != nil &&
		(len(l.TLS.Certificates) > 0 || l.TLS.GetCertificate != nil || l.TLS.GetConfigForClient != nil)
}

func (l TLSListener) name() string { return nameOf(l.Listener, l.Address) }

func nameOf(l net.Listener, address string) string {
	if l != nil {
		return l.Addr().String()
	}
	return address
}

// checkNetworks refuses a list that would let nobody in or match nobody.
func checkNetworks(list []netip.Prefix) error {
	if list != nil && len(list) == 0 {
		return errors.New("the PROXY protocol from nobody")
	}
	for _, p := range list {
		if !p.IsValid() || p.Addr().Is4In6() {
			return fmt.Errorf("%v is not a network of IPv4 or IPv6 addresses", p)
		}
	}
	return nil
}
