package dialect

import (
	"net/http"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// TargetURL returns the URL that a request is sent to, byte for byte and for
// both schemes: "//host/path?query". It is "", which names no host, where Host
// is not a host and port: userinfo and the like may not come from there.
func TargetURL(r *http.Request) string {
	host, ok := field.NormalHost("", r.Host)
	if !ok {
		return ""
	}
	raw := OriginForm(r.RequestURI)
	if !strings.HasPrefix(raw, "/") {
		raw = "/" + raw
	}
	return "//" + host + EscapeHash(raw)
}

// OriginForm removes scheme and authority from a request target in absolute
// form, which is what a client sends that takes us for a proxy (RFC 9112
// section 3.2.2).
func OriginForm(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	if _, rest, ok := strings.Cut(target, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return target
}

// EscapeHash keeps a "#" of a request target from being taken for the start of
// a fragment, which request targets do not have.
func EscapeHash(s string) string { return strings.ReplaceAll(s, "#", "%23") }
