package proxy

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/store"
)

// answerOf returns the answer that a stored object is.
func answerOf(o store.Object) *fetch.Answer {
	content := o.Content()
	r := content.NewReader(0)
	return &fetch.Answer{
		Head: o.Head, Content: r, Reader: r, Reason: httpcache.ReasonStored, Stored: true, Trailer: content.Trailer,
	}
}

// isConditional tells whether a request field is a condition or a range: they
// are the client's own, and a shared fetch goes without them.
func isConditional(name string) bool {
	switch {
	case field.EqualFold(name, "If-None-Match"), field.EqualFold(name, "If-Modified-Since"),
		field.EqualFold(name, "If-Match"), field.EqualFold(name, "If-Unmodified-Since"),
		field.EqualFold(name, "If-Range"), field.EqualFold(name, "Range"):
		return true
	}
	return false
}

// upstream returns the fields to send to the origin, and apart from them the
// client's conditions. They outlive the exchange, as a shared fetch does.
func (x *exchange) upstream() (fields, conditional field.Fields) {
	fields = make(field.Fields, 0, len(x.fields)+5)
	for _, f := range x.fields {
		switch {
		case isConditional(f.Name):
			conditional = append(conditional, f)
		case field.EqualFold(f.Name, "Max-Forwards"):
			fields = fields.Add(f.Name, oneLess(f.Value))
		default:
			fields = append(fields, f)
		}
	}
	fields = x.appendForwarding(fields)
	via := x.ask.protocol() + " " + x.cfg.via
	if prior, ok := x.ask.lines.Joined("Via"); ok {
		via = prior + ", " + via
	}
	return fields.Add("Via", via), conditional
}

// oneLess decrements Max-Forwards (RFC 9110 section 7.6.2).
func oneLess(value string) string {
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return strconv.Itoa(n - 1)
	}
	return value
}

// matcher picks variants for a fetch, which may outlive its exchange.
type matcher struct{ fields field.Fields }

func (m matcher) MatchVariant(h *store.Head) bool {
	return httpcache.VariantMatches(h.Variant(), m.fields)
}

// shared returns the request as a fetch that others may share sends it.
func (x *exchange) shared() *fetch.Request {
	fields, conditional := x.upstream()
	return &fetch.Request{
		Key: x.key, Method: x.ask.method, Target: x.target, Tagged: x.keyed, Host: x.target.Host,
		Fields: fields, Conditional: conditional, Matcher: matcher{fields}, Began: x.began,
	}
}

// miss gets a shareable answer, and falls back on a stale one where that is
// allowed (RFC 5861 section 4).
func (x *exchange) miss() state {
	req := x.shared()
	req.Interim = x.interim
	req.Renew = x.found == foundStale
	req.Anew = x.trust != TrustStored || req.Renew && x.reuse.Reason == httpcache.ReasonRequestNoCache
	x.atWork()
	if x.found == foundUnknown {
		req.Unbased = true
		answer, err := x.service.Fetcher.Alone(x.ctx, req)
		return x.fetched(answer, err, outcomeMiss)
	}
	if x.fields.Has("Authorization") {
		// Its answer is rarely for others, and theirs never tells.
		answer, err := x.service.Fetcher.Alone(x.ctx, req)
		return x.fetched(answer, err, outcomeMiss)
	}
	answer, err := x.service.Fetcher.Get(x.ctx, req)
	return x.fetched(answer, err, outcomeMiss)
}

// fetched decides on what a fetch brought.
func (x *exchange) fetched(answer *fetch.Answer, err error, as outcome) state {
	if err != nil {
		if x.ctx.Err() == nil && originFails(err) && x.staleInstead() {
			return stateDeliver
		}
		return x.originFailed(err)
	}
	if fails(answer.Head.Status()) && x.staleInstead() {
		x.answer.FwdStatus = answer.Head.Status()
		answer.Close()
		return stateDeliver
	}
	x.outcome, x.answer = as, answer
	return stateDeliver
}

// originFails tells whether an error is of the origin, rather than of the request
// as a shield sees it.
func originFails(err error) bool {
	var parent *fetch.ParentError
	return !errors.As(err, &parent) || fails(parent.Status)
}

// fails tells whether a status is an error in the sense of stale-if-error
// (RFC 5861 section 4).
func fails(status int) bool {
	return status == 500 || status >= 502 && status <= 504
}

