package origin

import (
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// rawTargets are targets that net/http would rewrite or refuse.
var rawTargets = []string{
	"/", "/a?", "/a?b=c&d", "/a|b\"c^%2f%41", "/%zz", "/%", "//x/y", "//", "///", "//x|y?%2f^",
	"/a//b/../c/./d", "/a#b", "/a?b?c#d", "/\\`{}<>", "/caf\xc3\xa9", "/\xff", "/http://x/", "/:80", "//user@host:1/",
	"/" + strings.Repeat("long/", 2000), "//" + strings.Repeat("long/", 2000),
}

func TestTargetsReachAnHTTP1OriginByteForByte(t *testing.T) {
	lines := make(chan string, 1)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for {
			line, err := c.r.ReadString('\n')
			if err != nil || c.head() == "" {
				return
			}
			lines <- line
			c.say(simple)
		}
	})
	p := newPool(t, f, nil)
	for _, raw := range rawTargets {
		mustFetch(t, p, get(raw))
		if got, want := <-lines, "GET "+raw+" HTTP/1.1\r\n"; got != want {
			t.Errorf("request line %.80q, want %.80q", got, want)
		}
	}
}

func TestAsteriskAndLongHost(t *testing.T) {
	heads := make(chan string, 1)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for h := c.head(); h != ""; h = c.head() {
			heads <- h
			c.say(simple)
		}
	})
	p := newPool(t, f, nil)
	mustFetch(t, p, &Request{Method: "OPTIONS", Target: field.Target{Path: "*"}})
	if got, want := <-heads, "OPTIONS * HTTP/1.1\r\nHost: 192.0.2.1\r\n"; got != want {
		t.Errorf("head %q, want %q", got, want)
	}
	r := get("//a")
	r.Method = strings.Repeat("M", maxMethod)
	r.Host = strings.Repeat("h", 253) + ":65535"
	mustFetch(t, p, r)
	if got, want := <-heads, r.Method+" //a HTTP/1.1\r\nHost: "+r.Host+"\r\n"; got != want {
		t.Errorf("head %q, want %q", got, want)
	}
}

func TestRequestsThatCannotBeSentAreRefused(t *testing.T) {
	f := newFakeNet()
	p := newPool(t, f, nil)
	for name, change := range map[string]func(*Request){
		"space in target":     func(r *Request) { r.Target.Path = "/a b" },
		"line end in target":  func(r *Request) { r.Target.Path = "/a\r\nX: y" },
		"DEL in query":        func(r *Request) { r.Target.HasQuery, r.Target.Query = true, "\x7f" },
		"empty target":        func(r *Request) { r.Target.Path = "" },
		"absolute target":     func(r *Request) { r.Target.Path = "http://x/" },
		"method":              func(r *Request) { r.Method = "GET /x" },
		"long method":         func(r *Request) { r.Method = strings.Repeat("M", maxMethod+1) },
		"CONNECT":             func(r *Request) { r.Method = "CONNECT" },
		"host":                func(r *Request) { r.Host = "a/b" },
		"host with line end":  func(r *Request) { r.Host = "a\r\nX: y" },
		"field name":          func(r *Request) { r.Fields = r.Fields.Add("a b", "c") },
		"field value":         func(r *Request) { r.Fields = r.Fields.Add("a", "b\r\nc: d") },
		"trailer name":        func(r *Request) { r.TrailerNames = []string{""} },
		"upgrade":             func(r *Request) { r.Upgrade = "a\nb" },
		"length without body": func(r *Request) { r.ContentLength = 1 },
		"impossible length":   func(r *Request) { r.ContentLength = -2 },
	} {
		r := get("/")
		change(r)
		if _, _, err := fetch(p, r); kindOf(err) != KindBadRequest {
			t.Errorf("%s: %v, want kind %v", name, err, KindBadRequest)
		}
	}
	if d := f.dialled(); len(d) != 0 {
		t.Errorf("dialled %v for requests that cannot be sent", d)
	}
}
