package varnish

import (
	"net/http"
	"slices"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// name is this dialect's in receipts and logs.
const name = "varnish"

// Methods that this dialect answers; PURGE it shares with others.
const (
	methodPurge = "PURGE"
	methodBan   = "BAN"
	methodKeys  = "PURGEKEYS"
	methodTags  = "PURGETAGS"
)

// Methods returns the methods that no other dialect has.
func Methods() []string { return []string{methodBan, methodKeys, methodTags} }

// Speaks tells whether a request can only be meant in this dialect: by its
// method, or a PURGE by a field that makes it take more than its URL. Answered
// in another dialect, that would purge too little and call it a success.
func Speaks(r *http.Request) bool {
	if r.Method != methodPurge {
		return slices.Contains(Methods(), r.Method)
	}
	return slices.ContainsFunc(purgeForms[:], func(f form) bool { return f.asked(r) })
}

// New returns the handler of this dialect's methods, as they come in on a
// listener.
func New(door dialect.Door, on control.Listener) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		creds := door.Credentials(r, on)
		if err := door.Control.Authenticate(creds, name); err != nil {
			writeError(w, err)
			return
		}
		parts, err := read(r)
		if err != nil {
			writeError(w, err)
			return
		}
		receipts, _, err := door.Purge(w, r, nil, creds, requests(door.Control, r, parts)...)
		if err != nil {
			writeError(w, err)
			return
		}
		writePurged(w, receipts)
	})
}

// requests returns a request's parts for the service that has its host. A
// client that was told a node's own address sends that as the host; it is
// understood where only one service can be meant.
func requests(c *control.Control, r *http.Request, parts []part) []control.Request {
	host := r.Host
	if _, ok := c.ServiceOf(host); !ok {
		host = ""
	}
	var all []control.Request
	for _, p := range parts {
		all = append(all, dialect.Split(control.Request{Host: host, Effect: p.effect, Dialect: name}, p.selectors)...)
	}
	return all
}
