package main

import "fmt"

// measureMisses compares what it takes to fetch and store: every URL is new, and
// the origin answers at once.
func measureMisses(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startNginx, startVarnish)
	if err != nil {
		return err
	}
	const what = "1 KB, each URL once, stored"
	all, err := l.measure(race{what: what, servers: servers, object: object{size: 1 << 10}, misses: true, run: func(s *server, round int) (load, error) {
		script := uniqueRequests(fmt.Sprintf("miss%d", round), "1k", s.http)
		return wrkLoad{base: "http://" + s.http, requests: script, duration: l.plan.duration}.run(l)
	}})
	if err != nil {
		return err
	}
	l.versus("Misses", what, all.rates, map[string]aim{nginxName: atLeast(1)})
	l.costs("Misses", what, all.costs, nginxName, varnishName)
	return l.dismiss()
}
