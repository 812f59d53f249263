package main

import (
	"fmt"
	"slices"
)

// race compares servers in rounds: each has its turn in every round, so that
// what changes on the machine meanwhile meets all of them.
type race struct {
	what    string
	servers []*server
	object  object // asked for, or one of many like it
	misses  bool   // the object is never stored before
	run     func(s *server, round int) (load, error)
}

// outcome is what came of a race, of each server in their order.
type outcome struct {
	rates []series // requests a second
	costs []series // µs of processor time for a request, in all processes of the server
}

// run returns the rates of the servers, in their order, in requests a second.
func (l *lab) run(r race) ([]series, error) {
	all, err := l.measure(r)
	return all.rates, err
}

func (l *lab) measure(r race) (outcome, error) {
	l.progress("  %s", r.what)
	all := outcome{make([]series, len(r.servers)), make([]series, len(r.servers))}
	for round := range l.plan.rounds {
		for i, s := range r.servers {
			did, err := l.take(turn{
				server: s, what: r.what, size: r.object.size, misses: r.misses,
				run: func() (load, error) { return r.run(s, round) },
			})
			if err != nil {
				return outcome{}, err
			}
			all.rates[i].Name, all.costs[i].Name = s.name, s.name
			all.rates[i].add(did.rate())
			all.costs[i].add(did.cost())
		}
	}
	for i, s := range all.rates {
		if !r.misses {
			if err := r.servers[i].warm(r.object); err != nil { // it is still whole and stored
				return outcome{}, err
			}
		}
		l.progress("    %s: %v", s.Name, s)
		l.report.note(judgeSpread(r.what, s)...)
	}
	return all, nil
}

const perSecond = "requests/s"

// versus adds the lines of a race: the first server's rate beside each other's.
// Servers without an aim have none.
func (l *lab) versus(chapter, what string, rates []series, aims map[string]aim) {
	for _, peer := range rates[1:] {
		l.report.compare(comparison{
			Chapter: chapter, What: what, Unit: perSecond, Subject: rates[0], Peer: peer, Aim: aims[peer.Name],
		})
	}
}

// costs adds the lines of what a request costs: where a server is quicker than the
// generator, its rate is the generator's, and this is not.
func (l *lab) costs(chapter, what string, costs []series, peers ...string) {
	for _, peer := range costs[1:] {
		if slices.Contains(peers, peer.Name) {
			l.report.compare(comparison{Chapter: chapter, What: what + ": time of a core for each", Unit: "µs", Subject: costs[0], Peer: peer})
		}
	}
}

// loadURL is what a generator takes.
func loadURL(scheme, address, path string) string {
	return fmt.Sprintf("%s://%s%s", scheme, address, path)
}
