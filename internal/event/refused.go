package event

import "time"

// Refused is a request, or a connection, that was turned away before any
// handler saw it.
type Refused struct {
	Time   time.Time
	Remote string // the peer's address, as net.Addr prints it
	Local  string // the address it came in on

	// Status is what the client was told. It is zero where the connection was
	// closed without an answer, and where the refusal fell into a body that a
	// handler was already reading: the handler's answer, if any, then stands.
	Status int
	Reason RefusedReason

	// Method and Target are the beginnings of what the client sent, as far as
	// they were understood: cut to a fixed length, with everything outside
	// printable ASCII escaped, so that they are safe in a log line.
	Method string
	Target string
}

// RefusedReason says why a request or a connection was refused. The set is
// fixed and no value depends on what a client sent, so a reason can label a
// metric. The text is what the client is told.
type RefusedReason string

// The line structure of a head or a trailer section (RFC 9112 sections 2.2 and 5).
const (
	RefusedBareLF            RefusedReason = "line feed without carriage return"
	RefusedBareCR            RefusedReason = "carriage return without line feed"
	RefusedFolding           RefusedReason = "folded field line"
	RefusedSpaceBeforeColon  RefusedReason = "white space before the colon of a field line"
	RefusedInvalidFieldName  RefusedReason = "invalid field name"
	RefusedInvalidFieldValue RefusedReason = "invalid byte in a field value"
)

// The request line (RFC 9112 section 3).
const (
	RefusedRequestLine        RefusedReason = "malformed request line"
	RefusedMethod             RefusedReason = "invalid method"
	RefusedMethodTooLong      RefusedReason = "method too long"
	RefusedTarget             RefusedReason = "invalid request target"
	RefusedTargetTooLong      RefusedReason = "request target too long"
	RefusedUnsupportedVersion RefusedReason = "unsupported HTTP version"
)

// Host and framing fields (RFC 9112 sections 3.2 and 6).
const (
	RefusedMissingHost     RefusedReason = "missing Host"
	RefusedRepeatedHost    RefusedReason = "repeated Host"
	RefusedInvalidHost     RefusedReason = "invalid Host"
	RefusedHostMismatch    RefusedReason = "Host differs from the request target"
	RefusedLengthAndCoding RefusedReason = "both Content-Length and Transfer-Encoding"
	RefusedRepeatedLength  RefusedReason = "repeated Content-Length"
	RefusedInvalidLength   RefusedReason = "invalid Content-Length"
	RefusedInvalidCoding   RefusedReason = "invalid Transfer-Encoding"
	RefusedUnknownCoding   RefusedReason = "unknown transfer coding"
	RefusedCodingInHTTP10  RefusedReason = "Transfer-Encoding in HTTP/1.0"
	RefusedTrailerField    RefusedReason = "Trailer names a framing field"
	RefusedUnknownExpect   RefusedReason = "unknown expectation"
)

// A chunked body (RFC 9112 section 7.1).
const (
	RefusedChunkSize       RefusedReason = "invalid chunk size"
	RefusedChunkExtension  RefusedReason = "invalid chunk extension"
	RefusedExtensionsSize  RefusedReason = "chunk extensions too large"
	RefusedChunkEnd        RefusedReason = "chunk does not end where its size says"
	RefusedTrailer         RefusedReason = "framing field in a trailer section"
	RefusedTrailerTooLarge RefusedReason = "trailer section too large"
)

// The PROXY protocol, by which a load balancer says who its client is.
const (
	RefusedPeer         RefusedReason = "not one of the proxies that this port is for"
	RefusedProxyHeader  RefusedReason = "malformed PROXY header"
	RefusedProxyTimeout RefusedReason = "PROXY header not received in time"
)

// Limits.
const (
	RefusedHeadTooLarge          RefusedReason = "request head too large"
	RefusedTooManyFields         RefusedReason = "too many field lines"
	RefusedHeadTimeout           RefusedReason = "request head not received in time"
	RefusedBodyTimeout           RefusedReason = "request body not received in time"
	RefusedTooManyConnections    RefusedReason = "too many connections"
	RefusedTooManyFromOneAddress RefusedReason = "too many connections from one address"
	RefusedCleartext             RefusedReason = "cleartext HTTP on a TLS port"
)
