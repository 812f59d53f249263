//go:build e2e

package test

import (
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

// A response that the origin began before a purge and ends after it answers
// only those who asked before the purge.
func TestPurgeReachesWhatIsBeingFetched(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	proceed := sync.OnceFunc(func() { close(gate) })
	defer proceed()
	var version atomic.Pointer[string]
	older, newer := "older", "newer"
	version.Store(&older)
	asked := make(chan struct{}, 10)
	origin := startRaw(t, map[string]script{"/page": func(x *exchange) bool {
		text := *version.Load()
		asked <- struct{}{}
		if text == older {
			<-gate
		}
		x.say(whole(text))
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})

	before := n.dial()
	before.write("GET /page HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	within(t, "the origin is asked", asked)
	version.Store(&newer)
	n.purge(api.Purge{URLs: []string{host + "/page"}})
	expect(t, "who asks after the purge", n.get("/page"), "200 MISS newer")
	proceed()
	response := before.response()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 200 || string(body) != older {
		t.Errorf("who asked before it: %s with %q, %v", response.Status, body, err)
	}
	expect(t, "who asks once the old fetch has ended", n.get("/page"), "200 HIT newer")
}
