package origin

import (
	"io"

	"github.com/rescind-edge/rescind/internal/field"
)

// Response is a final response. Its Body must be closed, or Upgraded for 101.
type Response struct {
	// Status is 101 or 200 to 999.
	Status int
	// Fields are valid as names and values. On HTTP/1 they are the lines as
	// received, hop-by-hop fields and every Content-Length included, in the
	// origin's order and spelling. On HTTP/2, where net/http keeps no order
	// between names, they are sorted by canonical name.
	Fields field.Fields
	// Body is the content, never nil. It ends in io.EOF only where it is
	// complete as far as its framing tells; every other end is an *Error. Read
	// is for one goroutine at a time; Close may be called beside it and ends it.
	Body io.ReadCloser
	// ContentLength is the length of Body, or what a response to HEAD says it
	// would be; -1 when unknown.
	ContentLength int64
	// CloseDelimited: Body ends with the connection, so that a complete one
	// cannot be told from one that was cut (RFC 9112 section 8).
	CloseDelimited bool
	// Ambiguity is a doubt that forbids to store the response.
	Ambiguity Ambiguity
	// Trailer returns the trailers, announced or not, sorted by name; nil
	// before Body has returned io.EOF. Invalid ones are left out.
	Trailer func() field.Fields

	Origin  string // the origin's URL
	Address string // the backend's "ip:port"
	Proto   string // "HTTP/1.0", "HTTP/1.1" or "HTTP/2.0"

	// Upgraded is the connection after a 101, nil otherwise. It has no
	// timeouts; it is closed when the context of Do ends. The slot of the
	// backend is held until it is closed.
	Upgraded io.ReadWriteCloser
}
