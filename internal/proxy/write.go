package proxy

import (
	"net/http"
	"strings"
	"unsafe"

	"github.com/rescind-edge/rescind/internal/field"
)

// writeFields hands x.out to net/http, which sends the head of a small response
// only after the handler has returned: nothing of it may lie in memory that is
// somebody else's by then.
func (x *exchange) writeFields() {
	h := x.w.Header()
	reset(h)
	text, values := make([]byte, 0, x.out.Size()), make([]string, 0, len(x.out))
	for _, f := range x.out {
		text = append(text, f.Value...)
	}
	all := unsafe.String(unsafe.SliceData(text), len(text)) // nobody writes there again
	for _, f := range x.out {
		var value string
		value, all = all[:len(f.Value)], all[len(f.Value):]
		name := canonical(f.Name)
		if prior, ok := h[name]; ok {
			h[name] = append(prior, value)
			continue
		}
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // keeps net/http from guessing one
	}
}

// reset empties the fields of the answer but for what the server has to say
// about the connection.
func reset(h http.Header) {
	connection := h["Connection"]
	clear(h)
	if connection != nil {
		h["Connection"] = connection
	}
}

// canonical returns a field name in the spelling that HTTP/1 has of old, in
// memory that stays.
func canonical(name string) string {
	if usual, ok := usualNames[name]; ok {
		return usual
	}
	return strings.Clone(http.CanonicalHeaderKey(name))
}

// usualNames are field names that most responses have, and one that its readers
// expect in a spelling of its own.
var usualNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{
		"Accept-Ranges", "Access-Control-Allow-Origin", "Age", "Cache-Control", "Cache-Status", "Content-Disposition",
		"Content-Encoding", "Content-Language", "Content-Length", "Content-Location", "Content-Range", "Content-Security-Policy",
		"Content-Type", "Date", "Etag", "Expires", "Fastly-Debug-TTL", "Last-Modified", "Link", "Location", "Permissions-Policy", "Referrer-Policy",
		"Server", "Set-Cookie", "Strict-Transport-Security", "Surrogate-Control", "Surrogate-Key", "Vary", "Via",
		"X-Cache", "X-Cache-Hits", "X-Content-Type-Options", "X-Frame-Options", "X-Powered-By", "X-Served-By", "X-Timer",
	} {
		names[name] = name
	}
	names["ETag"] = "Etag"
	return names
}()

// without removes fields, in place.
func without(f field.Fields, names ...string) field.Fields {
	for _, name := range names {
		f = f.Without(name)
	}
	return f
}
