package proxy

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/origin"
)

// overTCP is a site served over TCP before an origin that a script plays there,
// once for each connection.
func overTCP(t *testing.T, change option, script func(c net.Conn, r *bufio.Reader)) (dial func() net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var playing sync.WaitGroup
	playing.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			playing.Go(func() {
				defer c.Close()
				script(c, bufio.NewReader(c))
			})
		}
	})
	pool, err := origin.New(origin.Config{Origins: []origin.Endpoint{{URL: "http://" + l.Addr().String()}}})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(s *site, v *Service, c *fetch.Config) {
		c.Origin = pool
		if change != nil {
			change(s, v, c)
		}
	})
	server := httptest.NewUnstartedServer(s.proxy)
	server.Config.ErrorLog = log.New(complaints{t}, "", 0)
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		pool.Close()
		l.Close()
		playing.Wait()
	})
	return func() net.Conn {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
}

// complaints fails a test whose server has something to say.
type complaints struct{ t *testing.T }

func (c complaints) Write(p []byte) (int, error) {
	c.t.Errorf("the server says %s", p)
	return len(p), nil
}

// TestEarlyAnswer: an origin answers before it has the body. The client is told that
// the connection ends with the answer, since nobody knows whether the rest is of use.
func TestEarlyAnswer(t *testing.T) {
	dial := overTCP(t, nil, func(c net.Conn, r *bufio.Reader) {
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")
		}
	})
	for _, rest := range []string{"", "lo", "lo and more"} {
		c := dial()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n\r\nhel")
		r := bufio.NewReader(c)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 401 || !res.Close {
			t.Fatalf("%v, %v", res, err)
		}
		if text, err := io.ReadAll(res.Body); string(text) != "no" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		if rest != "" {
			io.WriteString(c, rest)
			if _, err := r.ReadByte(); err == nil {
				t.Error("more than an answer")
			}
		}
		c.Close()
	}
}

