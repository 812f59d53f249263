package app

import (
	"fmt"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// distrust changes what a request would get while others may know of purges that
// this node does not, as the data plane does.
func (x *explaining) distrust() {
	trust, e := x.a.trusts(), x.out
	reason := httpcache.ReasonIsolated.String()
	switch {
	case trust == proxy.TrustNobody:
		e.Outcome, e.Reason, e.Cached = api.WouldRefuse, reason, false
	case trust == proxy.TrustOrigin && e.Cached:
		e.Outcome, e.Reason, e.Cached = api.WouldRevalidate, reason, false
	case trust == proxy.TrustOrigin:
	default:
		return
	}
	st := x.a.clusterStatus()
	text := fmt.Sprintf("This node is %s in its cluster and hears %d of %d members, of which it needs %d: what it has stored is %s.",
		st.State, st.Heard, st.Roster, st.Majority, st.Stored)
	e.Hints = append([]api.Hint{{Code: api.HintCluster, Text: text, Next: "see rescind cluster members"}}, e.Hints...)
}
