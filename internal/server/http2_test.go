package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	"github.com/rescind-edge/rescind/internal/field"
)

// http2Requests are answered alike, whoever answers.
var http2Requests = [][]string{
	pseudo("GET", "/hit/0"),
	pseudo("GET", "/hit/1"),
	pseudo("GET", "/hit/5000"),
	pseudo("HEAD", "/hit/5000"),
	pseudo("GET", "/hit/40000/a%20b?c=%zz"),
	pseudo("GET", "/hit/10", "te", "trailers", "user-agent", "x", "accept", "*/*", "priority", "u=1"),
	pseudo("GET", "/hit/10", "cookie", "a=1", "cookie", "b=2", "accept", "x", "cookie", "c=3"),
	pseudo("GET", "/hit/10", "cookie", ""),
	pseudo("GET", "/hit/10", "x-empty", "", "range", "bytes=0-3"),
	pseudo("GET", "/hit/10", "pragma", "no-cache"),
	pseudo("GET", "/hit/10", "host", "a.example"),
	pseudo("GET", "/hit/10", "host", "A.example"),
	pseudo("GET", "/hit/10", "host", "b.example"),
	pseudo("GET", "/hit/10", "expect", "100-continue"),
	pseudo("GET", "/hit/10", "expect", "tea"),
	pseudo("GET", "/hit/10", "content-length", "0"),
	pseudo("GET", "/hit/10", "content-length", "1"),
	pseudo("GET", "/hit/10", "te", "gzip"),
	pseudo("GET", "/hit/10", "connection", "close"),
	pseudo("GET", "/hit/10", "Upper", "case"),
	pseudo("GET", "/hit/10", "a b", "space"),
	pseudo("GET", "/hit/10", "x", "new\nline"),
	pseudo("GET", "/hit/10", "", "nameless"),
	pseudo("GET", "/hit/10", ":path", "/hit/11"),
	pseudo("GET", "/hit/10", ":unknown", "x"),
	pseudo("GET", "/hit/10", "x", strings.Repeat("y", defaultHeaderBytes)),
	pseudo("GET", "/hit/10/"+strings.Repeat("y", defaultURLBytes)),
	pseudo("GET", "/hit/10#fragment"),
	pseudo("GET", "/hit/10/%zz"),
	pseudo("GET", "*"),
	pseudo("GET", ""),
	pseudo("GET", "hit/10"),
	pseudo("OPTIONS", "*"),
	pseudo("POST", "/hit/10"),
	pseudo("get", "/hit/10"),
	{":method", "GET", ":scheme", "https", ":authority", "a.example", ":path", "/hit/10"},
	{":method", "GET", ":scheme", "http", ":authority", "a_b..example", ":path", "/hit/10"},
	{":method", "GET", ":scheme", "http", "host", "a.example", ":path", "/hit/10"},
	{":method", "GET", ":scheme", "http", ":path", "/hit/10"},
	{":method", "GET", ":authority", "a.example", ":path", "/hit/10"},
	{":scheme", "http", ":authority", "a.example", ":path", "/hit/10"},
	{"accept", "x", ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/hit/10"},
	{":method", "GET", ":scheme", "http", ":authority", "A.EXAMPLE:80", ":path", "/hit/10"},
	{},
}

// Whether simple requests are answered in front of Go's server or by a handler
// on it, clients see the same.
func TestHTTP2AnswersAreTheSame(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var both [2][]string
		for i, fast := range []bool{false, true} {
			var cfg Config
			if secure {
				cfg = tlsConfig(t)
			}
			synctest.Test(t, func(t *testing.T) {
				f := startSite(t, false, cfg, fast, nil)
				for _, fields := range http2Requests {
					fields = append([]string(nil), fields...)
					for j := range fields {
						if secure && j > 0 && fields[j-1] == ":scheme" {
							fields[j] = map[string]string{"http": "https", "https": "http"}[fields[j]]
						}
					}
					c := f.speak(secure)
					a := c.answers(true, c.ask(fields...))[1]
					for k, line := range a.fields {
						if strings.HasPrefix(line, "date: ") {
							a.fields[k] = "date"
						}
					}
					both[i] = append(both[i], a.String())
				}
				if fast {
					f.wantHits(11, f.Stats().HTTP2Requests-11)
				}
			})
		}
		for i := range http2Requests {
			if both[0][i] != both[1][i] {
				t.Errorf("TLS %v %.300q:\n%s\nfast\n%s", secure, http2Requests[i], both[0][i], both[1][i])
			}
		}
	}
}

