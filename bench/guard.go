package main

import "fmt"

// finding is something that a reader of the figures must know. A fatal one means
// that they are worth nothing, and keeps the table from being printed.
type finding struct {
	Fatal bool   `json:"fatal"`
	Where string `json:"where"` // who and what; findings of one place and kind are one
	Kind  string `json:"kind"`
	Text  string `json:"text"` // of the worst
	worst float64
	Times int `json:"times"`
}

// Bounds of what passes. Those that make figures worthless:
const (
	// Hits that go to the origin, of all: beyond, it was no cache that was measured.
	mostMisses = 0.001
	// nginx's hits of 1 KB in relation to Varnish's. Outside, one of both is set up
	// badly: nginx is the quicker one, and not by magnitudes.
	leastNginx, mostNginx = 0.8, 6.0
	// The servers' core and that of the load, where both wait for something else:
	// a timer, mostly, that a setting of one of them would have avoided.
	stalledServer, stalledLoad = 0.5, 0.7
)

// Those that make them doubtful, each as a part of one core or of the median:
const (
	mostForeign  = 0.05
	mostSteal    = 0.02
	leastBusy    = 0.90 // below, something else than the server was the limit
	mostSpread   = 0.15
	leastLogged  = 0.99
	leastOffered = 0.97 // of the rate that a generator was told
)

// judgeAnswers finds what makes a turn worthless. sent is how many objects the
// origin sent during it.
func (t turn) judgeAnswers(did load, sent int) []finding {
	var found []finding
	fatal := func(kind string, worst float64, format string, args ...any) {
		found = append(found, finding{Fatal: true, Where: t.where(), Kind: kind, Text: fmt.Sprintf(format, args...), worst: worst})
	}
	if did.requests == 0 {
		fatal("no answers", 0, "not one request was answered")
		return found
	}
	if did.failed > 0 {
		fatal("failures", float64(did.failed), "%d of %d requests failed: %s", did.failed, did.requests, did.why)
	}
	if mean := float64(did.bytes) / float64(did.requests); mean < float64(t.size) {
		fatal("length", -mean, "answers had %.0f bytes, their bodies should have %d", mean, t.size)
	}
	missed := float64(sent) / float64(did.requests)
	switch {
	case !t.misses && missed > mostMisses:
		fatal("misses", missed, "%.2f %% of requests went to the origin", 100*missed)
	case t.misses && missed < 1-mostMisses:
		fatal("hits", -missed, "only %.2f %% of requests went to the origin", 100*missed)
	}
	return found
}

// judgeCores finds what makes a turn doubtful, and that it stood still.
func (t turn) judgeCores(u use) []finding {
	var found []finding
	warn := func(kind string, worst float64, format string, args ...any) {
		found = append(found, finding{Where: t.where(), Kind: kind, Text: fmt.Sprintf(format, args...), worst: worst})
	}
	if u.foreign > mostForeign {
		warn("foreign", u.foreign, "others used %.0f %% of the server's core", 100*u.foreign)
	}
	if u.steal > mostSteal {
		warn("steal", u.steal, "the hypervisor took %.0f %% of the server's core", 100*u.steal)
	}
	busy := u.server + u.foreign
	if !t.paced && busy < stalledServer && u.load < stalledLoad {
		return append(found, finding{
			Fatal: true, Where: t.where(), Kind: "stalled", worst: -busy,
			Text: fmt.Sprintf("its core was only %.0f %% busy, that of the load %.0f %%: both waited for something", 100*busy, 100*u.load),
		})
	}
	if !t.paced && busy < leastBusy {
		warn("bound", -u.server, "its core was only %.0f %% busy, that of the load %.0f %%: not the server was the limit",
			100*busy, 100*u.load)
	}
	return found
}

func (t turn) judgeLog(requests, lines int) []finding {
	logged := float64(lines) / float64(max(requests, 1))
	if logged >= leastLogged {
		return nil
	}
	return []finding{{
		Where: t.where(), Kind: "log", worst: -logged,
		Text: fmt.Sprintf("its access log has only %.0f %% of the requests", 100*logged),
	}}
}

func (t turn) where() string { return t.server.name + ", " + t.what }

// judgePeers finds that a peer is set up badly, from its hits of 1 KB.
func judgePeers(nginx, varnish series) []finding {
	ratio := nginx.median() / varnish.median()
	if ratio >= leastNginx && ratio <= mostNginx {
		return nil
	}
	return []finding{{
		Fatal: true, Where: "nginx and Varnish, hits of 1 KB", Kind: "peers",
		Text: fmt.Sprintf("nginx has %.2f of Varnish's rate; between %.1f and %.1f is believable", ratio, leastNginx, mostNginx),
	}}
}

// judgeSpread finds that rounds differ too much.
func judgeSpread(what string, s series) []finding {
	if s.spread() <= mostSpread {
		return nil
	}
	return []finding{{
		Where: s.Name + ", " + what, Kind: "spread", worst: s.spread(),
		Text: fmt.Sprintf("its rounds differ by %.0f %%", 100*s.spread()),
	}}
}
