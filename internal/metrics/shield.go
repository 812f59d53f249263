package metrics

var (
	shieldAnswers = definition{"rescind_shield_requests_total", counter, []string{"service", "outcome"},
		"Requests of this node that a shield answered: from its store (hit, or stale because the origin fails), filled by a fetch, passed, behind where it went to the origin because it did not know in time what this node knew, failed in its own words, or refused"}
	shieldDirect = definition{"rescind_shield_bypassed_requests_total", counter, []string{"service", "reason"},
		"Requests of this node that went to the origin past the shield: no_member alive, all resting after failures, unreachable, or refusing to be a shield"}
	shieldFailures = definition{"rescind_shield_failures_total", counter, byService,
		"Attempts at a shield that got no answer"}
	edgeRequests = definition{"rescind_edge_requests_total", counter, []string{"knowledge"},
		"Look-ups here for edges, by what this node knew of their purges: covered all, caught_up within the time for it, or behind, and then nothing stored was used"}
	edgeFailures = definition{"rescind_edge_catch_up_failures_total", counter, nil,
		"Attempts to catch up with an edge that failed"}
)

func shieldMetrics() []*definition {
	return []*definition{&shieldAnswers, &shieldDirect, &shieldFailures, &edgeRequests, &edgeFailures}
}

func (e emitter) shield(service string, s *Shield) {
	for how, n := range s.Answers {
		e.send(&shieldAnswers, float64(n), service, how)
	}
	for why, n := range s.Direct {
		e.send(&shieldDirect, float64(n), service, why)
	}
	e.send(&shieldFailures, float64(s.Failures), service)
}

func (e emitter) edges(s Edges) {
	e.send(&edgeRequests, float64(s.Covered), "covered")
	e.send(&edgeRequests, float64(s.CaughtUp), "caught_up")
	e.send(&edgeRequests, float64(s.Behind), "behind")
	e.send(&edgeFailures, float64(s.Failed))
}
