package proxy

import (
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/server"
	"github.com/rescind-edge/rescind/internal/store"
)

var _ server.FastHandler = (*Proxy)(nil)

// ServeFast implements server.FastHandler: it answers requests for what is
// stored, fresh and whole. It goes through the same states as ServeHTTP, by the
// same rules, and declines whatever needs more than memory, before anything has
// come of it.
func (p *Proxy) ServeFast(w server.FastWriter, r *server.FastRequest) bool {
	x := p.pool.Get().(*exchange)
	x.p, x.cfg, x.start, x.fast = p, p.hold(x.stripe), r.Time, true
	if x.start.IsZero() {
		x.start = time.Now()
	}
	defer x.end()
	x.ask = askFast(r)
	if !x.meet() || r.Room > 0 && x.piece.Length > r.Room {
		return false
	}
	p.stats.Requests.Add(x.stripe, 1)
	x.count()
	var err error
	if x.piece.Length > atOnce {
		x.firstByte = x.elapsed()
	}
	if r.HTTP2 {
		x.composeFields()
		x.sentBytes, err = w.SendFields(x.status, x.out, x.parts())
	} else {
		x.compose()
		x.sentBytes, err = w.Send(x.head, x.parts())
	}
	x.report(err == nil)
	return true
}

// atOnce is how much content leaves together with the head, or as good as: its
// first byte has left when the last one has, and the clock is read once.
const atOnce = 16 << 10

// meet tells whether the request can be answered here, and finds the answer.
func (x *exchange) meet() bool {
	if x.cfg.trust() != TrustStored || x.locate() != located || !x.usual() {
		return false
	}
	x.readFields()
	x.hash()
	return !x.asksRefresh() && x.find() && x.shape()
}

// usual tells that no field asks for what only ServeHTTP does: to look for
// loops, and to explain.
func (x *exchange) usual() bool {
	for i := range x.ask.lines {
		switch name := x.ask.lines[i].Name; len(name) {
		case len("Via"), len("Fastly-Debug"):
			if field.EqualFold(name, "Via") || field.EqualFold(name, "Fastly-Debug") {
				return false
			}
		}
	}
	return true
}

// find takes what is stored for the request, if it may be used as it is.
func (x *exchange) find() bool {
	o := x.cfg.Store.Get(x.key, (*fastMatcher)(x))
	if !o.Found() {
		return false
	}
	x.object = o // released at the end, whatever becomes of it
	if x.unsure {
		return false
	}
	if x.verdict = x.service.Judge.Judge(o); !x.verdict.Usable() || o.Head.Is(store.Uncacheable) || !o.HasBody() {
		return false
	}
	x.reuse = httpcache.Decide(stored(o, x.verdict), x.directives, x.service.Policy, x.start.UnixNano())
	x.outcome, x.found = outcomeHit, foundUsable
	return x.reuse.Verdict == httpcache.Fresh
}

// fastMatcher picks variants as exchange does, for those that depend on what the
// client sent alone.
type fastMatcher exchange

// MatchVariant implements store.Matcher.
func (x *fastMatcher) MatchVariant(h *store.Head) bool {
	key := h.Variant()
	if key == "" {
		return true
	}
	if httpcache.VariantSelects(key, isForwarding) {
		x.unsure = true
	}
	return httpcache.VariantMatches(key, x.fields)
}

// shape decides what of the stored response is sent: all, its head, a part, or
// that the client's copy is still good.
func (x *exchange) shape() bool {
	head, content := x.object.Head, x.object.Content()
	x.own.Head = head
	x.answer = &x.own
	x.status, x.length = head.Status(), head.Length()
	if x.length != content.Size() || !hasContent(x.status) || len(content.Trailer()) > 0 {
		return false
	}
	x.out, x.sorted, x.stored = x.out[:0], true, true
	x.piece = httpcache.ByteRange{Length: x.length}
	if x.status != http.StatusOK {
		return true
	}
	if len(x.service.Compression.Encodings) > 0 || len(x.fields) > 0 && httpcache.Conditional(x.fields) {
		x.takeFields()
	}
	if !x.encodeFast() {
		return false
	}
	switch httpcache.Precondition(x.ask.method, x.fields, x.out) {
	case httpcache.NotModified:
		x.status = http.StatusNotModified
		return true
	case httpcache.Failed:
		return false
	}
	return x.take()
}

// takeFields puts the fields of the stored response into x.out, for those who
// read or change them there. Most answers have them as they are stored.
func (x *exchange) takeFields() {
	if x.stored {
		x.out, x.stored = x.object.Head.AppendFields(x.out[:0], false), false
	}
}

// hasContent tells whether a response of that status is framed by its length,
// and has a reason phrase.
func hasContent(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified && http.StatusText(status) != ""
}

// take takes the one range that a request may ask for.
func (x *exchange) take() bool {
	if x.ask.method != http.MethodGet || x.length != x.answer.Head.Length() || !x.fields.Has("Range") {
		return true
	}
	if !httpcache.IfRange(x.fields, x.out) {
		return true
	}
	var room [1]httpcache.ByteRange
	set := httpcache.ParseRange(x.fields)
	switch part := set.Resolve(x.length, room[:0]); {
	case part.Kind == httpcache.Whole:
		return true
	case part.Kind != httpcache.Partial || len(part.Ranges) != 1:
		return false
	default:
		x.piece, x.status = part.Ranges[0], http.StatusPartialContent
		return true
	}
}
