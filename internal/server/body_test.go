package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/event"
)

const chunkedPost = post + "Transfer-Encoding: chunked\r\n\r\n"

var refusedBodies = []struct {
	name   string
	body   string
	reason event.RefusedReason
}{
	{"no size", "\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"not hexadecimal", "5x\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"0x", "0x5\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"sign", "+5\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"minus", "-5\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"space before the size", " 5\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"space after the size", "5 \r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"size over 63 bits", "8000000000000000\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"bare LF after the size", "5\nhello\r\n0\r\n\r\n", event.RefusedBareLF},
	{"bare CR after the size", "5\rhello\r\n0\r\n\r\n", event.RefusedBareCR},
	{"extension without semicolon", "5 a=b\r\nhello\r\n0\r\n\r\n", event.RefusedChunkSize},
	{"bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n", event.RefusedBareLF},
	{"bare CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n", event.RefusedBareCR},
	{"NUL in an extension", "5;a\x00\r\nhello\r\n0\r\n\r\n", event.RefusedChunkExtension},
	{"long extension", "5;" + strings.Repeat("a", maxLineExtension) + "\r\nhello\r\n0\r\n\r\n", event.RefusedExtensionsSize},
	{"many extensions", strings.Repeat("1;"+strings.Repeat("a", 200)+"\r\nx\r\n", 100) + "0\r\n\r\n", event.RefusedExtensionsSize},
	{"data longer than its size", "4\r\nhello\r\n0\r\n\r\n", event.RefusedChunkEnd},
	{"bare LF after the data", "5\r\nhello\n0\r\n\r\n", event.RefusedChunkEnd},
	{"CR CR after the data", "5\r\nhello\r\r0\r\n\r\n", event.RefusedChunkEnd},
	{"bare LF at the end", "0\r\n\n", event.RefusedBareLF},
	{"bare LF for the last chunk", "0\n\r\n", event.RefusedBareLF},
	{"length in a trailer", "0\r\nContent-Length: 5\r\n\r\n", event.RefusedTrailer},
	{"coding in a trailer", "0\r\ntransfer-encoding: chunked\r\n\r\n", event.RefusedTrailer},
	{"Host in a trailer", "0\r\nHost: b.example\r\n\r\n", event.RefusedTrailer},
	{"folded trailer", "0\r\nX: y\r\n z\r\n\r\n", event.RefusedFolding},
	{"space before a trailer's colon", "0\r\nX : y\r\n\r\n", event.RefusedSpaceBeforeColon},
	{"a request for a trailer", "0\r\nGET /smuggled HTTP/1.1\r\n\r\n", event.RefusedInvalidFieldName},
	{"bare LF in a trailer", "0\r\nX: y\n\r\n", event.RefusedBareLF},
	{"bare CR in a trailer", "0\r\nX: y\rz\r\n\r\n", event.RefusedBareCR},
	{"large trailer", "0\r\nX: " + strings.Repeat("y", maxTrailerBytes) + "\r\n\r\n", event.RefusedTrailerTooLarge},
	{"endless trailer", "0\r\n" + strings.Repeat("X: y\r\n", maxTrailerBytes), event.RefusedTrailerTooLarge},
}

func TestMalformedBodiesEndTheConnection(t *testing.T) {
	for _, tc := range refusedBodies {
		for _, size := range []int{0, 1} {
			t.Run(fmt.Sprintf("%s/%d", tc.name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := start(t, false, Config{})
					checkBreach(t, f, tc.body, size, tc.reason)
				})
			})
		}
		t.Run(tc.name+"/TCP", func(t *testing.T) {
			checkBreach(t, start(t, true, Config{}), tc.body, 0, tc.reason)
		})
	}
}

func checkBreach(t *testing.T, f *fixture, body string, size int, reason event.RefusedReason) {
	c := f.connect()
	c.send(chunkedPost+body+smuggled, size)
	if r, _ := c.response(); r.StatusCode != 400 || !r.Close {
		t.Errorf("answered %d, close %v", r.StatusCode, r.Close)
	}
	c.wantEnd()
	if f.handled("/smuggled HTTP") || f.handled("GET /smuggled") || len(f.requests()) != 1 {
		t.Errorf("handled: %q", f.requests())
	}
	refusals := f.refusals()
	if len(refusals) != 1 {
		t.Fatalf("events: %+v", refusals)
	}
	if e := refusals[0]; e.Reason != reason || e.Status != 0 || e.Method != "POST" || e.Target != "/a" {
		t.Errorf("event: %+v", e)
	}
}

// A handler that does not look at the body must not open a hole either.
func TestMalformedBodyThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := start(t, false, Config{Handler: noBody{}})
		c := f.connect()
		c.send(chunkedPost+"5 \r\nhello\r\n0\r\n\r\n"+smuggled, 0)
		if r, body := c.response(); r.StatusCode != 200 || body != "/a" {
			t.Errorf("answered %d %q", r.StatusCode, body)
		}
		c.wantEnd()
		if len(f.refusals()) != 1 {
			t.Errorf("events: %+v", f.refusals())
		}
	})
}

// What a handler reads tells it whose fault it is.
func TestErrorsOfBodies(t *testing.T) {
	for body, want := range map[string]error{
		"5\nhello": ErrFraming,
		"5\r\nhel": os.ErrDeadlineExceeded,
	} {
		synctest.Test(t, func(t *testing.T) {
			got := make(chan error, 1)
			f := start(t, false, Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := io.ReadAll(r.Body)
				got <- err
			})})
			c := f.connect()
			c.send(chunkedPost+body, 0)
			if err := <-got; !errors.Is(err, want) {
				t.Errorf("%q: %v", body, err)
			}
		})
	}
}

func TestGoodBodies(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 20_000)
	for _, tc := range []struct{ name, request, want string }{
		{"one chunk", chunkedPost + "5\r\nhello\r\n0\r\n\r\n", "hello"},
		{"single bytes", chunkedPost + "1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", "hi"},
		{"no chunk", chunkedPost + "0\r\n\r\n", ""},
		{"zeros in front", chunkedPost + "0000000000000005\r\nhello\r\n0000\r\n\r\n", "hello"},
		{"capital digits", chunkedPost + "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
		{"extensions", chunkedPost + "5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n", "hello"},
		{"trailers", chunkedPost + "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n", "hello"},
		{"largest trailer", chunkedPost + "0\r\nX: " + strings.Repeat("y", maxTrailerBytes-len("X: \r\n\r\n")) + "\r\n\r\n", ""},
		{"line ends in the data", chunkedPost + "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
		{"long chunk", chunkedPost + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long), long},
		{"length", post + "Content-Length: 5\r\n\r\nhello", "hello"},
		{"long length", post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(long), long), long},
	} {
		for _, size := range []int{0, 1, 4096} {
			if size == 1 && len(tc.request) > 10_000 {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", tc.name, size), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := start(t, false, Config{})
					c := f.connect()
					// Twice, with others between: each is found where it begins.
					c.send(tc.request+get+"\r\n"+tc.request+get, size)
					for _, want := range []string{"POST /a " + tc.want, "GET /a ", "POST /a " + tc.want, "GET /a "} {
						if r, body := c.response(); r.StatusCode != 200 || body != want {
							t.Fatalf("%d %.100q, want %.100q", r.StatusCode, body, want)
						}
					}
					if len(f.refusals()) > 0 {
						t.Errorf("events: %+v", f.refusals())
					}
				})
			})
		}
	}
}
