package config

import "net/netip"

func (r *reader) readListen(top *section) {
	listen := &r.config.Listen
	listen.Admin = Listener{Network: NetworkTCP, Address: "127.0.0.1:8081"}
	top.section("listen", func(s *section) {
		l := &listeners{r: r}
		s.oneOrEach("http", func(item *node) { l.readHTTP(item) })
		s.oneOrEach("https", func(item *node) {
			r.section(item, func(s *section) { l.readHTTPS(s) })
		})
		l.readAdmin(s)
		l.readShield(s)
		switch {
		case r.witness():
			s.uselessField("http", s.has("http"), noSites)
			s.uselessField("https", s.has("https"), noSites)
		case emptyList(s, "http") && emptyList(s, "https"):
			r.fail(s.n, "no listener for clients; set http, https or both")
		}
	})
	if !r.witness() {
		top.require("listen", `say where clients connect, such as listen: {http: ":8080"}`)
	}
}

// emptyList tells whether a field is absent or a list without items.
func emptyList(s *section, name string) bool {
	e := s.n.find(name)
	return e == nil || e.value.kind == isList && len(e.value.items) == 0
}

// listeners notices addresses on which a node could not listen twice.
type listeners struct {
	r     *reader
	taken []takenAddress
}

type takenAddress struct {
	listener Listener
	at       *node
}

func (l *listeners) add(at *node, listener Listener) {
	for _, other := range l.taken {
		if other.listener.clashes(listener) {
			l.r.fail(at, "%s clashes with %s of %s (line %d); give one of them another port or name",
				listener, other.listener, other.at.path, other.at.line)
			return
		}
	}
	l.taken = append(l.taken, takenAddress{listener, at})
}

// readHTTP reads an address, or a mapping of an address and more.
func (l *listeners) readHTTP(item *node) {
	var listener Listener
	if item.kind == isMapping {
		l.r.section(item, func(s *section) {
			l.readAddress(s, &listener, parseSite)
			readProxyProtocol(s, &listener)
		})
	} else if parseNode(l.r, item, &listener, parseSite) {
		l.add(item, listener)
	}
	l.r.config.Listen.HTTP = append(l.r.config.Listen.HTTP, listener)
}

func (l *listeners) readHTTPS(s *section) {
	var listener Listener
	l.readAddress(s, &listener, parseSite)
	readPair(s, &listener)
	s.require("cert", "HTTPS needs a certificate: the path of a PEM file")
	s.require("key", "HTTPS needs the certificate's private key: the path of a PEM file")
	readProxyProtocol(s, &listener)
	l.r.config.Listen.HTTPS = append(l.r.config.Listen.HTTPS, listener)
}

// shieldAbove is how far above the port of membership requests for a shield come,
// where nothing else is said: next to that of entries.
const shieldAbove = 2

// readShield reads where requests for a shield come. A port that is free to be
// told to others is needed.
func (l *listeners) readShield(s *section) {
	r := l.r
	bind := r.config.Cluster.Bind
	at := s.get("shield")
	switch {
	case at != nil && (r.witness() || !r.config.Cluster.Enabled()):
		r.fail(at, "has no effect on a node that is not in a cluster, or is a witness; remove it")
	case at != nil:
		if parseNode(r, at, &r.config.Listen.Shield, parseMemberAddress) {
			l.add(at, Listener{Network: NetworkTCP, Address: r.config.Listen.Shield})
		}
	case bind != "" && !r.witness():
		if near, err := netip.ParseAddrPort(bind); err == nil && near.Port() <= 65535-shieldAbove {
			r.config.Listen.Shield = netip.AddrPortFrom(near.Addr(), near.Port()+shieldAbove).String()
		}
	}
}

// readAdmin reads an address, or a mapping of an address and a certificate.
func (l *listeners) readAdmin(s *section) {
	admin := &l.r.config.Listen.Admin
	at := s.get("admin")
	switch {
	case at == nil:
		at = &node{path: "listen.admin", line: s.n.line, column: s.n.column} // where the default would stand
		l.add(at, *admin)
	case at.kind == isMapping:
		l.r.section(at, func(s *section) {
			l.readAddress(s, admin, l.r.src.parseAdmin)
			readPair(s, admin)
			if s.has("cert") != s.has("key") {
				l.r.fail(at, "has only one of cert and key; TLS needs both")
				return
			}
			l.checkExposed(at, s.has("cert"))
		})
	case parseNode(l.r, at, admin, l.r.src.parseAdmin):
		l.add(at, *admin)
		l.checkExposed(at, false)
	}
}

func (l *listeners) checkExposed(at *node, tls bool) {
	if admin := l.r.config.Listen.Admin; admin.exposed() && !tls {
		l.r.fail(at, "%s can be reached from other hosts, and tokens would be sent to it in clear; "+
			`write admin: {address: "%s", cert: …, key: …}, or take a loopback address or unix:/path`, admin, admin)
	}
}

// readAddress reads the field address.
func (l *listeners) readAddress(s *section, into *Listener, parse func(string) (Listener, error)) {
	s.require("address", `write it like ":8443"`)
	if at := s.get("address"); at != nil && parseNode(s.r, at, into, parse) {
		l.add(at, *into)
	}
}

// readPair reads the paths of a certificate and its key, and reports those that
// would not work.
func readPair(s *section, listener *Listener) {
	s.path("cert", &listener.Cert)
	s.path("key", &listener.Key)
	s.checkPair(*listener)
}

// readProxyProtocol reads whether a PROXY header comes first, and from whom.
// From whom has no default: whoever is believed can take any address.
func readProxyProtocol(s *section, listener *Listener) {
	s.boolean("proxy_protocol", &listener.ProxyProtocol)
	s.prefixes("proxy_from", &listener.ProxyFrom)
	switch {
	case listener.ProxyProtocol && !s.has("proxy_from"):
		s.require("proxy_from", "proxy_protocol is true; list the networks of the proxies, whose word about clients' addresses is believed")
	case listener.ProxyProtocol && emptyList(s, "proxy_from"):
		s.failField("proxy_from", "is empty, so that every connection would be refused; list the networks of the proxies")
	case !listener.ProxyProtocol:
		s.uselessField("proxy_from", s.has("proxy_from"), "has no effect without proxy_protocol: true")
		listener.ProxyFrom = nil
	}
}
