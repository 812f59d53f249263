package app

import (
	"fmt"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/metrics"
	"github.com/rescind-edge/rescind/internal/shield"
)

// shieldStatus says how the service's requests go through its shield; nil: it has
// none.
func (s *service) shieldStatus() *api.ShieldStatus {
	if !s.config.Shield.Enabled() {
		return nil
	}
	out := &api.ShieldStatus{POP: s.config.Shield.POP, Here: s.parent == nil}
	if s.parent == nil {
		return out
	}
	counted := s.parent.Stats()
	for how, n := range counted.Answers {
		if how != shield.Refused {
			out.Through += n
		}
	}
	for _, n := range counted.Direct {
		out.Past += n
	}
	out.Behind, out.Direct = counted.Answers[shield.Behind], s.parent.Last()
	for _, m := range s.parent.States() {
		out.Members = append(out.Members, api.ShieldMember{Name: m.Name, Address: m.Address, Resting: m.Resting})
	}
	return out
}

func (s *service) shieldMetrics() *metrics.Shield {
	if s.parent == nil {
		return nil
	}
	counted := s.parent.Stats()
	m := &metrics.Shield{Answers: make(map[string]uint64), Direct: counted.Direct, Failures: counted.Failures}
	for how, n := range counted.Answers {
		m.Answers[string(how)] = n
	}
	return m
}

func (a *App) edgeMetrics() metrics.Edges {
	if a.shield.catcher == nil {
		return metrics.Edges{}
	}
	st := a.shield.catcher.Stats()
	return metrics.Edges{Covered: st.Covered, CaughtUp: st.CaughtUp, Behind: st.Behind, Failed: st.Failed}
}

// directly says in words why a request goes past its shield.
var directly = map[string]string{
	"no_member":   "no node of that POP is alive in the cluster as seen from here",
	"resting":     "its nodes have failed a moment ago and are left alone",
	"unreachable": "its nodes did not answer",
	"refusing":    "its nodes do not act as shields of this service",
}

// hintShield says which way a miss goes.
func (x *explaining) hintShield(add func(api.HintCode, string, string), keyed field.Target) {
	cfg, parent := &x.svc.config.Shield, x.svc.parent
	switch {
	case !cfg.Enabled():
	case parent == nil:
		add(api.HintShield, "This node is a shield of the service: other nodes get it here, and it goes to the origin itself.", "")
	case parent.Last() != "":
		add(api.HintShield, fmt.Sprintf("The last request that was not answered from the store went to the origin without the shield %s: %s.", cfg.POP, directly[parent.Last()]),
			"see rescind status and rescind cluster members")
	default:
		node := parent.Choose(keyed)
		if node == "" {
			add(api.HintShield, "The service has the shield "+cfg.POP+", and "+directly["no_member"]+".", "see rescind cluster members")
			return
		}
		add(api.HintShield, "What is not stored here comes through "+node+" of the shield "+cfg.POP+".", "ask that node to explain it, too")
	}
}
