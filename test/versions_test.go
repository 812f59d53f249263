//go:build e2e

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pageCount is small enough for each page to be asked for, and changed, often.
const pageCount = 64

// versions is an origin whose pages say which version of them they are.
type versions struct {
	url     string
	seen    func() // told of each request; nil: nobody is
	current [pageCount]atomic.Int64
	changed [pageCount]atomic.Int64 // when, in nanoseconds since the epoch
}

// slowest is the most time the origin takes for a page. It looks at the version
// first, so that old ones are under way while purges come.
const slowest = 20 * time.Millisecond

// startVersions runs the origin at the lab's front until the test ends.
func startVersions(t *testing.T) *versions {
	t.Helper()
	listener, err := net.Listen("tcp", frontNet+"1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &versions{url: "http://" + listener.Addr().String()}
	server := &http.Server{Handler: o}
	go server.Serve(listener) // ends by Close
	t.Cleanup(func() { server.Close() })
	return o
}

func pagePath(page int) string { return fmt.Sprint("/page/", page) }
func pageKey(page int) string  { return fmt.Sprint("page-", page) }

// change makes a new version of a page.
func (o *versions) change(page int) int64 {
	o.changed[page].Store(time.Now().UnixNano())
	return o.current[page].Add(1)
}

// settled returns the version of a page, if it has been so for a while: longer
// than a fetch takes, which others may join, on a busy machine. One page of sixty
// stays the same for so long.
func (o *versions) settled(page int) int64 {
	const aWhile = 2 * time.Second
	v := o.current[page].Load()
	if time.Now().UnixNano()-o.changed[page].Load() < int64(aWhile) {
		return 0
	}
	return v
}

func (o *versions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/page/"))
	if err != nil || page < 0 || page >= pageCount {
		http.NotFound(w, r)
		return
	}
	if o.seen != nil {
		o.seen()
	}
	v := o.current[page].Load()
	<-time.After(rand.N(slowest))
	tag := fmt.Sprintf(`"%d-%d"`, page, v)
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Header().Set("Surrogate-Key", pageKey(page))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	fmt.Fprint(w, v)
}

// decodeBody reads JSON.
func decodeBody(r io.Reader, into any) error { return json.NewDecoder(r).Decode(into) }
