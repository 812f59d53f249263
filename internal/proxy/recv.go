package proxy

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/shield"
)

// recv reads and checks the request, finds its service, and decides whether
// the store is asked.
func (x *exchange) recv() state {
	x.p.stats.Requests.Add(x.stripe, 1)
	if x.r != nil {
		x.ask = askOf(x.r, x.raw)
		x.raw = x.ask.lines
	}
	x.client, x.target.Scheme = x.ask.client(nil), x.ask.scheme()
	if m := x.ask.method; m == http.MethodConnect || m == http.MethodTrace {
		return x.refuse(http.StatusMethodNotAllowed, "method", "The method "+m+" is not allowed here.")
	}
	if x.edge != nil && x.purges() {
		return x.refuseEdge(http.StatusMethodNotAllowed, "method") // nodes tell each other of purges in another way
	}
	switch x.locate() {
	case noHost:
		return x.refuse(http.StatusBadRequest, "bad-host", "The request names no Host.")
	case badHost:
		return x.refuse(http.StatusBadRequest, "bad-host", "The Host of the request is not a valid host name.")
	case unknownHost:
		if x.edge != nil {
			return x.refuseEdge(http.StatusMisdirectedRequest, "unknown-host")
		}
		if x.cfg.Purge != nil && x.purges() {
			return x.purge() // it may name the service in another way
		}
		return x.refuse(http.StatusMisdirectedRequest, "unknown-host", "No service is configured for the host "+strconv.Quote(field.Hostname(x.target.Host))+".")
	}
	if x.edge != nil && !x.meetEdge() {
		return stateError
	}
	if x.trust = x.cfg.trust(); x.trust == TrustNobody && !x.purges() {
		return x.refuse(http.StatusServiceUnavailable, "isolated", "This node cannot hear enough of its cluster to know what was purged.")
	}
	return x.route()
}

// location is whether a request's host leads to a service.
type location uint8

const (
	located location = iota
	noHost
	badHost
	unknownHost
)

// locate finds the service, and sets the client and the target.
func (x *exchange) locate() location {
	scheme := x.ask.scheme()
	host, service, is := x.cfg.routes.locate(scheme, x.ask.host)
	x.target.Host, x.service = host, service
	if is != located {
		return is
	}
	if x.client = x.ask.client(x.service.TrustedProxies); x.edge != nil {
		x.client = x.ask.through(x.service.TrustedProxies)
	}
	if x.client.trusted {
		if proto, _ := x.ask.lines.Get("X-Forwarded-Proto"); proto == "http" || proto == "https" {
			scheme = proto
			host, _ = field.NormalHost(scheme, x.ask.host)
		}
	}
	x.target = field.Target{Scheme: scheme, Host: host}
	x.target.Path, x.target.Query, x.target.HasQuery = field.SplitRaw(originForm(x.ask.target))
	return located
}

// originForm returns the path and query of a request target as they were sent.
func originForm(raw string) string {
	if raw == "" || raw[0] == '/' || raw == "*" {
		return raw
	}
	// Absolute form (RFC 9112 section 3.2.2).
	if i := strings.Index(raw, "://"); i >= 0 {
		if j := strings.IndexAny(raw[i+3:], "/?"); j >= 0 {
			raw = raw[i+3+j:]
			if raw[0] == '?' {
				raw = "/" + raw
			}
			return raw
		}
	}
	return "/"
}

// route decides by method what becomes of the request.
func (x *exchange) route() state {
	switch {
	case x.purges():
		return x.purge()
	case x.looped():
		return x.refuse(http.StatusLoopDetected, "loop", "The request has passed this node before: an origin points back at the cache.")
	}
	x.readFields()
	if x.edge != nil {
		return x.routeByMethod() // the rest was for the first node to do
	}
	debug, _ := x.ask.lines.Get("Fastly-Debug")
	x.debug = debug != "" && x.debugAllowed()
	if hops, _ := x.ask.lines.Get("Max-Forwards"); hops == "0" && x.ask.method == http.MethodOptions {
		return x.refuse(http.StatusNoContent, "max-forwards", "") // RFC 9110 section 7.6.2: ours to answer
	}
	return x.routeByMethod()
}

