package server

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rescind-edge/rescind/internal/field"
)

// site answers the same requests by either way. Below /hit it is simple: content
// of as many bytes as the next segment says. "/hit-else" is declined.
type site struct {
	http.Handler // of what is not below /hit
	offered      func(*FastRequest)
	slow         bool // declines everything
}

func (s *site) content(target string) (body []byte, ok bool) {
	name, ok := strings.CutPrefix(target, "/hit/")
	if !ok {
		return nil, false
	}
	name, _, _ = strings.Cut(name, "/")
	n, err := strconv.Atoi(name)
	return bytes.Repeat([]byte(target), n/len(target)+1)[:max(n, 0)], err == nil
}

func (s *site) fields(body []byte) field.Fields {
	return field.Fields{
		{Name: "Content-Type", Value: "text/plain"}, {Name: "X-Site", Value: "one"}, {Name: "Vary", Value: "Accept"},
		{Name: "Date", Value: "Sat, 01 Jan 2000 00:00:00 GMT"}, {Name: "Content-Length", Value: strconv.Itoa(len(body))},
	}
}

func (s *site) ServeFast(w FastWriter, r *FastRequest) bool {
	if s.offered != nil {
		s.offered(r)
	}
	body, ok := s.content(r.Target)
	if !ok || s.slow || r.Method == "GET" && r.Room > 0 && int64(len(body)) > r.Room {
		return false
	}
	content := [][]byte{body[:len(body)/3], nil, body[len(body)/3:]}
	if r.Method == "HEAD" {
		content = nil
	}
	w.SendFields(200, append(s.fields(body), field.Field{Name: "X-Cookie", Value: cookieOf(r)}), content)
	return true
}

func cookieOf(r *FastRequest) string {
	v, _ := r.Fields.Get("Cookie")
	return v
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, ok := s.content(r.RequestURI)
	if !ok || r.Method != "GET" && r.Method != "HEAD" {
		s.Handler.ServeHTTP(w, r)
		return
	}
	for _, f := range s.fields(body) {
		w.Header().Add(f.Name, f.Value)
	}
	w.Header().Set("X-Cookie", r.Header.Get("Cookie"))
	w.Write(body)
}

// startSite runs a Server with a site, which answers simple requests fast or not.
func startSite(t *testing.T, tcp bool, cfg Config, fast bool, h http.HandlerFunc) *fixture {
	t.Helper()
	s := &site{Handler: h}
	if h == nil {
		s.Handler = http.NotFoundHandler()
	}
	cfg.Handler = s
	if fast {
		cfg.Fast = s
	}
	return start(t, tcp, cfg)
}

// peer2 is a client that speaks HTTP/2 frame by frame. A goroutine reads what
// comes; it grants no window by itself.
type peer2 struct {
	t      *testing.T
	net    net.Conn
	frames *http2.Framer // for writing
	block  bytes.Buffer
	enc    *hpack.Encoder
	dec    *hpack.Decoder
	got    chan received
	next   uint32
	mute   bool // does not answer PING
	writes sync.WaitGroup
}

// received is a frame, or the error that was the last.
type received struct {
	http2.FrameHeader
	payload []byte
	fields  []hpack.HeaderField // of HEADERS
	err     error
}

// speak begins a connection with the given settings.
func (f *fixture) speak(secure bool, settings ...http2.Setting) *peer2 {
	f.t.Helper()
	c := f.greet(secure)
	c.frames.WriteSettings(settings...)
	return c
}

// greet begins a connection with no more than the preface.
func (f *fixture) greet(secure bool) *peer2 {
	f.t.Helper()
	var nc net.Conn
	if secure {
		c, state := f.secure("a.example", "h2")
		if state.NegotiatedProtocol != "h2" {
			f.t.Fatal("no HTTP/2")
		}
		nc = c.Conn
	} else {
		nc = f.connect().Conn
	}
	c := &peer2{t: f.t, net: nc, got: make(chan received, 1<<16), next: 1}
	c.frames = http2.NewFramer(nc, nil)
	c.frames.AllowIllegalWrites = true
	c.enc = hpack.NewEncoder(&c.block)
	c.dec = hpack.NewDecoder(4096, nil)
	done := make(chan struct{})
	go func() { defer close(done); c.read() }()
	f.t.Cleanup(func() { nc.Close(); <-done; c.writes.Wait() })
	io.WriteString(nc, http2Preface)
	return c
}

