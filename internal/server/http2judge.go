package server

import (
	"github.com/rescind-edge/rescind/internal/field"
)

// isSimple tells whether the request in the block is as FastRequest says, and
// then has h.call hold its parts. What it does not find simple may be valid or
// not: the inner server and the front handler judge it.
func (h *http2Conn) isSimple() bool {
	s, b, r := h.server, &h.block, &h.call.request
	limits := s.limits.Load()
	if b.flags&flagEndStream == 0 || b.size > limits.MaxHeaderBytes || b.dependsOnItself() || s.draining.Load() {
		return false
	}
	rest, ok := b.readPseudo(r, h.peer.tls != 0)
	if !ok || len(r.Target) > limits.MaxURLBytes || len(rest) > limits.MaxHeaderFields {
		return false
	}
	if !plainHost(r.Host) || !plainTarget(r.Target) || !b.readFields(rest) {
		return false
	}
	r.Fields = b.regular
	r.HTTP2 = true
	r.Remote, r.Peer, r.TLS = h.peer.remote, h.peer.addr, h.peer.tls
	return true
}

// readPseudo reads the pseudo-fields of a request (RFC 9113 section 8.3.1): each
// once, before all others. It returns the others.
func (b *http2Block) readPseudo(r *FastRequest, secure bool) (rest field.Fields, ok bool) {
	r.Method, r.Target, r.Host = "", "", ""
	scheme := ""
	for i, f := range b.fields {
		if f.Name == "" || f.Name[0] != ':' {
			rest = b.fields[i:]
			break
		}
		var part *string
		switch f.Name {
		case ":method":
			part = &r.Method
		case ":scheme":
			part = &scheme
		case ":authority":
			part = &r.Host
		case ":path":
			part = &r.Target
		default:
			return nil, false
		}
		if *part != "" || f.Value == "" {
			return nil, false
		}
		*part = f.Value
	}
	want := "http"
	if secure {
		want = "https"
	}
	return rest, (r.Method == "GET" || r.Method == "HEAD") && scheme == want
}

// readFields reads the other fields into b.regular, if none is invalid or needs
// more than to be handed on.
func (b *http2Block) readFields(fields field.Fields) bool {
	b.regular, b.text = b.regular[:0], b.text[:0]
	cookie := -1
	for i := range fields {
		f := &fields[i]
		if !plainField(f) || !simpleInHTTP2(f) {
			return false
		}
		if f.Name == "cookie" {
			if cookie >= 0 {
				b.addCookie(&b.regular[cookie], f.Value)
				continue
			}
			cookie = len(b.regular)
		}
		b.regular = append(b.regular, *f)
	}
	return true
}

// addCookie puts cookies together that came in several fields, for better
// compression (RFC 9113 section 8.2.3).
func (b *http2Block) addCookie(to *field.Field, more string) {
	if len(b.text) == 0 {
		b.text = append(b.text, to.Value...)
	}
	b.text = append(append(b.text, "; "...), more...)
	to.Value = view(b.text)
}

// simpleInHTTP2 tells apart the fields that decide where a message ends, that
// concern the connection, or that change what net/http or a handler does.
func simpleInHTTP2(f *field.Field) bool {
	switch f.Name {
	case "te":
		return f.Value == "trailers" // browsers send it always
	case "host", "connection", "content-length", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection",
		"expect", "pragma", "trailer", "http2-settings":
		return false
	}
	return true
}

// plainField tells whether name and value are valid (RFC 9113 section 8.2.1).
func plainField(f *field.Field) bool {
	if f.Name == "" {
		return false
	}
	for i := 0; i < len(f.Name); i++ {
		if c := f.Name[i]; !inToken[c] || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	v := f.Value
	if v != "" && (isSpace(v[0]) || isSpace(v[len(v)-1])) {
		return false
	}
	return field.ValidValue(v)
}

// plainTarget admits a path whose every "%" begins a percent-encoded byte, and
// a query (see parseTarget).
func plainTarget(target string) bool {
	if target == "" || target[0] != '/' {
		return false
	}
	query := false
	for i := 0; i < len(target); i++ {
		c := target[i]
		switch {
		case query && inQuery[c], inPath[c]:
		case c == '?':
			query = true
		case c == '%' && i+2 < len(target) && field.Unhex(target[i+1]) >= 0 && field.Unhex(target[i+2]) >= 0:
			i += 2
		default:
			return false
		}
	}
	return true
}

// dependsOnItself tells of a priority that is an error (RFC 7540 section 5.3.1).
func (b *http2Block) dependsOnItself() bool {
	if b.flags&flagPriority == 0 {
		return false
	}
	on := uint32(b.priority[0])<<24 | uint32(b.priority[1])<<16 | uint32(b.priority[2])<<8 | uint32(b.priority[3])
	return on&largestWindow == b.stream
}