// TestBodyPastItsLimitWhileTheOriginAnswers: the client goes on sending when the
// answer is on its way, and goes past the limit just then.
func TestBodyPastItsLimitWhileTheOriginAnswers(t *testing.T) {
	limit := func(_ *site, v *Service, _ *fetch.Config) { v.MaxBody = 1000 }
	dial := overTCP(t, limit, func(c net.Conn, r *bufio.Reader) {
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\nX-1: a\r\nX-2: b\r\n\r\nno")
		io.Copy(io.Discard, r)
	})
	for range 200 {
		c := dial()
		fmt.Fprintf(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n%s\r\n", strings.Repeat("x", 1000))
		io.WriteString(c, "5\r\nabcde\r\n0\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 404 && res.StatusCode != 413 {
			t.Fatalf("answered %d", res.StatusCode)
		}
		c.Close()
	}
}

// TestBodyPastItsLimit: the origin waits for all of it, and the client is told.
func TestBodyPastItsLimit(t *testing.T) {
	limit := func(_ *site, v *Service, _ *fetch.Config) { v.MaxBody = 1000 }
	for length, want := range map[int]int{999: 200, 1000: 200, 1001: 413, 100000: 413} {
		dial := overTCP(t, limit, func(c net.Conn, r *bufio.Reader) {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if n, err := io.Copy(io.Discard, req.Body); n == int64(length) && err == nil {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		c := dial()
		fmt.Fprintf(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", length, strings.Repeat("x", length))
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode != want || length == 100000 && !res.Close {
			t.Errorf("%d bytes: %v, %v", length, res, err)
		}
	}
}

// TestUpgradeWithABody: an origin switches protocols before it has read the body.
// Of those who read from the client there must be one, not two.
func TestUpgradeWithABody(t *testing.T) {
	dial := overTCP(t, nil, func(c net.Conn, r *bufio.Reader) {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if req.Header.Get("Upgrade") == "" {
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(io.Discard, r)
	})
	for range 100 {
		c := dial()
		io.WriteString(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 100000\r\n\r\n")
		text := strings.Repeat("x", 1000)
		for range 100 {
			io.WriteString(c, text)
		}
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == http.StatusSwitchingProtocols {
			t.Error("switched protocols in the middle of a request's body")
		}
		c.Close()
	}
}

// TestOriginThatAnswersWhileItReads gets all of a body, though it begins to answer
// in the middle of it, as one that echoes does, and the client its answer meanwhile.
func TestOriginThatAnswersWhileItReads(t *testing.T) {
	for _, framing := range []string{"Transfer-Encoding: chunked", "Content-Length: 1000000"} {
		dial := overTCP(t, nil, func(c net.Conn, r *bufio.Reader) {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			n, _ := io.CopyN(io.Discard, req.Body, 100000)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nbegun\n\r\n")
			more, err := io.Copy(io.Discard, req.Body)
			text := fmt.Sprint(n+more, " bytes, ", err)
			fmt.Fprintf(c, "%x\r\n%s\r\n0\r\n\r\n", len(text), text)
		})
		c := dial()
		c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\n%s\r\n\r\n", framing)
		piece := strings.Repeat("x", 100000)
		if strings.HasPrefix(framing, "Transfer") {
			piece = fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
		}
		io.WriteString(c, piece)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%s: no answer while the body is under way: %v", framing, err)
		}
		body := bufio.NewReader(res.Body)
		if line, err := body.ReadString('\n'); line != "begun\n" {
			t.Fatalf("%s: %q %v", framing, line, err)
		}
		for range 9 {
			io.WriteString(c, piece)
		}
		if strings.HasPrefix(framing, "Transfer") {
			io.WriteString(c, "0\r\n\r\n")
		}
		if text, err := io.ReadAll(body); string(text) != "1000000 bytes, <nil>" || err != nil {
			t.Errorf("%s: the origin got %q; %v", framing, text, err)
		}
	}
}

// TestWhatThisNodeSaysNobodyElseSays: neither by a name that origins cannot tell
// from the right one, nor behind the body.
func TestWhatThisNodeSaysNobodyElseSays(t *testing.T) {
	said := make(chan string, 1)
	dial := overTCP(t, nil, func(c net.Conn, r *bufio.Reader) {
		var all strings.Builder
		for line := ""; line != "0\r\n"; {
			line, _ = r.ReadString('\n')
			all.WriteString(line)
		}
		for line := ""; line != "\r\n"; {
			line, _ = r.ReadString('\n')
			all.WriteString(line)
		}
		said <- all.String()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	c := dial()
	io.WriteString(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nX_Forwarded_For: 1.2.3.4\r\nx-forwarded_proto: https\r\nX_Other: kept\r\n"+
		"Trailer: X-Sum, X-Forwarded-For, Cookie\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\nok\r\n0\r\nX-Sum: kept too\r\nX-Forwarded-For: 1.2.3.4\r\nCookie: a=b\r\nX-Forwarded-Host: evil.example\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Fatal(err)
	}
	got := <-said
	for _, bad := range []string{"1.2.3.4", "https", "a=b", "evil", "Cookie"} {
		if strings.Contains(got, bad) {
			t.Errorf("the origin is told %q", got)
		}
	}
	if !strings.Contains(got, "X_other: kept\r\n") || !strings.Contains(got, "\r\nX-Sum: kept too\r\n") {
		t.Errorf("the origin is not told all: %q", got)
	}
}

// TestHintsWhileTheBodyIsAskedFor: the client is told to go on by whoever reads the
// body, or by whoever passes hints on, never by both at once.
func TestHintsWhileTheBodyIsAskedFor(t *testing.T) {
	dial := overTCP(t, nil, func(c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"+strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", 3))
			text, _ := io.ReadAll(req.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	})
	c := dial()
	r := bufio.NewReader(c)
	for range 50 {
		io.WriteString(c, "POST /a HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
		asked, hints := false, 0
		for {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			switch text, _ := io.ReadAll(res.Body); {
			case res.StatusCode == 100 && !asked:
				asked = true
				io.WriteString(c, "hello")
				continue
			case res.StatusCode == 103:
				hints++
				continue
			case res.StatusCode != 200 || string(text) != "hello" || hints != 3 || !asked:
				t.Fatalf("%d %q after %d hints", res.StatusCode, text, hints)
			}
			break
		}
	}
}
