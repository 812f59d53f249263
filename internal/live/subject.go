package live

import (
	"math"
	"strings"

	"github.com/rescind-edge/rescind/internal/event"
)

// builder makes the test of a field from the rest of its term.
type builder func(*parser, clause) (test, error)

// field finds a field by its name, which stands at an offset.
func (p *parser) field(name string, at int) (builder, error) {
	if build := named(name); build != nil {
		return build, nil
	}
	if name == "" {
		return nil, p.errorf(at, "want the name of a field")
	}
	return nil, p.errorf(at, "unknown field %.40q: want one of %s, request.NAME, response.NAME (but none that carries credentials)", name, fieldNames)
}

// fieldNames are all but those with a header field's name in them.
const fieldNames = "age, bytes, client, collapsed, cut, duration, edge, edge_pop, first_byte, hits, host, id, method, node, origin, " +
	"origin_status, outcome, path, peer, proto, query, reason, received, referer, scheme, service, status, target, tls, " +
	"user_agent"

// named returns the builder of a field's tests, or nil.
func named(name string) builder {
	if field, ok := strings.CutPrefix(name, "request."); ok && isToken(field) && !isSecret(field) {
		return text(func(r *event.Request) string { return r.RequestField(field) })
	}
	if field, ok := strings.CutPrefix(name, "response."); ok && isToken(field) && !isSecret(field) {
		return text(func(r *event.Request) string { return r.ResponseField(field) })
	}
	if build := namedText(name); build != nil {
		return build
	}
	return namedNumber(name)
}

// isSecret tells whether a header field carries what lets its reader act for
// somebody. A filter on one would tell its value letter by letter to whoever
// may read the log.
func isSecret(name string) bool {
	for _, secret := range [...]string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Fastly-Key", "X-Purge-Token"} {
		if strings.EqualFold(name, secret) {
			return true
		}
	}
	return false
}

// isToken tells whether a text is a field's name (RFC 9110 section 5.6.2), but
// for the bytes that can begin an operator.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("#$%&'*+-.^_`|", c) < 0 {
			return false
		}
	}
	return s != ""
}

func namedText(name string) builder {
	switch name {
	case "service":
		return text(func(r *event.Request) string { return r.Service })
	case "node":
		return text(func(r *event.Request) string { return r.Node })
	case "id":
		return text(func(r *event.Request) string { return r.ID })
	case "outcome":
		return outcome
	case "reason":
		return text(func(r *event.Request) string { return r.Reason })
	case "peer":
		return text(func(r *event.Request) string { return r.Remote })
	case "edge":
		return text(func(r *event.Request) string { return r.Edge })
	case "edge_pop":
		return text(func(r *event.Request) string { return r.EdgePOP })
	case "tls":
		return text(func(r *event.Request) string { return r.TLS })
	case "method":
		return text(func(r *event.Request) string { return r.Method })
	case "scheme":
		return text(func(r *event.Request) string { return r.Scheme })
	case "proto":
		return text(func(r *event.Request) string { return r.Proto })
	case "target":
		return text(func(r *event.Request) string { return r.Target })
	case "path":
		return text(func(r *event.Request) string { path, _ := splitTarget(r.Target); return path })
	case "query":
		return text(func(r *event.Request) string { _, query := splitTarget(r.Target); return query })
	case "origin":
		return text(func(r *event.Request) string { return r.Origin })
	case "referer":
		return text(func(r *event.Request) string { return r.RequestField("Referer") })
	case "user_agent":
		return text(func(r *event.Request) string { return r.RequestField("User-Agent") })
	case "host":
		return host
	case "client":
		return client
	}
	return nil
}

func namedNumber(name string) builder {
	switch name {
	case "status":
		return number(parseStatus, func(r *event.Request) int64 { return int64(r.Status) })
	case "origin_status":
		return number(parseStatus, func(r *event.Request) int64 { return int64(r.OriginStatus) })
	case "hits":
		return number(parseCount, func(r *event.Request) int64 { return int64(min(r.Hits, math.MaxInt64)) })
	case "bytes":
		return number(parseSize, func(r *event.Request) int64 { return r.Bytes })
	case "received":
		return number(parseSize, func(r *event.Request) int64 { return r.Received })
	case "duration":
		return number(parseDuration, func(r *event.Request) int64 { return int64(r.Duration) })
	case "first_byte":
		return number(parseDuration, func(r *event.Request) int64 { return int64(r.FirstByte) })
	case "age":
		return number(parseDuration, func(r *event.Request) int64 { return int64(r.Age) })
	case "cut":
		return flag(func(r *event.Request) bool { return r.Cut })
	case "collapsed":
		return flag(func(r *event.Request) bool { return r.Collapsed })
	}
	return nil
}

// splitTarget parts a raw request target at its first question mark. Of one in
// absolute form (RFC 9112 section 3.2.2) the path begins after the authority.
func splitTarget(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	if strings.HasPrefix(path, "/") {
		return path, query
	}
	_, rest, absolute := strings.Cut(path, "://")
	if !absolute {
		return path, query
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:], query
	}
	return "", query
}
