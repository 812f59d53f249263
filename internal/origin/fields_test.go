package origin

import (
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestNothingIsAddedToARequest(t *testing.T) {
	heads := make(chan string, 1)
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for h := c.head(); h != ""; h = c.head() {
			heads <- h
			c.say(simple)
		}
	})
	p := newPool(t, f, nil)
	mustFetch(t, p, get("/"))
	if got, want := <-heads, "GET / HTTP/1.1\r\nHost: www.example.com\r\n"; got != want {
		t.Errorf("bare request: %q, want %q", got, want)
	}

	r := get("/")
	r.Fields = field.Fields{
		{Name: "Via", Value: "1.1 a"}, {Name: "x-one", Value: "1"}, {Name: "via", Value: "1.1 b"},
		{Name: "User-Agent", Value: "curl"}, {Name: "Cookie", Value: "a=b; c=d"},
		// What concerns one connection or frames the message does not pass.
		{Name: "Connection", Value: "close, X-One"}, {Name: "Keep-Alive", Value: "1"}, {Name: "Host", Value: "other"},
		{Name: "Content-Length", Value: "9"}, {Name: "Transfer-Encoding", Value: "chunked"}, {Name: "Upgrade", Value: "h2c"},
		{Name: "TE", Value: "gzip"}, {Name: "Trailer", Value: "X"}, {Name: "Expect", Value: "100-continue"},
	}
	mustFetch(t, p, r)
	want := []string{
		"Cookie: a=b; c=d", "GET / HTTP/1.1", "Host: www.example.com", "User-Agent: curl",
		"Via: 1.1 a", "Via: 1.1 b", "X-One: 1",
	}
	got := strings.Split(strings.TrimSuffix(<-heads, "\r\n"), "\r\n")
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%q, want\n%q", got, want)
	}
}

func TestHostOfTheOriginGoesFirst(t *testing.T) {
	hosts := make(chan string, 1)
	f := newFakeNet()
	f.set("192.0.2.1:8080", func(c *fakeConn) {
		for h := c.head(); h != ""; h = c.head() {
			_, after, _ := strings.Cut(h, "Host: ")
			hosts <- strings.TrimSpace(after)
			c.say(simple)
		}
	})
	for _, test := range []struct{ override, requested, want string }{
		{"", "a.example", "a.example"},
		{"b.example", "a.example", "b.example"},
		{"", "", "192.0.2.1:8080"},
	} {
		p := newPool(t, f, func(c *Config) {
			c.Origins = []Endpoint{{URL: "http://192.0.2.1:8080/", Host: test.override}}
		})
		r := get("//x")
		r.Host = test.requested
		mustFetch(t, p, r)
		if got := <-hosts; got != test.want {
			t.Errorf("override %q, requested %q: Host %q, want %q", test.override, test.requested, got, test.want)
		}
	}
}

func TestResponseFieldsAreAsReceived(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", answering("HTTP/1.1 200\r\nx-b:  2 \r\nServer: s\r\nX-A: \r\nx-B: \"3\"\t\r\n"+
		"Connection: x-a\r\nContent-Type:\r\nTrailer: Never\r\nTransfer-Encoding: Chunked\r\nVia: caf\xc3\xa9\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	p := newPool(t, f, nil)
	for range 2 {
		res, body := mustFetch(t, p, get("/"))
		want := field.Fields{
			{Name: "x-b", Value: "2"}, {Name: "Server", Value: "s"}, {Name: "X-A", Value: ""}, {Name: "x-B", Value: "\"3\""},
			{Name: "Connection", Value: "x-a"}, {Name: "Content-Type", Value: ""}, {Name: "Trailer", Value: "Never"},
			{Name: "Transfer-Encoding", Value: "Chunked"}, {Name: "Via", Value: "caf\xc3\xa9"},
		}
		if !slices.Equal(res.Fields, want) || body != "ok" {
			t.Errorf("fields %q, body %q", res.Fields, body)
		}
		if res.ContentLength != -1 || res.CloseDelimited || res.Ambiguity != Unambiguous || res.Proto != "HTTP/1.1" {
			t.Errorf("response %+v", res)
		}
	}
	if n := len(f.dialled()); n != 1 {
		t.Errorf("%d connections for two requests in a row", n)
	}
}
