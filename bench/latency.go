package main

import (
	"fmt"
	"time"
)

const (
	// Objects that are asked for where delays are measured.
	latencyObjects = 10_000
	// Connections that share the rate.
	latencyClients = 64

	microseconds = "µs"
)

// measureLatency compares delays at half the rate that a server can reach, and,
// of Rescind, those while purges arrive.
func measureLatency(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startNginx, startVarnish)
	if err != nil {
		return err
	}
	set := objectsOf("hot", 1<<10, latencyObjects)
	var trials []*trial
	for _, s := range servers {
		if err := s.warm(set...); err != nil {
			return err
		}
		t, err := l.newTrial(s, set)
		if err != nil {
			return err
		}
		trials = append(trials, t)
	}
	rescind := trials[0]
	quiet := make([]series, len(trials))
	purged := series{Name: rescindName + " under purges"}
	for range l.plan.rounds {
		for i, t := range trials {
			p99, err := l.p99(t)
			if err != nil {
				return err
			}
			quiet[i].Name = t.server.name
			quiet[i].add(p99)
		}
		p99, err := l.p99UnderPurges(rescind)
		if err != nil {
			return err
		}
		purged.add(p99)
	}
	for _, s := range append(quiet, purged) {
		l.report.note(judgeSpread("99th percentile", s)...)
	}
	const chapter = "Delays at half the highest rate"
	l.report.compare(comparison{
		Chapter: chapter, What: fmt.Sprintf("99th percentile at %s a second, with %s purges a second", figure(rescind.rate), thousands(stormRate)),
		Unit: microseconds, Subject: purged, Peer: quiet[0], Aim: atMost(1.2),
	})
	for i, t := range trials[1:] {
		what := fmt.Sprintf("99th percentile, each at half of its own highest rate (%s and %s a second)", figure(rescind.rate), figure(t.rate))
		l.report.compare(comparison{Chapter: chapter, What: what, Unit: microseconds, Subject: quiet[0], Peer: quiet[i+1]})
	}
	return l.dismiss()
}

// trial is a server with the rate at which its delays are measured.
type trial struct {
	server *server
	what   string
	rate   float64 // requests a second: half of the highest
	urls   []string
}

// newTrial finds the highest rate of a server for some objects, by two runs, of
// which the first warms it up.
func (l *lab) newTrial(s *server, set []object) (*trial, error) {
	t := &trial{server: s, what: "delays"}
	for _, o := range set {
		t.urls = append(t.urls, loadURL("http", s.http, o.path()))
	}
	for range 2 {
		// The generator of the delays, as fast as it goes: its own cost counts.
		did, err := l.take(turn{server: s, what: "highest rate", size: set[0].size, paced: true, run: func() (load, error) {
			return h2Load{urls: t.urls, http1: true, clients: latencyClients, duration: l.plan.duration}.run(l)
		}})
		if err != nil {
			return nil, err
		}
		t.rate = did.rate() / 2
	}
	l.progress("  %s: delays at %.0f a second", s.name, t.rate)
	return t, nil
}

// p99 returns the 99th percentile of a server's delays in µs.
func (l *lab) p99(t *trial) (float64, error) {
	did, err := l.take(turn{server: t.server, what: t.what, size: 1, paced: true, run: func() (load, error) {
		return h2Load{
			urls: t.urls, http1: true, clients: latencyClients, rate: t.rate, duration: l.plan.duration, delays: true,
		}.run(l)
	}})
	if err != nil {
		return 0, err
	}
	if offered := did.rate() / t.rate; offered < leastOffered {
		l.report.note(finding{
			Where: t.server.name + ", " + t.what, Kind: "offered", worst: -offered,
			Text: fmt.Sprintf("only %.0f %% of the intended rate was reached", 100*offered),
		})
	}
	return percentile(did.delays, 99), nil
}

// p99UnderPurges is p99 while a storm of purges goes on.
func (l *lab) p99UnderPurges(t *trial) (float64, error) {
	s, err := startStorm(t.server)
	if err != nil {
		return 0, err
	}
	under := *t
	under.what += " under purges"
	p99, err := l.p99(&under)
	began, purged, stormErr := s.end()
	if err != nil {
		return 0, err
	}
	if stormErr != nil {
		return 0, stormErr
	}
	if rate := float64(purged) / time.Since(began).Seconds(); rate < leastOffered*stormRate {
		l.report.note(finding{
			Where: t.server.name + ", " + under.what, Kind: "storm", worst: -rate,
			Text: fmt.Sprintf("only %.0f purges a second were carried out, of %d intended", rate, stormRate),
		})
	}
	return p99, nil
}
