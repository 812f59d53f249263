package fetch

import (
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// Request is a request as it goes to the origin.
type Request struct {
	Key    field.Key
	Method string
	Target field.Target // sent byte for byte
	Tagged field.Target // what the URL's tags are derived from: Target after the service's query rule
	Host   string

	// Fields are the end-to-end fields to send, without conditions and ranges.
	Fields field.Fields
	// Conditional are the client's own conditions and ranges, sent only where
	// the answer is for this client alone.
	Conditional field.Fields

	// Matcher picks the stored variant that answers the request.
	Matcher store.Matcher
	// Began is the service's position when the request arrived.
	Began field.Position
	// Renew asks for an answer from the origin although one may be stored.
	Renew bool
	// Anew asks for what the origin says from now on: an answer that was here whole
	// when the request arrived is none, be it stored or of a fetch that is not
	// forgotten yet.
	Anew bool
	// Unbased asks for a whole answer, of Alone: nothing stored here is good enough
	// to be confirmed by a 304, since purges are in force elsewhere that this node
	// does not know yet.
	Unbased bool
	// Interim receives informational responses until the call returns.
	Interim func(status int, f field.Fields)
}
