package server

import (
	"context"

	"github.com/rescind-edge/rescind/internal/field"
)

// PlainHandler answers simple requests by HTTP/1.1 that the FastHandler has
// declined, however long it takes, on the connection's goroutine and without a
// turn of net/http.
type PlainHandler interface {
	// ServePlain answers r through w. It runs concurrently with itself. Nothing of
	// r or w may be kept but what r's strings say, which is theirs for good. An
	// answer that w.End has not completed when ServePlain returns or panics is cut:
	// the connection ends.
	ServePlain(w PlainWriter, r *FastRequest)
}

// PlainWriter sends the answer to one request. Its methods must not be called
// concurrently. An error of any of them is final: the client is gone, or does
// not take what it asked for, or what is sent breaks the framing.
type PlainWriter interface {
	// Context ends when the client has left, when the Server closes and when
	// ServePlain returns. That the client has left is noticed of requests that
	// take longer than some milliseconds.
	Context() context.Context
	// Inform sends an informational response, whole; before Begin.
	Inform(head []byte) error
	// Begin begins the answer with its head, which it does not keep. The head
	// frames the content as length says: so many bytes, or in chunks where it is
	// negative; zero also where none may follow.
	Begin(head []byte, length int64) error
	// Write sends more of the content, without its framing. Little is held back
	// until there is more, or until Flush or End. It returns how much of p the
	// system or a buffer took.
	Write(p []byte) (int, error)
	// Flush sends what is held back.
	Flush() error
	// End completes the answer, in chunks with the given trailer fields, and sends
	// what is held back. It fails where less was written than the head says.
	End(trailer field.Fields) error
}
