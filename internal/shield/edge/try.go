package edge

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/shield"
)

// tried is what came of asking one shield.
type tried struct {
	resp *origin.Response
	said fetch.Said
	err  error
	next bool   // somebody else may be asked, if the body is whole
	why  string // then
	// withdrawn says that what the shield had may be withdrawn here: it is to be
	// asked for what the origin says.
	withdrawn bool
}

// askOf makes the field that says what the answer must not be older than. It is
// made after the stamp was taken of what the answer will become, so all that is in
// force by that stamp is in it.
func (p *Parent) askOf(l *line, target field.Target) shield.Ask {
	session, confirmed := l.known()
	a := shield.Ask{From: p.cfg.Name, Session: p.cfg.Session(), Fresh: p.cfg.Unspread(target)}
	var based bool
	if a.Since, a.At, a.Entries, based = p.cfg.Applied.since(p.cfg.Service, confirmed); based {
		a.Shield = session
	}
	return a
}

// try asks one shield; fresh: for what the origin says now.
func (p *Parent) try(ctx context.Context, l *line, r *origin.Request, target field.Target, body *body, fresh bool) tried {
	// Unspread is asked before the entries are read: what is spread in between is one
	// of them.
	ask := p.askOf(l, target)
	ask.Fresh = ask.Fresh || fresh
	q := *r
	q.Fields = r.Fields.Clone().Without(shield.AskField).Add(shield.AskField, string(ask.Append(nil)))
	if r.Body != nil {
		q.Body = body.reader()
	}
	within, cancel := context.WithCancelCause(ctx)
	v := keepVigil(cancel, func() bool { return p.alive(l.member) })
	q.Interim = func(status int, f field.Fields) {
		switch {
		case status == http.StatusProcessing && f.Has(shield.WordField):
			v.heard()
		case r.Interim != nil:
			r.Interim(status, f.Without(shield.WordField))
		}
	}
	sent := time.Now()
	resp, err := l.pool.Do(within, &q)
	gone := v.end()
	if gone != nil && err == nil {
		drop(resp) // it answered at the last moment, and was cut
		err = gone
	}
	if err != nil {
		cancel(err)
		return p.failed(ctx, l, r, err, gone)
	}
	return p.answered(l, r, &ask, resp, sent)
}

// failed judges an attempt without an answer. gone is why it was given up here.
func (p *Parent) failed(ctx context.Context, l *line, r *origin.Request, err, gone error) tried {
	t := tried{said: fetch.Said{Parent: l.member}, err: err, why: Unreachable}
	var failure *origin.Error
	errors.As(err, &failure)
	kind := origin.KindCanceled
	if failure != nil {
		kind = failure.Kind
	}
	switch {
	case ctx.Err() != nil:
		return t // nobody waits for it any more
	case gone != nil:
		t.next = repeatable(r.Method)
		t.err = &origin.Error{Kind: origin.KindFirstByteTimeout, Origin: "shield " + l.member, Address: l.address, Err: gone}
	case kind == origin.KindConnect, kind == origin.KindConnectTimeout, kind == origin.KindTLS, kind == origin.KindNoOrigin:
		t.next = true
	case kind == origin.KindPoolClosed:
		t.next = repeatable(r.Method)
		return t // its own doing, not the shield's
	case kind == origin.KindClosed, kind == origin.KindGarbage:
		t.next = repeatable(r.Method)
	default:
		// Busy, slow, too large, or the client's own fault: so it would be elsewhere.
		return t
	}
	p.cfg.Counters.failures.Add(1)
	l.failed(time.Now())
	return t
}

// answered judges an answer.
func (p *Parent) answered(l *line, r *origin.Request, ask *shield.Ask, resp *origin.Response, sent time.Time) tried {
	t := tried{resp: resp, said: fetch.Said{Parent: l.member}}
	if resp.Upgraded != nil {
		p.cfg.Counters.answered(shield.Passed)
		p.went("")
		return t
	}
	text, _ := resp.Fields.Get(shield.WordField)
	word, err := shield.ParseWord(text)
	if err != nil {
		// It could not read the request, whose head may be too long for it: that is
		// no reason to spare it others.
		word = shield.Word{How: shield.Refused}
	} else if l.answered(&word, ask.At); word.How == shield.Refused {
		l.failed(time.Now()) // it will refuse the next one too
	}
	resp.Fields = resp.Fields.Without(shield.WordField)
	if err == nil && !ask.Fresh && r.Body == nil && word.How.Kept() && slices.ContainsFunc(word.Undone, p.cfg.InForce) {
		drop(resp)
		return tried{said: t.said, withdrawn: true}
	}
	p.cfg.Counters.answered(word.How)
	switch {
	case word.How == shield.Refused:
		resp.Body.Close()
		return tried{
			said: t.said, next: repeatable(r.Method), why: Refusing,
			err: &fetch.ParentError{Parent: l.member, Status: http.StatusBadGateway, Reason: "shield-refused"},
		}
	case word.How == shield.Failed && resp.Status >= 400:
		resp.Body.Close()
		p.went("")
		return tried{said: t.said, err: &fetch.ParentError{Parent: l.member, Status: resp.Status, Reason: word.Reason}}
	}
	if word.HasLeft {
		t.said.Bounds, t.said.Bounded = word.Left.From(sent.UnixNano()), true
	}
	p.went("")
	return t
}

// drop gives up a response.
func drop(resp *origin.Response) {
	resp.Body.Close()
	if resp.Upgraded != nil {
		resp.Upgraded.Close()
	}
}

// repeatable tells whether a request may be sent again without knowing what became
// of the first (RFC 9110 section 9.2.2).
func repeatable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
