package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
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
	// goes out on HTTP/1.1 with Connection and Upgrade fields, and may not have a
	// body. Empty for none.
	Upgrade string
}

// maxMethod bounds a method's length, of which the longest registered has 17
// bytes.
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
	case r.Upgrade != "" && r.hasBody():
		return errors.New("a request that asks for another protocol has a body")
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

// sends tells whether a field is one of the request's own on the wire. name is
// canonical.
func (r *Request) sends(name, value string) bool {
	switch name {
	case "Content-Length", "Host", "Trailer":
		return false
	case "Te":
		return value == "trailers" // all that HTTP/2 permits (RFC 9113 section 8.2.2)
	case "Expect":
		return r.hasBody() // RFC 9110 section 10.1.1
	}
	return !field.OfConnection(name)
}

// expectsContinue tells whether the body is held back until it is asked for.
func (r *Request) expectsContinue() bool {
	if !r.hasBody() {
		return false
	}
	expect, _ := r.Fields.Joined("Expect")
	return field.Lists(expect, "100-continue")
}

// appendHead appends the request's head as HTTP/1 has it. Names are in their
// canonical form, as some origins look for that.
func (r *Request) appendHead(b []byte, host string) []byte {
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Target.Path...)
	if r.Target.HasQuery {
		b = append(append(b, '?'), r.Target.Query...)
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	b = r.appendFraming(b)
	for _, f := range r.Fields {
		if name := textproto.CanonicalMIMEHeaderKey(f.Name); r.sends(name, f.Value) {
			b = appendLine(b, name, f.Value)
		}
	}
	if r.Upgrade != "" {
		b = appendLine(b, "Connection", "Upgrade")
		b = appendLine(b, "Upgrade", r.Upgrade)
	}
	return append(b, "\r\n"...)
}

func (r *Request) appendFraming(b []byte) []byte {
	switch {
	case !r.hasBody():
		if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
			b = append(b, "Content-Length: 0\r\n"...) // RFC 9110 section 8.6
		}
	case r.ContentLength > 0:
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, r.ContentLength, 10), "\r\n"...)
	default:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		if names := r.announced(); len(names) > 0 {
			b = appendLine(b, "Trailer", strings.Join(names, ","))
		}
	}
	return b
}

// announced returns the names of the trailers to announce, canonical and each
// once.
func (r *Request) announced() []string {
	var names []string
	for _, name := range r.TrailerNames {
		if name = textproto.CanonicalMIMEHeaderKey(name); http1.MayTrail(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func appendLine(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, value...), "\r\n"...)
}
