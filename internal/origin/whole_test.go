package origin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// made is a response as an origin sends it.
type made struct {
	method string
	wire   string
	body   string
	framed bool // its end can be told from a cut
}

// randomResponse makes a valid response with a body of up to some inlets.
func randomResponse(rng *rand.Rand) made {
	m := made{method: "GET", framed: true}
	body := make([]byte, []int{0, rng.IntN(10), rng.IntN(3000), rng.IntN(3 * inletSize)}[rng.IntN(4)])
	for i := range body {
		body[i] = "abc\r\n0"[rng.IntN(6)]
	}
	var head strings.Builder
	for range rng.IntN(3) {
		fmt.Fprintf(&head, "HTTP/1.1 103 Early\r\nLink: %d\r\n\r\n", rng.Int())
	}
	status := []int{200, 200, 200, 404, 204, 304}[rng.IntN(6)]
	fmt.Fprintf(&head, "HTTP/1.1 %d X\r\nA: %s\r\n", status, strings.Repeat("a", rng.IntN(2*inletSize)))
	if rng.IntN(4) == 0 {
		m.method = http.MethodHead
	}
	if m.method != http.MethodHead && status == 204 {
		m.wire = head.String() + "\r\n"
		return m
	}
	if m.method == http.MethodHead || status == 304 {
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(body))
		m.wire = head.String()
		return m
	}
	m.body = string(body)
	switch rng.IntN(3) {
	case 0:
		m.wire = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", &head, len(body), body)
	case 1:
		m.wire = head.String() + "Transfer-Encoding: chunked\r\n\r\n"
		for _, piece := range cut(rng, body) {
			m.wire += fmt.Sprintf("%x%s\r\n%s\r\n", len(piece), strings.Repeat(" ", rng.IntN(3)), piece)
		}
		m.wire += "0\r\n" + []string{"", "T: x\r\n"}[rng.IntN(2)] + "\r\n"
	default:
		m.framed = false
		m.wire = head.String() + "\r\n" + string(body)
	}
	return m
}

// deliver sends a response in random pieces, with delays or without, and stops
// before byte end.
func (m made) deliver(c *fakeConn, rng *rand.Rand, delays bool, end int) {
	left := 50 * time.Second // less than what an origin has for a head
	for _, piece := range cut(rng, []byte(m.wire[:end])) {
		if delays && rng.IntN(3) == 0 {
			d := time.Duration(rng.Int64N(int64(left)))
			left -= d
			pause(d)
		}
		if _, err := c.Write(piece); err != nil {
			return
		}
	}
}

// read reads a response with a buffer of a random size.
func read(p *Pool, rng *rand.Rand, method string) (*Response, string, error) {
	r := get("/")
	r.Method = method
	res, err := p.Do(context.Background(), r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	var got bytes.Buffer
	_, err = io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{res.Body}, make([]byte, 1+rng.IntN(inletSize)))
	return res, got.String(), err
}

// TestWholeOrAnError delivers random responses, cut anywhere and delayed: what
// comes back is the whole body or an error, and never a short success. What is
// not cut succeeds, and its connection serves the next.
func TestWholeOrAnError(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, network := range []string{"memory", "TCP"} {
		t.Run(network, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			for range 300 {
				m := randomResponse(rng)
				end := len(m.wire)
				if rng.IntN(2) == 0 {
					end = rng.IntN(end)
				}
				if network == "TCP" {
					tryResponse(t, overSockets(), rng, m, end, false)
				} else {
					synctest.Test(t, func(t *testing.T) {
						tryResponse(t, newFakeNet(), rng, m, end, true)
						pause(time.Minute) // until the origin notices
					})
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

func tryResponse(t *testing.T, f *fakeNet, rng *rand.Rand, m made, end int, delays bool) {
	sending := rand.New(rand.NewPCG(rng.Uint64(), 0))
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for c.head() != "" {
			m.deliver(c, sending, delays, end)
			if end < len(m.wire) || !m.framed {
				return
			}
		}
	})
	p, err := New(Config{Origins: []Endpoint{{URL: "http://192.0.2.1"}}, Dial: f.dial, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 2 {
		res, body, err := read(p, rng, m.method)
		switch {
		case end == len(m.wire) && err != nil:
			t.Errorf("%s %.300q: %v", m.method, m.wire, err)
		case err == nil && body != m.body && !(res.CloseDelimited && strings.HasPrefix(m.body, body)):
			t.Errorf("%s %.300q up to %d: %q, a short success", m.method, m.wire, end, body)
		case err == nil && end < len(m.wire) && !res.CloseDelimited:
			t.Errorf("%s %.300q up to %d: a success", m.method, m.wire, end)
		case err != nil && !strings.HasPrefix(m.body, body):
			t.Errorf("%s %.300q up to %d: body %q", m.method, m.wire, end, body)
		}
	}
	if n := len(f.dialled()); m.framed && end == len(m.wire) && n != 1 {
		t.Errorf("%s %.300q: %d connections for two requests", m.method, m.wire, n)
	}
}
