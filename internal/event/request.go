package event

import (
	"net/netip"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// Request is one finished request: what the access log, the metrics and the
// live views are made from. One that was turned away before any handler saw it
// is a Refused.
//
// A Request and all that it points to belong to whoever finished the request
// and are valid only during the call that hands them over: a listener copies
// what it keeps, and changes nothing. Text that came from a client is as the
// client sent it and not safe to print.
type Request struct {
	Time    time.Time // when the request's head had arrived
	ID      string    // names this request among others; empty where it has no name
	Service string    // empty where no service has the host
	Node    string

	Remote string     // the peer's address, as net.Addr prints it
	Client netip.Addr // by a trusted proxy's word, else the peer's; invalid for a Unix socket
	// Edge is the node of the cluster that asked, for a client of its own: on a shield
	// alone, and else empty. EdgePOP is its POP; empty where that is not known.
	Edge, EdgePOP string
	TLS           string // "TLSv1.2" or "TLSv1.3"; empty in clear

	Method string
	Scheme string // "http" or "https"
	Host   string // as the client sent it, port included
	Target string // the raw request target
	Proto  string // "HTTP/1.0", "HTTP/1.1" or "HTTP/2.0"

	Status    int           // what the client was told; 0 where it was told nothing
	Received  int64         // bytes of the request's content that were read
	Bytes     int64         // bytes of the response's content that were sent
	Duration  time.Duration // from Time until the last byte was handed to the system
	FirstByte time.Duration // from Time until the response's head was; 0 where none was
	Cut       bool          // the response ended early: the client left, or the content could not be completed

	Outcome Outcome
	// Reason says in one token why the outcome is what it is: why what was
	// stored could not be used, why the answer was not stored, what failed. It
	// is empty where there is nothing to say. No value depends on what a client
	// sent.
	Reason string

	Origin       string        // address of the origin that was asked last; empty where none was
	OriginStatus int           // its status code; 0 where there was no answer
	Age          time.Duration // of the response that was sent; 0 unless it came from the store
	Hits         uint64        // how often the object has been used, this time included; 0 unless it was a hit
	Collapsed    bool          // the answer came from a fetch that another request had started

	Key  field.Key // the cache key; zero where the store was not asked
	Keys Keys      // the surrogate keys of the response; may be nil

	RequestFields  field.Fields // of the request, at least those that are end to end
	ResponseFields Header       // of the response as it was sent; may be nil
}

// RequestField returns all lines of a request field combined, "" without one.
func (r *Request) RequestField(name string) string {
	value, _ := r.RequestFields.Joined(name)
	return value
}

// ResponseField returns all lines of a response field combined, "" without one.
func (r *Request) ResponseField(name string) string {
	if r.ResponseFields == nil {
		return ""
	}
	switch lines := r.ResponseFields.Values(name); len(lines) {
	case 0:
		return ""
	case 1:
		return lines[0]
	default:
		return strings.Join(lines, ", ")
	}
}

// Header looks up the field lines of a message; http.Header is one.
type Header interface {
	// Values returns the lines named name, in their order. The caller does not
	// change them.
	Values(name string) []string
}

// Keys are the surrogate keys of a response.
type Keys interface {
	NumKeys() int
	SurrogateKey(i int) string
}

// Outcome says how a request was answered. The set is fixed and no value
// depends on what a client sent, so an outcome can label a metric.
type Outcome string

// How requests are answered.
const (
	OutcomeHit   Outcome = "hit"   // from the store, fresh
	OutcomeStale Outcome = "stale" // from the store, stale
	OutcomeMiss  Outcome = "miss"  // by a fetch whose answer might have been stored
	OutcomePass  Outcome = "pass"  // by the origin, past the store
	OutcomeError Outcome = "error" // by the node's own words
	OutcomePurge Outcome = "purge" // by the purge API that shares the listener

	// OutcomeRefused marks a Refused that is written as if it were a Request,
	// so that both pass the same formats and filters.
	OutcomeRefused Outcome = "refused"
)