func (x *exchange) routeByMethod() state {
	r := x.r
	if r == nil {
		return stateHash // a simple request
	}
	body := r.ContentLength != 0 || len(r.TransferEncoding) > 0
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && !body && upgradeOf(r) == "" {
		return stateHash
	}
	return statePass
}

// purges tells whether the request is for Config.Purge.
func (x *exchange) purges() bool {
	switch x.ask.method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions:
		return false
	case "PURGE":
		return true
	}
	return slices.Contains(x.cfg.PurgeMethods, x.ask.method)
}

func (x *exchange) purge() state {
	x.p.stats.Purges.Add(x.stripe, 1)
	if x.cfg.Purge == nil {
		return x.refuse(http.StatusMethodNotAllowed, "method", "Purging by the method PURGE is not enabled.")
	}
	x.deadline()
	x.outcome = outcomePurge
	x.cfg.Purge.ServeHTTP(observed{x.w, x}, x.r)
	return stateDone
}

// looped tells whether this node has forwarded the request before
// (RFC 9110 section 7.6.3).
func (x *exchange) looped() bool {
	for _, line := range x.ask.lines {
		if !field.EqualFold(line.Name, "Via") {
			continue
		}
		for hop := range strings.SplitSeq(line.Value, ",") {
			if f := strings.Fields(hop); len(f) > 1 && f[1] == x.cfg.via {
				return true
			}
		}
	}
	return false
}

func (x *exchange) debugAllowed() bool {
	c := x.client
	if c.forwarded && c.addr.IsLoopback() {
		return false
	}
	return within(x.service.DebugFrom, c.addr)
}

// readFields takes the end-to-end fields of the request into the form that all
// rules read, with Accept-Encoding in its normal form, and without those that
// this node writes: a client must not choose a variant by claiming them.
func (x *exchange) readFields() {
	own := x.out[:0]
	for _, line := range x.ask.lines {
		if !isForwarding(line.Name) && !field.EqualFold(line.Name, "Fastly-Debug") && !(x.edge != nil && field.EqualFold(line.Name, shield.AskField)) {
			own = append(own, line)
		}
	}
	x.fields = httpcache.EndToEnd(own, x.fields[:0])
	x.out = own[:0]
	switch {
	case x.edge != nil:
		return // it has done all that follows
	case len(x.service.Compression.Encodings) > 0:
		x.accepts, _ = x.fields.Joined("Accept-Encoding")
		x.fields = x.fields.Without("Accept-Encoding") // one plain form is what is stored
	case !x.service.KeepEncodings:
		x.normaliseEncodings()
	}
	x.fields = x.service.Request.request(x.fields)
}

func (x *exchange) normaliseEncodings() {
	if value, ok := x.fields.Joined("Accept-Encoding"); ok {
		if value = httpcache.NormalAcceptEncoding(value); value == "" {
			x.fields = x.fields.Without("Accept-Encoding")
			return
		}
		x.fields = x.fields.Set("Accept-Encoding", value)
	}
}

// offered leaves, of the protocols that a client offers, those that may be
// spoken past this node. HTTP in any form may not: it would carry requests to
// the origin that nobody here sees.
func offered(list string) string {
	var names []string
	for protocol := range strings.SplitSeq(list, ",") {
		name := strings.ToLower(field.Trim(protocol))
		if name != "" && !strings.HasPrefix(name, "h2") && !strings.HasPrefix(name, "http") && !strings.HasPrefix(name, "tls") {
			names = append(names, field.Trim(protocol))
		}
	}
	return strings.Join(names, ", ")
}

// upgradeOf returns the protocols that a client asks to switch to
// (RFC 9110 section 7.8), or "". No simple request does.
func upgradeOf(r *http.Request) string {
	if r == nil || r.ProtoMajor != 1 {
		return ""
	}
	for _, line := range r.Header["Connection"] {
		if field.Lists(line, "upgrade") {
			return offered(r.Header.Get("Upgrade"))
		}
	}
	return ""
}