// everything is a handler that uses what HTTP/2 has.
func everything(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	switch r.URL.Path {
	case "/echo":
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-Declared")
		n, err := io.Copy(w, r.Body)
		w.Header().Set("X-Declared", fmt.Sprint(n, " ", err, " ", r.Trailer.Get("X-Sent")))
		w.Header().Set(http.TrailerPrefix+"X-Late", "late")
	case "/flush":
		for range 5 {
			io.WriteString(w, "part ")
			rc.Flush()
		}
	case "/large":
		w.Write(make([]byte, 300_000))
	case "/abort":
		io.WriteString(w, "begun")
		rc.Flush()
		panic(http.ErrAbortHandler)
	case "/timeout":
		rc.SetWriteDeadline(time.Now().Add(time.Minute))
		for {
			if _, err := w.Write(make([]byte, 10_000)); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
	case "/limited":
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10))
		http.Error(w, fmt.Sprint(err), http.StatusRequestEntityTooLarge)
	case "/wait":
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// What handlers do passes through unchanged, also between hits.
func TestHTTP2RelaysWhatHandlersDo(t *testing.T) {
	var both [2]string
	for i, fast := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := startSite(t, false, Config{}, fast, everything)
			c := f.speak(false)
			var log strings.Builder
			hit := func() { fmt.Fprintln(&log, c.answers(true, c.ask(pseudo("GET", "/hit/70")...))) }

			up := c.open(false, pseudo("POST", "/echo", "trailer", "x-sent")...)
			for range 10 {
				c.frames.WriteData(up, false, bytes.Repeat([]byte("x"), 3000))
				hit()
			}
			c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: up, BlockFragment: c.encode("x-sent", "yes"), EndStream: true, EndHeaders: true})
			for _, path := range []string{"/flush", "/large", "/abort", "/flush"} {
				id := c.get(path)
				if path == "/flush" {
					fmt.Fprintln(&log, c.answers(true, id))
				} else {
					fmt.Fprintln(&log, path, c.answers(true, id)[id])
				}
				hit()
			}
			limited := c.open(false, pseudo("POST", "/limited")...)
			c.frames.WriteData(limited, true, make([]byte, 100))
			fmt.Fprintln(&log, c.answers(true, limited))
			stuck := c.get("/timeout")
			fmt.Fprintln(&log, c.answers(false, stuck)[stuck].reset)
			c.frames.WriteWindowUpdate(0, initialWindow)
			waiting := c.get("/wait")
			c.frames.WriteRSTStream(waiting, http2.ErrCodeCancel)
			hit()
			both[i] = log.String()
		})
	}
	if both[0] != both[1] {
		t.Errorf("without:\n%s\nwith answers in front:\n%s", both[0], both[1])
	}
}

func TestHTTP2ManyStreamsAtATime(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var cfg Config
		scheme := "http"
		if secure {
			cfg, scheme = tlsConfig(t), "https"
		}
		f := startSite(t, true, cfg, true, everything)
		client := f.http2Client(secure)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 40 {
					n := (i*7919 + j*104729) % 100_000
					if (i+j)%3 == 0 {
						body := bytes.Repeat([]byte("b"), n)
						r, err := client.Post(scheme+"://a.example/echo", "", bytes.NewReader(body))
						if err != nil {
							t.Error(err)
							return
						}
						got, err := io.ReadAll(r.Body)
						r.Body.Close()
						if err != nil || !bytes.Equal(got, body) || r.Trailer.Get("X-Late") != "late" {
							t.Errorf("%d bytes echoed as %d, %v, %v", n, len(got), err, r.Trailer)
						}
						continue
					}
					r, err := client.Get(fmt.Sprintf("%s://a.example/hit/%d", scheme, n))
					if err != nil {
						t.Error(err)
						return
					}
					got, err := io.ReadAll(r.Body)
					r.Body.Close()
					if err != nil || len(got) != n || r.Header.Get("X-Site") != "one" {
						t.Errorf("%d bytes of %d, %v", len(got), n, err)
					}
				}
			})
		}
		all.Wait()
	}
}

// A head that does not fit into one frame comes in several.
func TestHTTP2LargeHeads(t *testing.T) {
	large := strings.Repeat("large", 10_000)
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Large", large) }),
			Fast: fastHTTP2(func(w FastWriter, r *FastRequest) bool {
				if r.Target != "/hit" {
					return false
				}
				w.SendFields(299, field.Fields{{Name: "X-Large", Value: large}, {Name: "Connection", Value: "close"}, {Name: "Keep-Alive", Value: "x"}}, nil)
				return true
			}),
		})
		c := f.speak(false)
		for range 2 {
			for _, path := range []string{"/hit", "/else"} {
				id := c.get(path)
				a := c.answers(true, id)[id]
				if got := strings.Join(a.fields, " "); !strings.Contains(got, "x-large: "+large) || strings.Contains(got, "connection") {
					t.Errorf("%s: %v", path, a)
				}
			}
		}
	})
}
