package proxy

import (
	"context"
	"net/http"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/shield"
	"github.com/rescind-edge/rescind/internal/shield/catch"
)

// Catcher brings this node up to what an edge knows before anything is looked up
// for it. Its methods are called by many goroutines.
type Catcher interface {
	// Covers tells, within a bounded time, whether every purge that an edge's request
	// asks about is in force here.
	Covers(ctx context.Context, a *shield.Ask) catch.Covering
	// Confirms tells the same at once, of this moment.
	Confirms(a *shield.Ask) bool
	// Undone returns the purges of a service that were taken back here lately.
	Undone(service string) []shield.Purge
	// Own is the session of this start of this node.
	Own() shield.Session
}

// edge is another node of the cluster that gets a response here.
type edge struct {
	ask     shield.Ask
	known   bool // ask has been read, of a service that this node is a shield of
	refused bool // it is to ask somebody else
}

// Edges returns the handler of requests of other nodes, for which this one is a
// shield. Who calls it has made sure that they are members of the cluster: they are
// told all fields of a response and believed what they say of clients.
func (p *Proxy) Edges() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, new(edge)) })
}

// meetEdge reads what the answer must not be older than. It returns false where the request is refused. One that has come through a shield never goes
// to another one: only a node that goes to the origin itself takes it.
func (x *exchange) meetEdge() bool {
	lines := x.r.Header.Values(shield.AskField)
	if len(lines) != 1 {
		x.refuseEdge(http.StatusBadRequest, "bad-edge")
		return false
	}
	ask, err := shield.ParseAsk(lines[0])
	x.edge.ask = ask
	switch {
	case err != nil:
		x.refuseEdge(http.StatusBadRequest, "bad-edge")
	case !x.service.Shields || x.cfg.Catcher == nil:
		x.refuseEdge(http.StatusMisdirectedRequest, "no-shield")
	case x.cfg.trust() == TrustNobody:
		x.refuseEdge(http.StatusServiceUnavailable, "isolated")
	default:
		x.edge.known = true
		return true
	}
	return false
}

func (x *exchange) refuseEdge(status int, token string) state {
	x.edge.refused = true
	return x.refuse(status, token, "This node is no shield for that.")
}

// atWork tells an edge that its request has arrived and that its answer takes a
// while. Without a word it would soon ask another shield.
func (x *exchange) atWork() {
	if x.edge == nil || !x.ask.atLeastHTTP11() {
		return
	}
	x.deadline()
	h := x.w.Header()
	h.Set(shield.WordField, "1")
	x.w.WriteHeader(http.StatusProcessing)
	x.waitForOrigin()
	reset(h)
}

// addWord says to an edge what HTTP has no field for.
func (x *exchange) addWord() {
	w := shield.Word{How: x.how(), Reason: x.problem.token}
	if x.cfg.Catcher != nil {
		w.Session = x.cfg.Catcher.Own()
		if x.edge.known && x.cfg.Catcher.Confirms(&x.edge.ask) {
			w.Confirmed, w.Confirms = x.edge.ask.At, true
		}
	}
	if x.outcome != outcomeError && x.outcome != outcomePass && x.fromCache() {
		w.Left, w.HasLeft = shield.LeftAt(x.bounded(), x.now()), true
	}
	if x.cfg.Catcher != nil && x.service != nil && w.How.Kept() {
		w.Undone = x.cfg.Catcher.Undone(x.service.ID)
	}
	from := len(x.text)
	x.text = w.Append(x.text)
	x.out = x.out.Set(shield.WordField, x.since(from))
}

// bounded returns the times of the answer with every purge considered that is in
// force now. A withdrawn one has none: whoever gets it may still answer the request
// with it that it was fetched for.
func (x *exchange) bounded() field.Times {
	head := x.answer.Head
	if x.object.Found() && head == x.object.Head {
		return x.verdict.Times
	}
	times := head.Times()
	if x.answer.Bounds != (field.Times{}) {
		times = times.Min(x.answer.Bounds) // what a sweep has written down is in no mark any more
	}
	return x.service.Judge.Marks.Judge(head, head.Stamp(), times).Times
}

func (x *exchange) how() shield.How {
	switch {
	case x.edge.refused:
		return shield.Refused
	case x.outcome == outcomeError || x.outcome == outcomeNone:
		return shield.Failed
	case x.found == foundUnknown:
		return shield.Behind
	case x.outcome == outcomeHit:
		return shield.Hit
	case x.outcome == outcomeStale:
		return shield.Stale
	case x.outcome == outcomePass || !x.answer.Stored:
		return shield.Passed
	}
	return shield.Filled
}
