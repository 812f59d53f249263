//go:build e2e

package test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestUpgrade(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{"/socket": func(x *exchange) bool {
		if x.Header.Get("Upgrade") != "websocket" || x.Header.Get("Sec-WebSocket-Key") == "" {
			x.say("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
			return true
		}
		x.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\nwelcome ")
		io.Copy(x.conn, x.in)
		return false
	}})
	n := startNode(t, settings{origin: origin.url()})
	c := n.dial()
	c.write("GET /socket HTTP/1.1\r\nHost: " + host + "\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n\r\n")
	response := c.response()
	if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Upgrade") != "websocket" || response.Header.Get("Sec-Websocket-Accept") != "yes" {
		t.Fatalf("got %s, %v", response.Status, response.Header)
	}
	hear := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c.in, got); err != nil || string(got) != want {
			t.Fatalf("heard %q, %v, want %q", got, err, want)
		}
	}
	hear("welcome ")
	for i := range 3 {
		text := fmt.Sprintf("echo %d\x00\xff\n", i)
		c.write(text)
		hear(text)
	}
	c.Close()
	eventually(t, "the origin's side ends with the client's", func() bool { return origin.connections() == 0 })
	plain := n.get("/socket")
	if plain.status != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %v", plain)
	}
}

func TestTrailersAndEarlyHints(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{
		"/trailer": says("HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" +
			"4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n"),
		"/hints": says("HTTP/1.1 103 Early Hints\r\nLink: </site.css>; rel=preload\r\n\r\n" + whole("page")),
	})
	n := startNode(t, settings{origin: origin.url()})
	for i, via := range transports {
		cache := "MISS" // once for each scheme
		if i%2 == 1 {
			cache = "HIT"
		}
		got := n.over(via, "/trailer")
		expect(t, via.name+": a response with a trailer", got, "200 "+cache+" body")
		if sum := got.trailer.Get("X-Sum"); sum != "42" && cache == "MISS" {
			t.Errorf("%s: the trailer is %v", via.name, got.trailer)
		}
		got = n.over(via, "/hints")
		expect(t, via.name+": a response after hints", got, "200 "+cache+" page")
		if cache == "MISS" && (len(got.interim) != 1 || got.interim[0].status != 103 || got.interim[0].header.Get("Link") != "</site.css>; rel=preload") {
			t.Errorf("%s: before the answer came %v", via.name, got.interim)
		}
		if cache == "HIT" && len(got.interim) != 0 {
			t.Errorf("%s: before the stored answer came %v", via.name, got.interim)
		}
		if link := got.header.Get("Link"); link != "" {
			t.Errorf("%s: a field of the hints is in the answer: %s", via.name, link)
		}
	}
}

func TestUploads(t *testing.T) {
	t.Parallel()
	content := make([]byte, 3<<20)
	io.ReadFull(rand.NewChaCha8([32]byte{2}), content)
	file := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("200 MISS POST %x", sha256.Sum256(content))
	origin := startRaw(t, map[string]script{"/upload": func(x *exchange) bool {
		sum := sha256.New()
		if x.Header.Get("Expect") == "100-continue" {
			x.say("HTTP/1.1 100 Continue\r\n\r\n")
		}
		if _, err := io.Copy(sum, x.Body); err != nil {
			return false
		}
		x.say(whole(fmt.Sprintf("%s %x", x.Method, sum.Sum(nil))))
		return true
	}})
	n := startNode(t, settings{origin: origin.url()})
	for _, via := range transports {
		expect(t, via.name, n.over(via, "/upload", "--data-binary", "@"+file, "--header", "Expect:"), want)
	}
	awaited := n.get("/upload", "--data-binary", "@"+file, "--header", "Expect: 100-continue", "--expect100-timeout", "10")
	expect(t, "after 100 Continue", awaited, want)
	if len(awaited.interim) != 1 || awaited.interim[0].status != 100 {
		t.Errorf("before the answer came %v", awaited.interim)
	}
	chunked := n.get("/upload", "--data-binary", "@"+file, "--header", "Transfer-Encoding: chunked", "--header", "Expect:")
	expect(t, "in chunks", chunked, want)
}

// Answers come in the order of the requests, however each was answered.
func TestPipelinedRequests(t *testing.T) {
	t.Parallel()
	origin := startRaw(t, map[string]script{"/a": says(whole("a")), "/b": says(whole("b"))})
	n := startNode(t, settings{origin: origin.url()})
	var requests bytes.Buffer
	order := "aabbabab"
	for _, name := range order {
		fmt.Fprintf(&requests, "GET /%c HTTP/1.1\r\nHost: %s\r\n\r\n", name, host)
	}
	c := n.dial()
	c.write(requests.String())
	for i, name := range order {
		response, err := http.ReadResponse(c.in, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || string(body) != string(name) {
			t.Errorf("answer %d is %q, %v, want %c", i, body, err, name)
		}
	}
}
