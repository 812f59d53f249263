package origin

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// scanned is what an inlet found, up to the final head.
type scanned struct {
	final head
	done  bool
	err   error
	rest  string // what follows the final head
}

// scanAll puts pieces into an inlet, as an exchange does.
func scanAll(limit int, pieces ...[]byte) (s scanned) {
	var in inlet
	in.open()
	defer in.close()
	for _, p := range pieces {
		for len(p) > 0 && !s.done && s.err == nil {
			n := copy(in.room(limit), p)
			in.more(n)
			p = p[n:]
			for ok := true; ok && !s.done; {
				var h head
				h, ok, s.err = in.head(limit)
				s.done = ok && !h.interim()
				if s.done {
					s.final = h
				}
			}
		}
		if s.done {
			s.rest += string(in.bytes()) + string(p)
			in.take(in.len())
		}
	}
	return s
}

func TestInterimHeadsComeFirst(t *testing.T) {
	s := scanAll(100, []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\nA: b\n\nHTTP/1.0 404 Not Found\r\nC: d\r\n\r\nbody\r\n\r\n"))
	if !s.done || s.err != nil || s.final.status != 404 || s.final.minor != 0 || s.rest != "body\r\n\r\n" {
		t.Fatalf("%+v", s)
	}
	if want := (field.Fields{{Name: "C", Value: "d"}}); !slices.Equal(s.final.fields, want) {
		t.Errorf("fields %q", s.final.fields)
	}
}

func TestLimitIsOfOneHead(t *testing.T) {
	line := "HTTP/1.1 200 OK\r\n"
	head := line + "A: " + strings.Repeat("x", 100-len(line)-len("A: \r\n\r\n")) + "\r\n\r\n"
	for limit, ok := range map[int]bool{100: true, 99: false} {
		s := scanAll(limit, []byte("HTTP/1.1 103 E\r\nB: c\r\n\r\n"), []byte(head))
		if s.done != ok || errors.Is(s.err, errHeadTooLarge) == ok {
			t.Errorf("limit %d for %d bytes: done %v, %v", limit, len(head), s.done, s.err)
		}
	}
}

func TestStatusLines(t *testing.T) {
	for line, status := range map[string]int{
		"HTTP/1.1 200 OK": 200, "HTTP/1.1 200 ": 200, "HTTP/1.1 200": 200, "HTTP/1.0 301 Moved  Far": 301,
		"HTTP/1.1 200 caf\xc3\xa9": 200, "HTTP/1.7 200 OK": 200, "HTTP/1.1 999 x": 999,
		"HTTP/1.1 20": 0, "HTTP/1.1 2000": 0, "HTTP/1.1 2x0 OK": 0, "HTTP/1.1  200 OK": 0, "HTTP/1.10 200 OK": 0,
		"HTTP/2 200": 0, "http/1.1 200 OK": 0, "HTTP/1.1 099 x": 0, "HTTP/1.1 200 a\x00": 0, "": 0, "ICY 200 OK": 0,
		" HTTP/1.1 200 OK": 0, "HTTP/1.1 200\tOK": 0, "HTTP/1.x 200 OK": 0, "HTTP/1.1 -20 OK": 0,
	} {
		h, err := parseHead([]byte(line + "\r\n\r\n"))
		if h.status != status || (err == nil) != (status != 0) {
			t.Errorf("%q: status %d, %v", line, h.status, err)
		}
	}
}

// FuzzHeads holds that pieces do not matter, that nothing past the limit is
// kept, and that a head which net/http accepts too says the same to both.
func FuzzHeads(f *testing.F) {
	for _, s := range []string{
		simple, "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 103 E\r\nLink: a\r\n\r\n" + simple, "\r\n\r\n", "HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA:b\r\na: c\r\n:\r\n\r\n", "HTTP/1.1 101 S\r\nUpgrade: x\r\n\r\nraw", "HTTP/1.1 200 OK\r\r\n\r\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: \xff\x80\tb \t\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		f.Add([]byte(s), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		const limit = 1000
		whole := scanAll(limit, data)
		rng := rand.New(rand.NewPCG(seed, 0))
		split := scanAll(limit, cut(rng, data)...)
		if whole.rest != split.rest || whole.done != split.done || (whole.err == nil) != (split.err == nil) || whole.final.status != split.final.status ||
			!slices.Equal(whole.final.fields, split.final.fields) || whole.final.ambiguity != split.final.ambiguity {
			t.Fatalf("whole %+v, in pieces %+v", whole, split)
		}
		if whole.done {
			compareWithNetHTTP(t, data, whole.final)
		}
	})
}

func compareWithNetHTTP(t *testing.T, data []byte, h head) {
	r := bufio.NewReader(bytes.NewReader(data))
	res, err := http.ReadResponse(r, nil)
	for err == nil && res.StatusCode < 200 && res.StatusCode != 101 {
		res, err = http.ReadResponse(r, nil)
	}
	if err != nil {
		return // it is refused later, as garbage
	}
	if res.StatusCode != h.status {
		t.Fatalf("status %d, to net/http %d", h.status, res.StatusCode)
	}
	theirs := sortedFields(res.Header)
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer"} {
		theirs = theirs.Without(name) // net/http edits these
	}
	ours := make(http.Header)
	for _, f := range h.fields {
		if !field.EqualFold(f.Name, "Content-Length") && !field.EqualFold(f.Name, "Transfer-Encoding") && !field.EqualFold(f.Name, "Trailer") {
			ours.Add(f.Name, f.Value)
		}
	}
	// net/http adds Cache-Control where there is only Pragma.
	if ours.Get("Cache-Control") == "" && ours.Get("Pragma") == "no-cache" {
		theirs = theirs.Without("Cache-Control")
		ours.Del("Cache-Control")
	}
	if !slices.Equal(sortedFields(ours), theirs) {
		t.Fatalf("fields %q, to net/http %q", sortedFields(ours), theirs)
	}
}
