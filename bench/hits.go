package main

// Objects that are asked for in turn where there is more than one.
const mixed = 1000

// measureHits compares hits over HTTP/1.1 in clear, with access logs.
func measureHits(l *lab) error {
	withoutLog := func(l *lab, set settings) (*server, error) {
		set.noLog = true
		return startVarnish(l, set)
	}
	withSendfile := func(l *lab, set settings) (*server, error) {
		set.sendfile = true
		return startNginx(l, set)
	}
	servers, err := l.start(settings{}, startRescind, startNginx, withSendfile, startVarnish, withoutLog)
	if err != nil {
		return err
	}
	small, large := objectsOf("hot", 1<<10, mixed), object{set: "hot", size: 64 << 10}
	for _, s := range servers {
		if err := s.warm(append(small, large)...); err != nil {
			return err
		}
	}
	const chapter = "Hits over HTTP/1.1"
	aims := map[string]aim{nginxName: atLeast(2), nginxSendfileName: atLeast(2), varnishName: atLeast(2.5)}
	peers := []string{nginxName, nginxSendfileName, varnishName}
	one, err := l.hits("1 KB, one URL", servers, small[0], "")
	if err != nil {
		return err
	}
	l.report.note(judgePeers(one.rates[1], one.rates[3])...)
	l.versus(chapter, "1 KB, one URL", one.rates, aims)
	l.costs(chapter, "1 KB, one URL", one.costs, peers...)
	many, err := l.hits("1 KB, 1,000 URLs", servers, small[0], requestsOf("hot", "1k", mixed))
	if err != nil {
		return err
	}
	l.versus(chapter, "1 KB, 1,000 URLs", many.rates, aims)
	l.costs(chapter, "1 KB, 1,000 URLs", many.costs, peers...)
	big, err := l.hits("64 KB, one URL", servers, large, "")
	if err != nil {
		return err
	}
	l.versus(chapter, "64 KB, one URL", big.rates, map[string]aim{nginxName: atLeast(1), nginxSendfileName: atLeast(1)})
	l.costs(chapter, "64 KB, one URL", big.costs, peers...)
	return l.dismiss()
}

// hits runs a race of wrk for one object, or for what a script asks for.
func (l *lab) hits(what string, servers []*server, o object, script string) (outcome, error) {
	return l.measure(race{what: what, servers: servers, object: o, run: func(s *server, _ int) (load, error) {
		return wrkLoad{base: "http://" + s.http, path: o.path(), requests: script, duration: l.plan.duration}.run(l)
	}})
}
