//go:build e2e

package test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// What an origin does wrong is never stored, and never passed on as if it were
// whole.
func TestBrokenOrigin(t *testing.T) {
	t.Parallel()
	const fresh = "Cache-Control: max-age=600\r\n"
	const (
		whole   = 0
		partial = 18 // curl: the transfer ended before its end
	)
	cases := []struct {
		name, answer string
		status       int // of the answer
		exit         int // of curl
	}{
		{"garbage", "SSH-2.0-OpenSSH_9.2\r\n", 502, whole},
		{"nothing", "", 502, whole},
		{"half a head", "HTTP/1.1 200 OK\r\nCache-Con", 502, whole},
		{"an invalid field name", "HTTP/1.1 200 OK\r\n" + fresh + "bad name: x\r\nContent-Length: 2\r\n\r\nok", 502, whole},
		{"two lengths", "HTTP/1.1 200 OK\r\n" + fresh + "Content-Length: 2\r\nContent-Length: 5\r\n\r\nok", 502, whole},
		{"a body cut short", "HTTP/1.1 200 OK\r\n" + fresh + "Content-Length: 1000\r\n\r\nonly this", 200, partial},
		{"chunks cut short", "HTTP/1.1 200 OK\r\n" + fresh + "Transfer-Encoding: chunked\r\n\r\n4\r\nonly\r\n", 200, partial},
		{"a broken chunk", "HTTP/1.1 200 OK\r\n" + fresh + "Transfer-Encoding: chunked\r\n\r\n4\r\nonly\r\nzzz\r\n", 200, partial},
		{"an end that only the connection shows", "HTTP/1.1 200 OK\r\n" + fresh + "\r\nperhaps all", 200, whole},
		{"both length and chunks", "HTTP/1.1 200 OK\r\n" + fresh + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nboth\r\n0\r\n\r\n", 200, whole},
	}
	scripts := map[string]script{}
	for i, c := range cases {
		scripts[fmt.Sprint("/", i)] = saysAndCloses(c.answer)
	}
	origin := startRaw(t, scripts)
	n := startNode(t, settings{origin: origin.url(), service: noEjection})
	for i, c := range cases {
		path := fmt.Sprint("/", i)
		for range 2 {
			got, exit, complaint := n.try(transports[0], "http://"+host+path)
			if got.status != c.status || exit != c.exit || got.header.Get("X-Cache") != "MISS" {
				t.Errorf("%s: %v, curl's exit code %d (%s), want %d", c.name, got, exit, complaint, c.exit)
			}
		}
		if origin.asked(path) < 2 {
			t.Errorf("%s: the second request was answered from the first", c.name)
		}
	}
	over2, exit, _ := n.try(transports[3], "https://"+host+"/5")
	if over2.status != 200 || exit == 0 {
		t.Errorf("a body cut short over HTTP/2: %v, curl's exit code %d", over2, exit)
	}
}

// A body without end must not fill the memory.
func TestHugeBodyOfUnknownLength(t *testing.T) {
	t.Parallel()
	const size, block = 100 << 20, 64 << 10
	huge := func(head string, each func(w io.Writer, block string), end string) script {
		return func(x *exchange) bool {
			x.say(head)
			text := strings.Repeat("x", block)
			for range size / block {
				each(x.conn, text)
			}
			x.say(end)
			return false
		}
	}
	const head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n"
	origin := startRaw(t, map[string]script{
		"/until-close": huge(head+"\r\n", func(w io.Writer, block string) { io.WriteString(w, block) }, ""),
		"/chunked": huge(head+"Transfer-Encoding: chunked\r\n\r\n", func(w io.Writer, block string) {
			fmt.Fprintf(w, "%x\r\n%s\r\n", len(block), block)
		}, "0\r\n\r\n"),
	})
	const budget = 32 << 20
	n := startNode(t, settings{origin: origin.url(), top: "storage: {memory: 32MiB}"})
	before := n.peakMemory()
	for _, path := range []string{"/until-close", "/chunked"} {
		response := n.open(path)
		got, err := io.Copy(io.Discard, response.Body)
		if err != nil || got != size {
			t.Errorf("%s: %d bytes, %v", path, got, err)
		}
	}
	// What the collector has not yet freed comes on top of the budget.
	if after := n.peakMemory(); after-before > budget+48<<20 {
		t.Errorf("memory grew by %d MiB with %d MiB for storage", (after-before)>>20, budget>>20)
	}
}

// peakMemory returns the most bytes of memory that the node has had resident.
func (n *node) peakMemory() int {
	n.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	if err != nil {
		n.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		n.t.Fatalf("no peak of memory in %s: %v", status, err)
	}
	return kilobytes << 10
}