// pass hands the request through for this client alone.
func (x *exchange) pass() state {
	x.atWork()
	if x.found == foundUncacheable {
		req := x.shared()
		req.Interim = x.interim
		answer, err := x.service.Fetcher.Alone(x.ctx, req)
		return x.fetched(answer, err, outcomePass)
	}
	fields, conditional := x.upstream()
	req := &fetch.PassRequest{
		Method: x.ask.method, Target: x.target, Host: x.target.Host, Fields: append(fields, conditional...),
		Interim: x.interim,
	}
	if x.attachBody(req); req.Body == nil {
		// An origin may switch before it has read a body; then its sender and the
		// tunnel would both read from the client.
		req.Upgrade = upgradeOf(x.r)
	}
	answer, err := x.service.Fetcher.Pass(x.ctx, req)
	if err == nil {
		x.invalidate(answer)
	}
	return x.fetched(answer, err, outcomePass)
}

// invalidate withdraws what a successful unsafe request changed, before its
// answer is delivered (RFC 9111 section 4.4).
func (x *exchange) invalidate(answer *fetch.Answer) {
	if httpcache.SafeMethod(x.ask.method) {
		return
	}
	fields := answer.Head.AppendFields(nil, false)
	if keys := x.service.Policy.InvalidatedKeys(x.ask.method, x.target, fields); keys != nil && x.cfg.InvalidateKeys != nil {
		x.cfg.InvalidateKeys(x.service.ID, keys) // whatever the status: the origin says so
	}
	if x.cfg.Invalidate == nil || !httpcache.InvalidatesTarget(x.ask.method, answer.Head.Status()) {
		return
	}
	x.cfg.Invalidate(x.service.ID, httpcache.InvalidatedTargets(x.target, fields))
}

// interim passes an informational response on (RFC 9110 section 15.2), whatever its
// origin says of its length: it has no content (section 8.6).
func (x *exchange) interim(status int, f field.Fields) {
	if !x.ask.atLeastHTTP11() {
		return
	}
	if x.goAhead(); status == http.StatusContinue {
		return
	}
	f = httpcache.EndToEnd(f, nil).Without("Content-Length")
	if x.plain != nil {
		x.informPlain(status, f)
		return
	}
	x.deadline()
	h := x.w.Header()
	for _, line := range f {
		if !x.hides(line.Name) {
			h.Add(line.Name, line.Value)
		}
	}
	x.w.WriteHeader(status)
	x.waitForOrigin()
	reset(h)
}

// originFailed answers for an origin that gave no usable response.
func (x *exchange) originFailed(err error) state {
	var tooLarge *http.MaxBytesError
	var failure *origin.Error
	var status *fetch.StatusError
	var parent *fetch.ParentError
	switch {
	case errors.As(err, &tooLarge):
		return x.refuse(http.StatusRequestEntityTooLarge, "body-too-large", "The request body is longer than "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes.")
	case errors.As(err, &failure) && failure.Kind == origin.KindRequestBody:
		return x.bodyFailed(err)
	case x.ctx.Err() != nil:
		panic(http.ErrAbortHandler) // nobody is left to answer, and silence would mean 200
	case errors.As(err, &parent) && parent.Status < 500:
		return x.refuse(parent.Status, parent.Reason, "The shield of this service does not accept the request: "+parent.Reason+".")
	case errors.As(err, &parent):
		return x.gateway(parent.Status, parent.Reason, "The shield of this service has no answer: "+parent.Reason+".")
	case errors.As(err, &status):
		return x.gateway(status.Status, "origin-status", "The origin answered "+strconv.Itoa(status.Status)+".")
	case errors.As(err, &failure) && failure.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return x.gateway(http.StatusGatewayTimeout, token(failure), "The origin did not answer in time.")
	case errors.As(err, &failure) && failure.Kind == origin.KindBusy:
		return x.gateway(http.StatusServiceUnavailable, token(failure), "The origin is busy.")
	case errors.Is(err, fetch.ErrClosed):
		return x.refuse(http.StatusServiceUnavailable, "stopping", "The node is stopping.")
	}
	return x.gateway(http.StatusBadGateway, token(failure), "The origin could not be reached or did not answer in HTTP.")
}

// bodyFailed answers that the request's own body could not be read to its end.
func (x *exchange) bodyFailed(err error) state {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return x.refuse(http.StatusRequestTimeout, "body-timeout", "The request body did not arrive in time.")
	}
	return x.refuse(http.StatusBadRequest, "body-broken", "The request body could not be read.")
}

// gateway answers that the origin failed. Where a stale response had to be
// revalidated and could not be, that is 504 (RFC 9111 section 5.2.2.2).
func (x *exchange) gateway(status int, token, text string) state {
	if x.object.Found() && x.object.Head.Is(store.MustRevalidate) {
		status = http.StatusGatewayTimeout
	}
	return x.refuse(status, token, text)
}

// token names a failure of the origin in one word.
func token(failure *origin.Error) string {
	if failure == nil {
		return "origin"
	}
	return "origin-" + strings.ReplaceAll(failure.Kind.String(), "_", "-")
}

// elapsed is the time since the request arrived.
func (x *exchange) elapsed() time.Duration { return time.Since(x.start) }
