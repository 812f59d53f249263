package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// after a reload, Stop waits for fetches of retired services without bound.
func TestStopIsBoundedAfterReload(t *testing.T) {
	n := startNodeKeep(t)
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-release
	}))
	defer slow.Close()
	defer close(release)
	n.write(fmt.Sprintf(`
node: {name: n1}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0"}
drain_timeout: 1s
services:
  - {id: shop, domains: [shop.example], origins: [{url: %q}]}
`, slow.URL))
	if err := n.app.Reload(); err != nil {
		t.Fatal(err)
	}
	r, _ := http.NewRequest("GET", "http://"+n.app.Addrs()[0].String()+"/a", nil)
	r.Host = "shop.example"
	resp, err := n.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(resp.Body, make([]byte, 1))
	resp.Body.Close() // the client leaves; little is missing, so the fetch goes on
	n.client.CloseIdleConnections()
	until(t, func() bool { return n.app.server.Stats().Open == 0 })
	n.write(n.config("all", "")) // the service changes: the old one is retired
	if err := n.app.Reload(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- n.app.Stop() }()
	select {
	case <-done:
		t.Logf("stopped after %v", time.Since(began))
	case <-time.After(30 * time.Second): // unless it is bounded, it never stops
		t.Error("drain_timeout is 1s, and after 30s the node has not stopped")
	}
}

// a request under way is cut by the second of two reloads.
func TestTwoReloadsDropNoRequest(t *testing.T) {
	n := startNode(t, "")
	arrived, release := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		fmt.Fprint(w, "done")
	}))
	defer slow.Close()
	file := func(level, extra string) string {
		return fmt.Sprintf(`
node: {name: n1}
listen: {http: "127.0.0.1:0", admin: "127.0.0.1:0"}
log: {level: %s}
services:
  - {id: shop, domains: [shop.example], origins: [{url: %q}]%s}
`, level, slow.URL, extra)
	}
	reload := func(text string) {
		n.write(text)
		if err := n.app.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	reload(file("info", ""))
	result := make(chan string, 1)
	go func() {
		r, _ := http.NewRequest("POST", "http://"+n.app.Addrs()[0].String()+"/a", nil)
		r.Host = "shop.example"
		resp, err := n.client.Do(r)
		if err != nil {
			result <- err.Error()
			return
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		result <- resp.Status + " " + string(b)
	}()
	<-arrived
	reload(file("debug", ""))                  // the service stays as it is
	reload(file("debug", ", forwarded: true")) // now it changes
	select {
	case got := <-result:
		t.Errorf("the request under way ended at once: %s", got)
	case <-time.After(500 * time.Millisecond):
	}
	close(release)
	if t.Failed() {
		return
	}
	if got := <-result; got != "200 OK done" {
		t.Errorf("got %s", got)
	}
}

func startNodeKeep(t *testing.T) *node {
	n := &node{t: t, file: t.TempDir() + "/rescind.yaml", client: &http.Client{Transport: &http.Transport{}}}
	n.origin = httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(n.origin.Close)
	n.write(n.config("all", ""))
	app, err := New(Options{ConfigPath: n.file})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	n.app = app
	return n
}

// until waits for a condition.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	ticker, deadline := time.NewTicker(time.Millisecond), time.After(30*time.Second)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("the condition did not come true")
		}
	}
}
