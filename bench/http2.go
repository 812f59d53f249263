package main

// Connections and requests at once on each, of a few browsers.
const (
	h2Clients = 8
	h2Streams = 16
)

// measureHTTP2 compares hits over HTTP/2 in clear.
func measureHTTP2(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startNginx, startVarnish)
	if err != nil {
		return err
	}
	o := object{set: "hot", size: 1 << 10}
	for _, s := range servers {
		if err := s.warm(o); err != nil {
			return err
		}
	}
	const what = "1 KB, one URL, in clear"
	rates, err := l.run(race{what: "HTTP/2, " + what, servers: servers, object: o, run: func(s *server, _ int) (load, error) {
		return l.overHTTP2(loadURL("http", s.h2, o.path()))
	}})
	if err != nil {
		return err
	}
	l.versus("Hits over HTTP/2", what, rates, map[string]aim{nginxName: atLeast(0.8)})
	return l.dismiss()
}

// measureTLS compares hits over TLS. Varnish has none.
func measureTLS(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startNginx)
	if err != nil {
		return err
	}
	o := object{set: "hot", size: 1 << 10}
	for _, s := range servers {
		if err := s.warm(o); err != nil {
			return err
		}
	}
	const chapter = "Hits over TLS"
	old, err := l.run(race{what: "HTTP/1.1 over TLS, 1 KB", servers: servers, object: o, run: func(s *server, _ int) (load, error) {
		return wrkLoad{base: "https://" + s.https, path: o.path(), duration: l.plan.duration}.run(l)
	}})
	if err != nil {
		return err
	}
	l.versus(chapter, "1 KB, one URL, HTTP/1.1", old, nil)
	two, err := l.run(race{what: "HTTP/2 over TLS, 1 KB", servers: servers, object: o, run: func(s *server, _ int) (load, error) {
		return l.overHTTP2(loadURL("https", s.https, o.path()))
	}})
	if err != nil {
		return err
	}
	l.versus(chapter, "1 KB, one URL, HTTP/2", two, nil)
	return l.dismiss()
}

func (l *lab) overHTTP2(url string) (load, error) {
	return h2Load{urls: []string{url}, clients: h2Clients, streams: h2Streams, duration: l.plan.duration}.run(l)
}
