package proxy

import (
	"context"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/server"
	"github.com/rescind-edge/rescind/internal/store"
)

// state is where an exchange stands.
type state uint8

const (
	stateRecv    state = iota // read and check the request; find its service
	stateHash                 // name the resource
	stateLookup               // find what is stored of it, and judge it
	stateHit                  // answer from the store, perhaps refreshing it behind
	stateMiss                 // get a shareable answer
	statePass                 // hand the request through
	stateDeliver              // write the answer
	stateError                // write an answer of our own
	stateDone
)

// exchange is one request and its answer. It is used for one after the other,
// with the room that it has.
type exchange struct {
	stripe uint32 // of every counter; it stays
	turn

	fields  field.Fields // of the request, end to end, without those that this node writes
	out     field.Fields // of the response
	raw     field.Fields // room for the lines of ask
	text    []byte       // that values in out are made of
	head    []byte       // of an answer by the server itself
	content [][]byte     // of the same
	record  event.Request
}

// turn is what belongs to one request.
type turn struct {
	p       *Proxy
	cfg     *current
	w       http.ResponseWriter
	r       *http.Request
	control http.ResponseController // of w
	plain   server.PlainWriter      // instead of w, r and control; nil: those
	ctx     context.Context         // ends when the client leaves
	start   time.Time
	until   time.Time // the client has for the write under way; zero: for ever
	fast    bool      // answered by ServeFast: w, r, control and plain are nil
	edge    *edge     // who asks, where that is another node; nil: a client
	ask     ask

	// Set by recv.
	service *Service
	trust   Trust
	target  field.Target
	client  client
	accepts string // Accept-Encoding, where this node compresses
	debug   bool

	// Set by hash.
	keyed      field.Target // the target as the cache key sees it
	key        field.Key
	began      field.Position
	sent       field.Fields // as the origin is sent them; nil until asked for
	directives httpcache.RequestDirectives
	refreshed  bool // what is stored was made stale for this request

	// Set by lookup.
	object  store.Object
	verdict store.Verdict
	reuse   httpcache.Reuse
	found   finding

	// Set by whoever decides on the answer.
	outcome  outcome
	answer   *fetch.Answer
	hits     uint64            // of the object, this one included
	length   int64             // of what is sent, -1 where that is not known
	encoding compress.Encoding // to apply while it is sent
	problem  problem
	trailer  field.Fields // of the answer, where plain
	own      fetch.Answer // room for answer

	// Of an answer by the server itself.
	unsure bool                // what is stored depends on what this node tells the origin
	form   store.Object        // the compressed form that is sent; none: the stored one
	piece  httpcache.ByteRange // what is sent of it
	sorted bool                // out is in the order of its names
	stored bool                // the fields are those of the stored response, and not in out

	// For the record.
	id        string
	status    int
	firstByte time.Duration
	sentBytes int64
	received  *counter // of the request's body; nil: none was asked for
	wentAhead bool     // the client was told to send it
	upload    *upload  // the same, where this node gives it its deadlines; else nil
}

// outcome is how the request was answered.
type outcome uint8

const (
	outcomeNone outcome = iota
	outcomeHit
	outcomeStale // a hit on a stale response
	outcomeMiss
	outcomePass
	outcomeError
	outcomePurge
)

// finding is what look-up found.
type finding uint8

const (
	foundNothing finding = iota
	foundOthers          // other variants only
	foundUsable
	foundStale
	foundPurged
	foundUncacheable
	foundUnknown // the store was not asked, because purges may be missing here
)

// step takes the exchange one state further.
func (x *exchange) step(s state) state {
	switch s {
	case stateRecv:
		return x.recv()
	case stateHash:
		return x.hash()
	case stateLookup:
		return x.lookup()
	case stateHit:
		return x.hit()
	case stateMiss:
		return x.miss()
	case statePass:
		return x.pass()
	case stateDeliver:
		return x.deliver()
	case stateError:
		return x.fail()
	}
	return stateDone
}

// MatchVariant implements store.Matcher. What counts is what the origin was
// sent, and there this node writes some fields itself.
func (x *exchange) MatchVariant(h *store.Head) bool {
	key := h.Variant()
	if !httpcache.VariantSelects(key, isForwarding) {
		return httpcache.VariantMatches(key, x.fields)
	}
	if x.sent == nil {
		x.sent, _ = x.upstream()
	}
	return httpcache.VariantMatches(key, x.sent)
}
