package varnish

import (
	"net/http"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
)

// Refresh returns what decides on a GET with Cache-Control: no-cache, by which
// clients of Varnish have a page fetched anew. From an address that may purge
// the service without a token it is a soft purge of the URL, so that no fetch
// under way answers it; from any other it is nothing but a GET, and unrecorded.
func Refresh(door dialect.Door) func(service string, target field.Target, r *http.Request) bool {
	return func(service string, target field.Target, r *http.Request) bool {
		creds := door.Client(r)
		creds.Listener = control.DataListener
		if !door.Control.Admits(creds, service) {
			return false
		}
		target.Scheme = ""
		_, err := door.Control.Purge(creds, control.Request{
			Service: service, Selectors: []purge.Selector{{Kind: purge.ByURL, Target: target}},
			Effect: purge.SoftEffect(), Dialect: name, Note: "refresh",
		})
		return err == nil
	}
}