func (c *peer2) read() {
	fr := http2.NewFramer(io.Discard, c.net)
	var block []byte
	var flags http2.Flags
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			c.got <- received{err: err}
			close(c.got)
			return
		}
		r := received{FrameHeader: f.Header()}
		switch f := f.(type) {
		case *http2.DataFrame:
			r.payload = bytes.Clone(f.Data())
		case *http2.HeadersFrame:
			flags = r.Flags
			block = append(block[:0], f.HeaderBlockFragment()...)
			if !f.HeadersEnded() {
				continue
			}
		case *http2.ContinuationFrame:
			if block = append(block, f.HeaderBlockFragment()...); !f.HeadersEnded() {
				continue
			}
			r.Type, r.Flags = http2.FrameHeaders, flags
		case *http2.SettingsFrame:
			f.ForeachSetting(func(s http2.Setting) error { r.payload = fmt.Append(r.payload, s, " "); return nil })
		case *http2.GoAwayFrame:
			r.payload = fmt.Appendf(nil, "%d %v", f.LastStreamID, f.ErrCode)
		case *http2.RSTStreamFrame:
			r.payload = []byte(f.ErrCode.String())
		case *http2.PingFrame:
			r.payload = bytes.Clone(f.Data[:])
			if !f.IsAck() && !c.mute {
				pong := append(appendFrameHeader(nil, frameHeader{length: 8, kind: 6, flags: flagAck}), f.Data[:]...)
				c.writes.Go(func() { c.net.Write(pong) })
			}
		}
		if r.Type == http2.FrameHeaders {
			if r.fields, err = c.dec.DecodeFull(block); err != nil {
				c.got <- received{err: fmt.Errorf("decoding a header block: %w", err)}
				close(c.got)
				return
			}
		}
		c.got <- r
	}
}

// encode returns a header block of the given names and values, in turn.
func (c *peer2) encode(fields ...string) []byte {
	c.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return c.block.Bytes()
}

func pseudo(method, path string, more ...string) []string {
	return append([]string{":method", method, ":scheme", "http", ":authority", "a.example", ":path", path}, more...)
}

// ask sends a request without a body and returns its stream.
func (c *peer2) ask(fields ...string) uint32 { return c.open(true, fields...) }

func (c *peer2) get(path string) uint32 { return c.ask(pseudo("GET", path)...) }

// open begins a stream.
func (c *peer2) open(end bool, fields ...string) uint32 {
	id := c.next
	c.next += 2
	var flags uint8
	if end {
		flags = flagEndStream
	}
	c.net.Write(appendBlock(nil, id, flags, c.encode(fields...)))
	return id
}

// answer is a response as its client sees it.
type answer struct {
	fields  []string // of all blocks: "name: value", in an order of their own
	body    string
	trailer []string
	reset   string
	done    bool
}

func (a answer) String() string {
	body := a.body
	if len(body) > 100 {
		body = body[:100] + "..." + strconv.Itoa(len(body))
	}
	return fmt.Sprintf("%q %q %q reset %q", a.fields, body, a.trailer, a.reset)
}

// until reads frames until stop says so, or the connection ends.
func (c *peer2) until(stop func(received) bool) error {
	for r := range c.got {
		if r.err != nil {
			return r.err
		}
		if stop(r) {
			return nil
		}
	}
	return io.ErrClosedPipe
}

// answers reads until each of the streams has ended. What is read of content is
// given back to the windows at once, where that is asked for.
func (c *peer2) answers(refill bool, streams ...uint32) map[uint32]*answer {
	c.t.Helper()
	all := make(map[uint32]*answer)
	for _, id := range streams {
		all[id] = &answer{}
	}
	left := len(streams)
	err := c.until(func(r received) bool {
		a := all[r.StreamID]
		if r.Type == http2.FrameGoAway {
			c.t.Logf("GOAWAY %s", r.payload)
		}
		if a == nil {
			return left == 0
		}
		switch r.Type {
		case http2.FrameHeaders:
			behind := len(a.body) > 0 || r.Flags.Has(http2.FlagHeadersEndStream) && len(a.fields) > 0
			for _, f := range r.fields {
				line := f.Name + ": " + f.Value
				if behind {
					a.trailer = append(a.trailer, line)
				} else {
					a.fields = append(a.fields, line)
				}
			}
		case http2.FrameData:
			a.body += string(r.payload)
			if refill && len(r.payload) > 0 {
				c.frames.WriteWindowUpdate(0, uint32(len(r.payload)))
				c.frames.WriteWindowUpdate(r.StreamID, uint32(len(r.payload)))
			}
		case http2.FrameRSTStream:
			a.reset = string(r.payload)
		default:
			return false
		}
		if !a.done && (a.reset != "" || r.Flags.Has(http2.FlagDataEndStream)) {
			a.done = true
			left--
		}
		return left == 0
	})
	if left > 0 {
		c.t.Errorf("%d of %d streams did not end: %v: %v", left, len(streams), err, all)
	}
	for _, a := range all {
		slices.Sort(a.fields)
		slices.Sort(a.trailer)
	}
	return all
}

// goneAway reads until the connection has ended and returns what GOAWAY said.
func (c *peer2) goneAway() string {
	said := "nothing"
	c.until(func(r received) bool {
		if r.Type == http2.FrameGoAway {
			said = string(r.payload)
		}
		return false
	})
	return said
}

// wantHits checks how many requests were answered without net/http.
func (f *fixture) wantHits(n uint64, handled uint64) {
	f.t.Helper()
	if got := f.Stats().HTTP2Requests; got != n+handled {
		f.t.Errorf("%d requests counted, want %d", got, n+handled)
	}
}

func newPeerEncoder(c *peer2) *hpack.Encoder { return hpack.NewEncoder(&c.block) }
