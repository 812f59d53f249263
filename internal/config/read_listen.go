package config

import "crypto/tls"

func (r *reader) readListen(top *section) {
	listen := &r.config.Listen
	listen.Admin = Address{Network: "tcp", Address: "127.0.0.1:8081"}
	top.section("listen", func(s *section) {
		l := &listeners{r: r}
		s.oneOrEach("http", func(item *node) {
			var address Address
			if parseNode(r, item, &address, parseTCP) {
				l.add(item, address)
				listen.HTTP = append(listen.HTTP, address)
			}
		})
		s.oneOrEach("https", func(item *node) {
			r.section(item, func(s *section) { l.readTLS(s) })
		})
		l.readAdmin(s)
		if emptyList(s, "http") && emptyList(s, "https") {
			r.fail(s.n, "no listener for clients; set http, https or both")
		}
	})
	top.require("listen", `say where clients connect, such as listen: {http: ":8080"}`)
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
	address Address
	at      *node
}

func (l *listeners) add(at *node, address Address) {
	for _, other := range l.taken {
		if other.address.clashes(address) {
			l.r.fail(at, "%s clashes with %s of %s (line %d); give one of them another port",
				address, other.address, other.at.path, other.at.line)
			return
		}
	}
	l.taken = append(l.taken, takenAddress{address, at})
}

func (l *listeners) readAdmin(s *section) {
	admin := &l.r.config.Listen.Admin
	at := s.get("admin")
	if at == nil {
		at = &node{path: "listen.admin", line: s.n.line, column: s.n.column} // where the default would stand
		l.add(at, *admin)
	} else if parseNode(l.r, at, admin, l.r.src.parseAddress) {
		l.add(at, *admin)
	}
}

func (l *listeners) readTLS(s *section) {
	var listener TLSAddress
	if at := s.get("address"); at != nil && parseNode(s.r, at, &listener.Address, parseTCP) {
		l.add(at, listener.Address)
	}
	s.path("cert", &listener.Cert)
	s.path("key", &listener.Key)
	s.require("address", `write it like ":8443"`)
	s.require("cert", "HTTPS needs a certificate: the path of a PEM file")
	s.require("key", "HTTPS needs the certificate's private key: the path of a PEM file")
	s.checkPair(listener)
	s.r.config.Listen.HTTPS = append(s.r.config.Listen.HTTPS, listener)
}

// checkPair reports a certificate or key that would not work.
func (s *section) checkPair(listener TLSAddress) {
	read := s.r.src.ReadFile
	if read == nil || listener.Cert == "" || listener.Key == "" {
		return
	}
	cert, err := read(listener.Cert)
	if err != nil {
		s.failField("cert", "cannot be read: %s", err)
		return
	}
	key, err := read(listener.Key)
	if err != nil {
		s.failField("key", "cannot be read: %s", err)
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		s.failField("cert", "does not work together with key: %s", err)
	}
}
