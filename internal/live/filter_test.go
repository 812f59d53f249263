package live

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

func sample() *event.Request {
	return &event.Request{
		ID: "r1", Service: "shop", Node: "fra1-a", Remote: "10.1.2.3:4711", Client: netip.MustParseAddr("192.0.2.7"),
		TLS: "TLSv1.3", Method: "GET", Scheme: "https", Host: "WWW.Example.com:8443", Target: "/news/today?page=2&sort=a?b",
		Proto: "HTTP/2.0", Status: 503, Received: 0, Bytes: 2048, Duration: 300 * time.Millisecond,
		FirstByte: 280 * time.Millisecond, Cut: true, Outcome: event.OutcomeError, Reason: "connect",
		Edge: "ams1-a", EdgePOP: "ams1",
		Origin: "10.0.0.1:9000", OriginStatus: 502, Age: 90 * time.Second, Hits: 3,
		RequestFields: field.Fields{
			{Name: "User-Agent", Value: `Bot "x", 1`}, {Name: "Accept", Value: "a"}, {Name: "accept", Value: "b"},
		},
		ResponseFields: http.Header{"X-Cache": {"MISS", "HIT"}},
	}
}

func TestFilterTakes(t *testing.T) {
	for _, text := range []string{
		"", " \t\n", "status>=500", "status=503", "status=5xx", "status=404,503", "status!=200", "status>502", "status<504",
		"status<=503", "status!=2xx,4xx", "status<600 status>=100 method=GET",
		"host=www.example.com", "host=WWW.EXAMPLE.COM", "host=www.example.com:8443", "host~*.example.com", "host!=example.com",
		"host~www.*:8443", "host!~*:80", "outcome=error", "outcome=miss,error", "outcome~err*", "outcome!=hit",
		"path~/news/*", "path=/news/today", "path!~/shop/*", "query=page=2&sort=a?b", "target~/news/*page=2*", "query~*sort=*",
		"service=shop", "service!=blog,docs", "node=fra1-a", "edge=ams1-a", `edge!=""`, "edge_pop~ams*", "id=r1", "reason=connect", "peer~10.1.2.3:*", "tls=TLSv1.3",
		"method=GET,HEAD", "scheme=https", "proto=HTTP/2.0", "bytes=2KiB", "bytes>2KB", "bytes<1MiB", "received=0",
		"duration>250ms", "duration<=0.3s", "first_byte<300ms", "age>1m", "hits>2", "origin_status=502", "origin=10.0.0.1:9000",
		"cut=true", "cut!=false", "collapsed=false", "client=192.0.2.7", "client=10.0.0.0/8,192.0.2.0/24", "client!=10.0.0.0/8",
		"client=::ffff:192.0.2.7", `user_agent="Bot \"x\", 1"`, `user_agent~"Bot*"`, "referer=\"\"", `request.accept="a, b"`,
		`response.x-cache="MISS, HIT"`, `response.X-Nothing=""`, "response.x-cache~*HIT",
	} {
		if f := parse(t, text); !f.Match(sample()) {
			t.Errorf("%q does not take the sample", text)
		} else if f.String() != text {
			t.Errorf("%q prints as %q", text, f)
		}
	}
	if none := (*Filter)(nil); !none.Match(sample()) || none.String() != "" {
		t.Error("no filter takes nothing")
	}
}

func TestFilterLeaves(t *testing.T) {
	for _, text := range []string{
		"status<503", "status>503", "status>=504", "status<=502", "status!=5xx", "status=2xx,4xx", "status!=1xx,503",
		"hits>9223372036854775807", "status=503 method=POST", "host=example.com", "host=www.example.com:443", "host!=www.example.com",
		"host!~*.example.com", "outcome=hit,miss", "path~/news", "path~*/", "path=/news/today?page=2&sort=a?b", "path~/NEWS/*",
		"method=get", "query~page", "bytes>2KiB", "duration<300ms", "age<1m", "cut=false", "collapsed=true", "client=10.1.2.3",
		"client!=192.0.2.0/24", "client=::/0", "referer~?*", "request.accept=a", "path~/news/*x*", "path~/news/today*today",
	} {
		if parse(t, text).Match(sample()) {
			t.Errorf("%q takes the sample", text)
		}
	}
}

// TestFilterOfAnEmptyRequest has nothing to look at, as of a refused one.
func TestFilterOfAnEmptyRequest(t *testing.T) {
	for _, text := range []string{`host=""`, `edge="" edge_pop=""`, `request.a=""`, `response.a=""`, "client!=0.0.0.0/0", `path="" query=""`, "status=0"} {
		if !parse(t, text).Match(&event.Request{}) {
			t.Errorf("%q leaves an empty request", text)
		}
	}
}

func TestPathOfAnAbsoluteTarget(t *testing.T) {
	for target, want := range map[string]string{
		"http://a.example/b?c": "/b", "http://a.example?c=/d": "", "http://a.example": "", "*": "*", "a:80": "a:80",
		"/x://y/z": "/x://y/z", "": "",
	} {
		if path, _ := splitTarget(target); path != want {
			t.Errorf("%q has the path %q, want %q", target, path, want)
		}
	}
}

