package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Request is what is sent to an origin. It is not modified, and may be reused
// once the response's body is closed.
type Request struct {
	// Method is sent as it is. CONNECT is refused.
	Method string
	// Target's path and query are sent byte for byte, except that a target of
	// control characters, spaces or no leading "/" is refused; "*" is sent for
	// OPTIONS. Its scheme and host are not used.
	Target field.Target
	// Host is sent as Host or :authority unless the origin has its own. Empty:
	// that of the origin's URL.
	Host string
	// Fields are the end-to-end fields to send; nothing is added to them, not
	// even a User-Agent. Lines of one name keep their order. Fields that frame
	// the message or concern one connection are not sent (RFC 9110
	// section 7.6.1), except "TE: trailers". "Expect: 100-continue" holds a body
	// back until the origin asks for it, for at most a second.
	Fields field.Fields

	// Body is the content; nil for none. It is read until the response's body
	// is closed at the latest, or until Do has returned an error; it is never
	// closed. Do and Pool.Close can be held up by a Read of it in progress, so
	// whoever supplies it bounds its reads. It is sent again for a retry only
	// if nothing was read of it, or if it is an io.Seeker.
	Body io.Reader
	// ContentLength is the length of Body in bytes; -1 when unknown, which
	// HTTP/1 sends chunked. No more than that is read of Body; a shorter one
	// fails the exchange.
	ContentLength int64

	// TrailerNames are announced in the Trailer field, and Trailer is asked
	// once for the trailers after the end of Body. Both are used only with a
	// ContentLength of -1; nil for none.
	TrailerNames []string
	Trailer      func() field.Fields

	// Interim is told of each interim response but 101, in order, before Do
	// returns. Fields are sorted by name. The origin is not read while it runs,
	// and Do waits for it, so it must be quick. Nil for nobody.
	Interim func(status int, f field.Fields)

	// Upgrade is the protocol to ask for, such as "websocket"; the request then
	// goes out on HTTP/1.1 with Connection and Upgrade fields. Empty for none.
	Upgrade string
}

// maxMethod bounds a method's length, of which the longest registered has 17
// bytes. headConn needs it well below net/http's write buffer.
const maxMethod = 64

func (r *Request) validate() error {
	switch {
	case len(r.Method) > maxMethod || !field.ValidName(r.Method):
		return fmt.Errorf("invalid method %.64q", r.Method)
	case r.Method == http.MethodConnect:
		return errors.New("CONNECT does not go to origins")
	case r.Target.Raw() != "*" && !validTarget(r.Target.Raw()):
		return fmt.Errorf("invalid request target %.200q", r.Target.Raw())
	case r.Upgrade != "" && !field.ValidValue(r.Upgrade):
		return fmt.Errorf("invalid protocol %.64q", r.Upgrade)
	case r.Body == nil && r.ContentLength > 0, r.ContentLength < -1:
		return fmt.Errorf("ContentLength is %d without such a body", r.ContentLength)
	}
	if _, ok := field.NormalHost("", r.Host); r.Host != "" && !ok {
		return fmt.Errorf("invalid host %.200q", r.Host)
	}
	for _, f := range r.Fields {
		if !field.ValidName(f.Name) || !field.ValidValue(f.Value) {
			return fmt.Errorf("invalid field %.64q", f.Name)
		}
	}
	for _, name := range r.TrailerNames {
		if !field.ValidName(name) {
			return fmt.Errorf("invalid trailer name %.64q", name)
		}
	}
	return nil
}

// hasBody tells whether there is content to send.
func (r *Request) hasBody() bool { return r.Body != nil && r.ContentLength != 0 }

// idempotent tells whether the method permits sending the request again
// without knowing what became of the first (RFC 9110 section 9.2.2).
func (r *Request) idempotent() bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace,
		http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// outgoing returns the request in net/http's terms, without its body, and how
// its request line begins on HTTP/1. The target goes through URL.Opaque, since
// net/http rewrites any path it is given in parts. One that begins with "//"
// would still be taken for an authority: it gets one before it, which HTTP/2
// in net/http and headConn on HTTP/1 take off again.
func (r *Request) outgoing(ctx context.Context, e *endpoint, address string) (*http.Request, requestPrefix) {
	host, target := e.host(r.Host), r.Target.Raw()
	prefix := requestPrefix{method: r.Method}
	u := &url.URL{Scheme: e.scheme, Host: address, Opaque: target}
	if strings.HasPrefix(target, "//") {
		u.Opaque = "//" + host + target
		prefix.authority = e.scheme + "://" + host
	}
	out := &http.Request{
		Method:     r.Method,
		URL:        u,
		Host:       host,
		Header:     r.header(),
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
	if r.Upgrade != "" {
		out.Header["Connection"] = []string{"Upgrade"}
		out.Header["Upgrade"] = []string{r.Upgrade}
	}
	return out.WithContext(ctx), prefix
}

func (r *Request) header() http.Header {
	h := make(http.Header, len(r.Fields)+3)
	for _, f := range r.Fields {
		if name := textproto.CanonicalMIMEHeaderKey(f.Name); r.sends(name, f.Value) {
			h[name] = append(h[name], f.Value)
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or net/http invents one
	}
	return h
}

func (r *Request) sends(name, value string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade",
		"Content-Length", "Host", "Trailer":
		return false
	case "Te":
		return value == "trailers" // all that HTTP/2 permits (RFC 9113 section 8.2.2)
	case "Expect":
		return r.hasBody() // RFC 9110 section 10.1.1
	}
	return true
}

// framing tells whether a field frames the message and therefore cannot be a
// trailer (RFC 9110 section 6.5.1). net/http would fail the request.
func framing(name string) bool {
	switch name {
	case "Transfer-Encoding", "Content-Length", "Trailer", "Host":
		return true
	}
	return false
}
