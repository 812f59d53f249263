package proxy

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// writeHeader sends the head of the answer.
func (x *exchange) writeHeader(status int) {
	x.status, x.firstByte = status, x.elapsed()
	if x.plain != nil {
		x.beginPlain()
		return
	}
	x.writeFields()
	x.answersEarly()
	x.w.WriteHeader(status)
}

// requestID names the request for those who ask about an error.
func (x *exchange) requestID() string {
	if x.id == "" {
		var b [8]byte
		rand.Read(b[:])
		x.id = hex.EncodeToString(b[:])
	}
	return x.id
}

// report hands the finished request to whoever keeps records. finished is
// false where the answer was cut.
func (x *exchange) report(finished bool) {
	if x.cfg.Done == nil {
		return
	}
	took := x.elapsed()
	if x.fast && x.firstByte == 0 {
		x.firstByte = took
	}
	e := &x.record
	*e = event.Request{
		Time: x.start, ID: x.id, Node: x.cfg.Node, Remote: x.ask.remote, Client: x.client.addr,
		Method: x.ask.method, Scheme: x.target.Scheme, Host: x.ask.host, Target: x.ask.target, Proto: x.ask.proto,
		Status: x.status, Received: x.received.count(), Bytes: x.sentBytes, Duration: took, FirstByte: x.firstByte,
		Cut: !finished, Outcome: x.outcome.event(), Reason: x.reason(),
		Key: x.key, RequestFields: x.loggedFields(), ResponseFields: x.responseFields(),
	}
	if x.ask.tls != 0 {
		e.TLS = protocolName(x.ask.tls)
	}
	if x.service != nil {
		e.Service = x.service.ID
	}
	if x.edge != nil && x.edge.ask.From != "" {
		e.Edge, e.EdgePOP = x.edge.ask.From, x.cfg.popOf(x.edge.ask.From)
	}
	if x.answer != nil {
		e.Origin, e.OriginStatus, e.Collapsed = x.answer.Origin, x.answer.FwdStatus, x.answer.Collapsed
		e.Keys = x.answer.Head
		if x.fromCache() {
			e.Age = time.Duration(max(x.age(), 0)) * time.Second
		}
	}
	if x.object.Found() && (x.outcome == outcomeHit || x.outcome == outcomeStale) {
		e.Hits = x.object.Hits()
	}
	x.cfg.Done(e)
}

// protocolName returns a version of TLS as other servers log it.
func protocolName(version uint16) string {
	switch version {
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return tls.VersionName(version)
}

// responseFields returns the fields of the answer as it was sent.
func (x *exchange) responseFields() event.Header {
	switch {
	case x.w != nil:
		return x.w.Header()
	case x.ask.major == 2:
		return (*sentFields)(&x.out)
	}
	return (*sentHead)(&x.head)
}

// sentFields are the fields of an answer that the server itself sent.
type sentFields field.Fields

// Values implements event.Header.
func (s *sentFields) Values(name string) []string {
	var values []string
	for _, f := range *s {
		if field.EqualFold(f.Name, name) {
			values = append(values, f.Value)
		}
	}
	return values
}

// sentHead is the head of an answer that the server itself sent. It is read
// only where a log wants a field of it.
type sentHead []byte

// Values implements event.Header.
func (h *sentHead) Values(name string) []string {
	var values []string
	_, lines, _ := strings.Cut(string(*h), "\r\n")
	for line := range strings.SplitSeq(lines, "\r\n") {
		if n, value, _ := strings.Cut(line, ": "); n != "" && field.EqualFold(n, name) {
			values = append(values, value)
		}
	}
	return values
}

// loggedFields returns the request's fields; those of one that was refused
// before they were read, too.
func (x *exchange) loggedFields() field.Fields {
	if len(x.fields) == 0 {
		return x.ask.lines
	}
	return x.fields
}

func (o outcome) event() event.Outcome {
	return [...]event.Outcome{
		outcomeNone: event.OutcomeError, outcomeHit: event.OutcomeHit, outcomeStale: event.OutcomeStale,
		outcomeMiss: event.OutcomeMiss, outcomePass: event.OutcomePass, outcomeError: event.OutcomeError,
		outcomePurge: event.OutcomePurge,
	}[o]
}

// reason says in one token why the outcome is what it is.
func (x *exchange) reason() string {
	switch {
	case x.outcome == outcomeError:
		return x.problem.token
	case x.outcome == outcomeHit || x.outcome == outcomeStale:
		return x.reuse.Reason.String()
	case x.found == foundPurged:
		return "purged"
	case x.found == foundStale:
		return x.reuse.Reason.String()
	case x.answer != nil && !x.answer.Stored:
		return x.answer.Reason.String()
	}
	return ""
}

// observed counts what another handler writes.
type observed struct {
	http.ResponseWriter
	x *exchange
}

func (o observed) WriteHeader(status int) {
	o.x.status, o.x.firstByte = status, o.x.elapsed()
	o.ResponseWriter.WriteHeader(status)
}

func (o observed) Write(p []byte) (int, error) {
	if o.x.status == 0 {
		o.x.status, o.x.firstByte = http.StatusOK, o.x.elapsed()
	}
	n, err := o.ResponseWriter.Write(p)
	o.x.sentBytes += int64(n)
	return n, err
}

func (o observed) Unwrap() http.ResponseWriter { return o.ResponseWriter }
