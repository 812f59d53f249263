package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// TestWhatAShieldHandsOn looks at what edges make of responses that come through a
// shield, one rule after the other.
func TestWhatAShieldHandsOn(t *testing.T) {
	g := startTier(t, 2, "    cache: {compress: on, stale_if_error: 1h, hit_for_miss: 5s}\n    headers: {request: {set: {X-Once: a}}, response: {add: {X-Out: b}}}\n")
	a, b := g.edge(0), g.edge(1)
	t.Run("age counts from the origin", func(t *testing.T) {
		g.undisturbed(t, func(path string) string {
			g.page("old", "Cache-Control", "max-age=6000", "Age", "590")
			a.do("GET", path)
			r := b.do("GET", path)
			if age, _ := strconv.Atoi(r.Header.Get("Age")); age < 590 || len(g.requests()) != 1 {
				return fmt.Sprintf("Age %q after %d requests to the origin", r.Header.Get("Age"), len(g.requests()))
			}
			return ""
		})
	})
	t.Run("fields are rewritten once", func(t *testing.T) {
		g.page("x", "Cache-Control", "max-age=600")
		r := a.do("GET", "/rewritten")
		if got := g.requests()[0].Header.Values("X-Once"); len(got) != 1 {
			t.Errorf("the request has X-Once %q", got)
		}
		if got := r.Header.Values("X-Out"); len(got) != 1 {
			t.Errorf("the response has X-Out %q", got)
		}
	})
	t.Run("edges compress", func(t *testing.T) {
		g.page(strings.Repeat("text ", 1000), "Cache-Control", "max-age=600", "Content-Type", "text/plain", "ETag", `"e"`)
		r := a.do("GET", "/text", "Accept-Encoding", "gzip")
		if r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("Content-Encoding %q", r.Header.Get("Content-Encoding"))
		}
		if r := a.do("GET", "/text"); r.Header.Get("Content-Encoding") != "" || r.Header.Get("ETag") != `W/"e"` {
			t.Errorf("plain: %v", r.Header)
		}
	})
	t.Run("variants", func(t *testing.T) {
		g.undisturbed(t, func(path string) string {
			g.says(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=600")
				w.Header().Set("Vary", "Accept-Language")
				io.WriteString(w, r.Header.Get("Accept-Language"))
			})
			for _, lang := range []string{"de", "fr", "de"} {
				for _, e := range []*tierNode{a, b} {
					if r := e.do("GET", path, "Accept-Language", lang); r.body != lang {
						t.Errorf("%s for %s", r.body, lang)
					}
				}
			}
			if n := len(g.requests()); n != 2 {
				return fmt.Sprintf("the origin was asked %d times for two variants", n)
			}
			return ""
		})
	})
	t.Run("ranges and HEAD", func(t *testing.T) {
		g.undisturbed(t, func(path string) string {
			g.page("0123456789", "Cache-Control", "max-age=600")
			if r := a.do("GET", path, "Range", "bytes=2-4"); r.StatusCode != 206 || r.body != "234" {
				t.Errorf("%d %q", r.StatusCode, r.body)
			}
			if r := b.do("HEAD", path); r.StatusCode != 200 || r.ContentLength != 10 {
				t.Errorf("HEAD: %d, length %d", r.StatusCode, r.ContentLength)
			}
			if r := b.do("GET", path, "Range", "bytes=20-"); r.StatusCode != 416 {
				t.Errorf("%d beyond the end", r.StatusCode)
			}
			if n := len(g.requests()); n != 1 {
				return fmt.Sprintf("the origin was asked %d times", n)
			}
			return ""
		})
	})
	t.Run("private and uncacheable", func(t *testing.T) {
		g.says(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "private")
			w.Header().Set("Set-Cookie", "s="+r.Header.Get("X-Who"))
			io.WriteString(w, r.Header.Get("X-Who"))
		})
		for i := range 4 {
			who := fmt.Sprint("user", i)
			if r := a.do("GET", "/private", "X-Who", who); r.body != who || r.Header.Get("Set-Cookie") != "s="+who {
				t.Errorf("%s gets %q, cookie %q", who, r.body, r.Header.Get("Set-Cookie"))
			}
		}
	})
	t.Run("a refresh by 304", func(t *testing.T) {
		var full, confirmed int
		g.says(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Cache-Control", "max-age=600")
			w.Header().Set("Surrogate-Key", "r")
			if r.Header.Get("If-None-Match") == `"v1"` {
				confirmed++
				w.WriteHeader(304)
				return
			}
			full++
			io.WriteString(w, "same")
		})
		a.do("GET", "/renewed")
		b.do("GET", "/renewed")
		a.purge(api.Purge{Keys: []string{"r"}, Mode: api.Soft})
		if r := a.do("GET", "/renewed"); r.body != "same" || !strings.Contains(strings.Join(r.Header.Values("Cache-Status"), ""), "fwd=stale; fwd-status=304") {
			t.Errorf("%q, Cache-Status %q", r.body, r.Header.Values("Cache-Status"))
		}
		if full != 1 || confirmed != 1 {
			t.Errorf("the origin sent it %d times and confirmed it %d times", full, confirmed)
		}
		a.purge(api.Purge{Keys: []string{"r"}}) // its keys have come with the 304, or were kept
		a.do("GET", "/renewed")
		if full != 2 {
			t.Errorf("after a hard purge it was sent %d times in all", full)
		}
	})
	t.Run("a soft purge is not undone by the shield's copy", func(t *testing.T) {
		g.page("soft", "Cache-Control", "max-age=600, stale-while-revalidate=600", "Surrogate-Key", "soft")
		a.do("GET", "/soft")
		a.purge(api.Purge{Keys: []string{"soft"}, Mode: api.Soft, TTL: duration(2 * time.Second)})
		r := b.do("GET", "/soft") // has nothing; the shield has it fresh for two seconds more
		within(t, "what b got stays fresh for two seconds at most", func() bool {
			r = b.do("GET", "/soft")
			return len(g.requests()) > 1
		})
		_ = r
	})
	t.Run("errors and stale instead", func(t *testing.T) {
		g.undisturbed(t, func(path string) string {
			g.page("kept", "Cache-Control", "max-age=1", "Surrogate-Key", "sie")
			a.do("GET", path)
			a.purge(api.Purge{Keys: []string{"sie"}, Mode: api.Soft})
			g.says(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "broken", http.StatusServiceUnavailable) })
			if r := a.do("GET", path); r.body != "kept" {
				return fmt.Sprintf("an edge that has it: %d %q", r.StatusCode, r.body)
			}
			for range 2 { // it must not become fresh there
				if r := b.do("GET", path); r.body != "kept" {
					return fmt.Sprintf("an edge that has nothing: %d %q", r.StatusCode, r.body)
				}
			}
			g.page("new", "Cache-Control", "max-age=600")
			if r := b.do("GET", path); r.body != "new" {
				t.Errorf("once the origin works again: %q", r.body)
			}
			return ""
		})
		g.says(func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
		if r := b.do("GET", "/never"); r.StatusCode != 502 || !strings.Contains(r.body, "shield") {
			t.Errorf("nothing anywhere: %d %q", r.StatusCode, r.body)
		}
	})
	t.Run("unsafe methods", func(t *testing.T) {
		version := 1
		g.says(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				io.Copy(io.Discard, r.Body)
				version++
			}
			w.Header().Set("Cache-Control", "max-age=600")
			w.Header().Set("Content-Location", "/other")
			fmt.Fprint(w, version)
		})
		for i := range 20 {
			for _, path := range []string{"/posted", "/other"} {
				b.do("GET", path)
			}
			a.do("POST", "/posted")
			for _, path := range []string{"/posted", "/other"} {
				if r := a.do("GET", path); r.body != fmt.Sprint(version) {
					t.Fatalf("round %d, %s: %q after a POST at this edge, want %d; %v", i, path, r.body, version, r.Header)
				}
			}
		}
	})
	t.Run("a client cannot pass for an edge", func(t *testing.T) {
		g.page("keys", "Cache-Control", "max-age=600", "Surrogate-Key", "secret")
		ask := "1 e0 AAAAAAAAAAAAAAAAAAAAAQ - 0 0 -"
		for _, n := range []*tierNode{a, g.shield(0)} {
			if r := n.do("GET", "/keys", "Rescind-Edge", ask); r.Header.Get("Surrogate-Key") != "" || r.Header.Get("Rescind-Shield") != "" {
				t.Errorf("%s tells a client %v", n.name, r.Header)
			}
		}
		conn, err := tls.Dial("tcp", g.shield(0).app.ShieldAddr().String(), &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			io.WriteString(conn, "GET /keys HTTP/1.1\r\nHost: shop.example\r\nRescind-Edge: "+ask+"\r\n\r\n")
			if _, err = bufio.NewReader(conn).ReadByte(); err == nil {
				t.Error("a stranger was answered")
			}
		}
	})
}

