package main

import "fmt"

// race compares servers in rounds: each has its turn in every round, so that
// what changes on the machine meanwhile meets all of them.
type race struct {
	what    string
	servers []*server
	object  object // asked for, or one of many like it
	misses  bool   // the object is never stored before
	run     func(s *server, round int) (load, error)
}

// run returns the rates of the servers, in their order, in requests a second.
func (l *lab) run(r race) ([]series, error) {
	l.progress("  %s", r.what)
	rates := make([]series, len(r.servers))
	for round := range l.plan.rounds {
		for i, s := range r.servers {
			did, err := l.take(turn{
				server: s, what: r.what, size: r.object.size, misses: r.misses,
				run: func() (load, error) { return r.run(s, round) },
			})
			if err != nil {
				return nil, err
			}
			rates[i].Name = s.name
			rates[i].add(did.rate())
		}
	}
	for i, s := range rates {
		if !r.misses {
			if err := r.servers[i].warm(r.object); err != nil { // it is still whole and stored
				return nil, err
			}
		}
		l.progress("    %s: %v", s.Name, s)
		l.report.note(judgeSpread(r.what, s)...)
	}
	return rates, nil
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

// loadURL is what a generator takes.
func loadURL(scheme, address, path string) string {
	return fmt.Sprintf("%s://%s%s", scheme, address, path)
}
