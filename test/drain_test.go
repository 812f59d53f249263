//go:build e2e

package test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// halves is an origin whose answer stops in the middle until it may proceed.
func halves(t *testing.T) (o *rawOrigin, proceed func()) {
	t.Helper()
	gate := make(chan struct{})
	proceed = sync.OnceFunc(func() { close(gate) })
	o = startRaw(t, map[string]script{
		"/slow": func(x *exchange) bool {
			x.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
			<-gate
			x.say("after")
			return true
		},
		"/": says(whole("content")),
	})
	t.Cleanup(proceed)
	return o, proceed
}

func (n *node) awaitRefusal() {
	n.t.Helper()
	eventually(n.t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", n.http)
		if err == nil {
			conn.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	origin, proceed := halves(t)
	n := startNode(t, settings{origin: origin.url()})
	idle := n.dial()
	idle.write("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	expect(t, "on a connection that is then idle", idle.answer(), "200 MISS content")
	download := n.open("/slow")
	part := make([]byte, 5)
	if _, err := io.ReadFull(download.Body, part); err != nil {
		t.Fatal(err)
	}

	n.signal(syscall.SIGTERM)
	n.awaitRefusal()
	if rest := idle.closed(); rest != "" {
		t.Errorf("on the idle connection came %q", rest)
	}
	if !n.running() {
		t.Fatal("the process did not wait for the download")
	}
	proceed()
	rest, err := io.ReadAll(download.Body)
	if err != nil || string(part)+string(rest) != "firstafter" {
		t.Errorf("the download ended with %q, %v", rest, err)
	}
	if code := n.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStopWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	origin, _ := halves(t)
	n := startNode(t, settings{origin: origin.url(), top: "drain_timeout: 300ms"})
	download := n.open("/slow")
	began := time.Now()
	n.signal(syscall.SIGTERM)
	if code := n.wait(); code != 1 || !strings.Contains(n.out.text(), "still in flight after drain_timeout") {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > 20*time.Second { // 30 seconds are the default
		t.Errorf("it took %v", took)
	}
	if got, err := io.ReadAll(download.Body); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the download ended as if whole: %q, %v", got, err)
	}
}

// While a node serves on for load balancers, a second signal ends it all the same.
func TestASecondSignalEndsTheDelay(t *testing.T) {
	t.Parallel()
	origin, _ := halves(t)
	n := startNode(t, settings{origin: origin.url(), top: "drain_delay: 5m"})
	n.signal(syscall.SIGTERM)
	eventually(t, "/readyz says 503", func() bool {
		answer, err := http.Get("http://" + n.admin + "/readyz")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	c := n.dial()
	c.write("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	expect(t, "on a new connection", c.answer(), "200 MISS content")
	n.signal(syscall.SIGTERM)
	n.wait()
}