func TestUpgradesAndBodiesThroughAShield(t *testing.T) {
	g := startTier(t, 1, "")
	g.says(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			n, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n, err)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(conn, line)
	})
	conn, err := net.Dial("tcp", g.edge(0).app.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /echo HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v %v", resp, err)
	}
	io.WriteString(conn, "hello\n")
	if line, err := r.ReadString('\n'); line != "hello\n" {
		t.Errorf("%q %v", line, err)
	}
	const size = 5 << 20
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, body := range []io.Reader{strings.NewReader(strings.Repeat("x", size)), io.LimitReader(zeros{}, size)} {
		post, _ := http.NewRequestWithContext(ctx, "POST", "http://"+g.edge(0).app.Addrs()[0].String()+"/upload", body)
		post.Host, post.Close = "shop.example", true
		resp, err := http.DefaultTransport.RoundTrip(post)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(said) != fmt.Sprint(size, nil) {
			t.Errorf("the origin got %q", said)
		}
	}
	if g.edge(0).through("passed") < 3 {
		t.Errorf("they went another way: %+v", g.edge(0).app.mu.shielded["shop"].Stats())
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestShieldsFail takes the shields away, one after the other, and gives them back.
func TestShieldsFail(t *testing.T) {
	g := startTier(t, 1, "")
	e := g.edge(0)
	g.page("x", "Cache-Control", "max-age=600")
	get := func(round string) {
		t.Helper()
		for i := range 8 {
			if r := e.do("GET", fmt.Sprintf("/%s/%d", round, i)); r.body != "x" {
				t.Fatalf("%s %d: %d %q", round, i, r.StatusCode, r.body)
			}
		}
	}
	stats := func() (through, direct uint64) {
		s := e.app.mu.shielded["shop"].Stats()
		for _, n := range s.Answers {
			through += n
		}
		for _, n := range s.Direct {
			direct += n
		}
		return
	}
	through := func(round string) { // all eight requests, with nothing past the shields
		t.Helper()
		g.undisturbed(t, func(path string) string {
			throughThen, directThen := stats()
			get(round + path)
			through, direct := stats()
			if through, direct = through-throughThen, direct-directThen; through != 8 || direct != 0 {
				return fmt.Sprintf("%s: %d through, %d direct", round, through, direct)
			}
			return ""
		})
	}
	through("both")
	g.shield(0).stop()
	through("one")
	g.shield(1).stop()
	_, before := stats()
	get("none")
	if _, direct := stats(); direct-before != 8 {
		t.Errorf("without shields %d went to the origin", direct-before)
	}
	g.shield(0).start()
	g.settle()
	then, _ := stats()
	within(t, "requests go through the shield again", func() bool {
		e.do("GET", fmt.Sprintf("/again/%d", time.Now().UnixNano()))
		now, _ := stats()
		return now > then
	})
}

// TestSecretsOfShieldsRotate changes the cluster's secret under traffic.
func TestSecretsOfShieldsRotate(t *testing.T) {
	g := startTier(t, 1, "")
	e := g.edge(0)
	g.page("x", "Cache-Control", "max-age=600")
	before := e.app.mu.shielded["shop"].Stats().Direct
	g.slowest()
	for i, secret := range []string{
		`["0123456789abcdef-one", "0123456789abcdef-two"]`, `["0123456789abcdef-two", "0123456789abcdef-one"]`, `["0123456789abcdef-two"]`,
	} {
		e.do("GET", fmt.Sprintf("/before/%d", i))
		g.secret = secret
		for _, n := range g.nodes {
			n.write()
			if err := n.app.Reload(); err != nil {
				t.Fatal(err)
			}
			e.do("GET", fmt.Sprintf("/during/%d/%s", i, n.name))
		}
	}
	e.do("GET", "/after")
	s, slowest := e.app.mu.shielded["shop"].Stats(), g.slowest()
	for why, n := range s.Direct {
		if n > before[why] && slowest < time.Second { // on a busy machine, shields may be given up for their time
			t.Errorf("%d requests went to the origin: %s", n-before[why], why)
		}
	}
	t.Logf("%+v, the slowest after %v", s, slowest)
}