func TestIPv6Hosts(t *testing.T) {
	for text, host := range map[string]string{
		"host=[::1]": "[::1]:80", "host=[::1]:80": "[::1]:80", "host~[::*": "[::1]",
	} {
		if !parse(t, text).Match(&event.Request{Host: host}) {
			t.Errorf("%q leaves %s", text, host)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"stauts=500", `filter, column 1: unknown field "stauts": want one of age, bytes,`},
		{"method=GET stauts=500", `filter, column 12: unknown field "stauts": `},
		{"=500", "filter, column 1: want the name of a field"},
		{"status", "filter, column 7: no operator after status: want one of = != ~ !~ < <= > >="},
		{"status !=500", "filter, column 7: no operator after status: "},
		{"status=", `filter, column 8: want a value; the empty text is ""`},
		{"status=500,", `filter, column 12: want a value; the empty text is ""`},
		{"status=five", `filter, column 8: status: want a status such as 404 or 5xx, not "five"`},
		{"status=1000", `filter, column 8: status: want a status such as 404 or 5xx, not "1000"`},
		{"status>5xx", `filter, column 8: status: want one number, not "5xx"`},
		{"status>=400,500", "filter, column 13: >= takes one value"},
		{"status~5*", "filter, column 7: status cannot be compared by ~: want one of = != < <= > >="},
		{"path>/a", "filter, column 5: path cannot be compared by >: want one of = != ~ !~"},
		{"outcome=mis", `filter, column 9: unknown outcome "mis": want one of hit, `},
		{"duration>250", `filter, column 10: duration: want a time such as 250ms or 1.5s, not "250"`},
		{"duration>-1s", "filter, column 10: duration: want a time"},
		{"bytes>1mb", `filter, column 7: bytes: want a size such as 1500 or 2MiB, not "1mb"`},
		{"bytes>9999999999GiB", "filter, column 7: bytes: want a size"},
		{"hits>-1", "filter, column 6: hits: want a number, not"},
		{"cut=yes", `filter, column 5: cut: want true or false, not "yes"`},
		{"cut=true,false", "filter, column 10: cut takes one value"},
		{"cut~true", "filter, column 4: cut cannot be compared by ~: want one of = !="},
		{"client=localhost", "filter, column 8: client: want an address or a network such as 10.0.0.0/8, "},
		{"client~10.*", "filter, column 7: client cannot be compared by ~: want one of = !="},
		{`path="/a`, "filter, column 6: the quote is not closed"},
		{`path="/a"b`, "filter, column 10: want a comma or white space after a value"},
		{`path=/a"b"`, "filter, column 8: want a comma or white space after a value"},
		{`path="\n"`, `filter, column 7: only \" and \\ stand for something in quotes`},
		{`path="\`, `filter, column 7: only \" and \\ stand for something in quotes`},
		{"request.a\x00b=a", `filter, column 1: unknown field "request.a\x00b"`},
		{"request.Cookie~*sid=a*", `filter, column 1: unknown field "request.Cookie"`},
		{"response.set-cookie=a", `filter, column 1: unknown field "response.set-cookie"`},
		{"request.=a", `filter, column 1: unknown field "request."`},
		{"\x00\xff=a", `filter, column 1: unknown field "\x00\xff"`},
		{strings.Repeat("cut=true ", MaxTerms+1), "filter, column 145: the filter has more than 16 terms"},
		{strings.Repeat(" ", MaxFilterBytes+1), "filter, column 1025: the filter has more than 1024 bytes"},
	} {
		_, err := ParseFilter(tc.text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%.40q: %v; want %s", tc.text, err, tc.want)
		}
	}
}

// TestFieldNamesAreAllThere holds the list in messages to what is understood,
// and to the fields that the package comment promises.
func TestFieldNamesAreAllThere(t *testing.T) {
	for name := range strings.SplitSeq(fieldNames, ", ") {
		if named(name) == nil {
			t.Errorf("%s is not a field", name)
		}
	}
	for name := range strings.FieldsSeq("service node id outcome reason edge edge_pop peer tls method scheme proto target path query " +
		"origin referer user_agent host status origin_status hits bytes received duration first_byte age cut collapsed client") {
		if !strings.Contains(", "+fieldNames+", ", ", "+name+", ") {
			t.Errorf("%s is not named in messages", name)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, seed := range []string{
		"status>=500 host=www.example.com outcome=miss path~/news/* service=shop method=GET", `user_agent="a \" \\ b",c`,
		"duration>1h bytes<1GiB client=::1,10.0.0.0/8 cut!=true", "request.a~*b*", "status=5xx,", `"`, "a=\xff",
		"request.'\x96Sq\x00",
	} {
		f.Add(seed)
	}
	r := sample()
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err == nil {
			filter.Match(r)
			filter.Match(&event.Request{})
			return
		}
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset < 0 || syntax.Offset > len(text) {
			t.Fatalf("%q: %#v", text, err)
		}
		for _, c := range []byte(err.Error()) {
			if c < ' ' || c == 0x7f {
				t.Fatalf("%q: the message %q is not safe to print", text, err)
			}
		}
	})
}

// dumbMatch tries every way to spread the stars.
func dumbMatch(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] != '*' {
		return s != "" && s[0] == pattern[0] && dumbMatch(pattern[1:], s[1:])
	}
	for i := range len(s) + 1 {
		if dumbMatch(pattern[1:], s[i:]) {
			return true
		}
	}
	return false
}

func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"/news/*", "/news/a"}, {"*a*b*", "xaybz"}, {"a*a", "a"}, {"**", ""}, {"ab*ab", "abab"}, {"*aab", "aaab"}, {"a*ba*b", "abab"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, p, s string) {
		if len(p) > 12 || len(s) > 24 {
			return // the model takes too long
		}
		if got, want := newPattern(p).match(s), dumbMatch(p, s); got != want {
			t.Errorf("%q matches %q: %v, want %v", p, s, got, want)
		}
	})
}
