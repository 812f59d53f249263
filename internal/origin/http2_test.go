package origin

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

func h2Pool(t *testing.T, url string) *Pool {
	t.Helper()
	p, err := New(Config{Origins: []Endpoint{{URL: url, HTTP2: true}}, Retries: -1, ConnectTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestTargetsReachAnHTTP2OriginByteForByte asks net/http what it encodes.
func TestTargetsReachAnHTTP2OriginByteForByte(t *testing.T) {
	p := h2Pool(t, serveHTTP2(t, func(o h2Origin, stream uint32) { o.fields(stream, true, ":status", "204") }))
	for _, raw := range append(slices.Clone(rawTargets), "*") {
		head := make(map[string]string)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteHeaderField: func(name string, values []string) { head[name] += strings.Join(values, "|") },
		})
		r := get(raw)
		r.Fields = field.Fields{{Name: "TE", Value: "trailers"}, {Name: "X-A", Value: "b"}}
		res, err := p.Do(ctx, r)
		if err != nil {
			t.Fatalf("%.80q: %v", raw, err)
		}
		res.Body.Close()
		if head[":path"] != raw || head[":authority"] != "www.example.com" || head[":scheme"] != "http" {
			t.Errorf("%.80q is sent as %.80q for %q", raw, head[":path"], head[":authority"])
		}
		if len(head) != 6 || head["te"] != "trailers" || head["x-a"] != "b" {
			t.Errorf("sent %q", head)
		}
		if res.Proto != "HTTP/2.0" || res.Status != 204 {
			t.Errorf("response %+v", res)
		}
	}
	if n := p.Status()[0].Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestHTTP2Response(t *testing.T) {
	url := serveHTTP2(t, func(o h2Origin, stream uint32) {
		o.fields(stream, false, ":status", "103", "link", "</a>")
		o.fields(stream, false, ":status", "200", "x-b", "1", "server", "s", "x-b", "2", "content-length", "2", "trailer", "x-sum")
		o.data(stream, false, "ok")
		o.fields(stream, true, "x-sum", "3", "content-length", "7", "host", "a", "x-new", "4")
	})
	p := h2Pool(t, url)
	interim := 0
	r := get("/")
	r.Interim = func(status int, f field.Fields) { interim = status }
	res, body := mustFetch(t, p, r)
	want := field.Fields{{Name: "Content-Length", Value: "2"}, {Name: "Server", Value: "s"}, {Name: "X-B", Value: "1"}, {Name: "X-B", Value: "2"}}
	if !slices.Equal(res.Fields, want) || body != "ok" || res.ContentLength != 2 || res.CloseDelimited || interim != 103 {
		t.Errorf("%+v, body %q, interim %d", res, body, interim)
	}
	if got := res.Trailer(); !slices.Equal(got, field.Fields{{Name: "X-New", Value: "4"}, {Name: "X-Sum", Value: "3"}}) {
		t.Errorf("trailers %q", got)
	}
}

func TestHTTP2Failures(t *testing.T) {
	type handler = func(o h2Origin, stream uint32)
	for _, test := range []struct {
		name   string
		handle handler
		want   Kind
	}{
		{"closes", func(o h2Origin, _ uint32) { o.Close() }, KindClosed},
		{"resets the stream", func(o h2Origin, s uint32) { o.reset(s) }, KindClosed},
		{"no status", func(o h2Origin, s uint32) { o.fields(s, true, "a", "b") }, KindGarbage},
		{"status that is no number", func(o h2Origin, s uint32) { o.fields(s, true, ":status", "x") }, KindGarbage},
		{"upper case field name", func(o h2Origin, s uint32) { o.fields(s, true, ":status", "200", "A", "b") }, KindGarbage},
		{"field value with a line end", func(o h2Origin, s uint32) {
			o.fields(s, true, ":status", "200", "a", "b\r\nc: d")
		}, KindGarbage},
		{"lengths that differ", func(o h2Origin, s uint32) {
			o.fields(s, false, ":status", "200", "content-length", "1", "content-length", "2")
		}, KindGarbage},
		{"length that is no number", func(o h2Origin, s uint32) {
			o.fields(s, false, ":status", "200", "content-length", "x")
		}, KindGarbage},
		{"head a little too large", func(o h2Origin, s uint32) {
			o.fields(s, true, ":status", "200", "a", strings.Repeat("x", 257<<10))
		}, KindTooLarge},
		{"head too large in its last frame", func(o h2Origin, s uint32) { o.manyFields(s, 312) }, KindTooLarge},
		// net/http gives the connection up and does not say why.
		{"head far too large", func(o h2Origin, s uint32) { o.manyFields(s, 1000) }, KindGarbage},
		{"endless interim responses", func(o h2Origin, s uint32) {
			for range 10_000 {
				o.fields(s, false, ":status", "103")
			}
		}, KindTooLarge},
		{"ends short of its length", func(o h2Origin, s uint32) {
			o.fields(s, false, ":status", "200", "content-length", "9")
			o.data(s, true, "abc")
		}, KindTruncated},
		{"resets inside the body", func(o h2Origin, s uint32) {
			o.fields(s, false, ":status", "200")
			o.data(s, false, "abc")
			o.reset(s)
		}, KindTruncated},
		{"closes inside the body", func(o h2Origin, s uint32) {
			o.fields(s, false, ":status", "200")
			o.data(s, false, "abc")
			o.Close()
		}, KindTruncated},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := h2Pool(t, serveHTTP2(t, test.handle))
			_, _, err := fetch(p, get("/"))
			wantKind(t, err, test.want)
			if test.want == KindTruncated && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v is not io.ErrUnexpectedEOF", err)
			}
		})
	}
}

func TestHTTP1OriginTakenForHTTP2(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
		io.Copy(io.Discard, c)
	}()
	p := h2Pool(t, "http://"+l.Addr().String())
	// It depends on what net/http notices first.
	if _, _, err := fetch(p, get("/")); kindOf(err) != KindGarbage && kindOf(err) != KindClosed {
		t.Errorf("%v", err)
	}
	l.Close()
	p.Close()
	<-done
}

func TestCancelledHTTP2Exchange(t *testing.T) {
	began := make(chan struct{}, 1)
	p := h2Pool(t, serveHTTP2(t, func(h2Origin, uint32) { began <- struct{}{} }))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-began
		cancel()
	}()
	_, err := p.Do(ctx, get("/"))
	wantKind(t, err, KindCanceled)
	if s := p.Status()[0]; s.InFlight != 0 || s.Failures != 0 {
		t.Errorf("status %+v", s)
	}
}
