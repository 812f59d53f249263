package accesslog

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/rescind-edge/rescind/internal/event"
)

// FromRefused returns a refused request as the formats and filters see it, with
// what is known of it and the outcome event.OutcomeRefused. The event does not
// say which node it is.
func FromRefused(node string, r event.Refused) event.Request {
	e := event.Request{
		Time: r.Time, Node: node, Remote: r.Remote, Method: r.Method, Target: r.Target,
		Status: r.Status, Outcome: event.OutcomeRefused, Reason: string(r.Reason),
	}
	if peer, err := netip.ParseAddrPort(r.Remote); err == nil {
		e.Client = peer.Addr().Unmap()
	}
	return e
}

// fromStore tells whether the age and the hits of a request mean something.
func fromStore(e *event.Request) bool {
	return e.Outcome == event.OutcomeHit || e.Outcome == event.OutcomeStale
}

// splitTarget parts a raw request target before its first question mark.
func splitTarget(e *event.Request) (path, query string) {
	if i := strings.IndexByte(e.Target, '?'); i >= 0 {
		return e.Target[:i], e.Target[i:]
	}
	return e.Target, ""
}

// user returns the name in Basic credentials (RFC 7617), and never more.
func user(e *event.Request) string {
	value, _ := e.RequestFields.Get("Authorization")
	scheme, credentials, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Basic") || len(credentials) > MaxValueBytes {
		return ""
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimLeft(credentials, " "))
	if err != nil {
		return ""
	}
	name, _, found := strings.Cut(string(decoded), ":")
	if !found {
		return "" // no name but something that may be a secret
	}
	return name
}
