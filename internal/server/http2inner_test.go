package server

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// relayFor returns a relay without an inner server, and its client's end.
func relayFor(t testing.TB, site FastHandler) (*http2Conn, net.Conn) {
	t.Helper()
	s, err := New(Config{HTTP: []string{":0"}, Handler: http.NotFoundHandler(), Fast: site})
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := net.Pipe()
	t.Cleanup(func() { theirs.Close(); ours.Close() })
	return s.newHTTP2Conn(ours, nil), theirs
}

// sink is a connection that takes everything, and has nothing to read.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) { return s.Buffer.Write(p) }
func (s *sink) Read([]byte) (int, error)    { return 0, io.EOF }

func (s *sink) frames(t *testing.T) (all []frameHeader) {
	t.Helper()
	for b := s.Bytes(); len(b) > 0; {
		f := parseFrameHeader(b)
		all = append(all, f)
		b = b[frameHeaderSize+f.length:]
	}
	s.Reset()
	return all
}

func data(stream uint32, flags uint8, n int) []byte {
	f := frameHeader{length: n, kind: frameData, flags: flags, stream: stream}
	return append(appendFrameHeader(nil, f), make([]byte, n)...)
}

// What was promised to the inner server before the window was used up is held,
// in the order of each stream, and no more than that.
func TestHTTP2HoldsWhatWasPromised(t *testing.T) {
	h, c := relayFor(t, &site{})
	defer c.Close()
	to := &sink{Conn: h.Conn}
	h.Conn = to
	o := &h.out
	o.begin(1, true)
	o.begin(3, true)
	o.mu.windows.conn = 0
	for range 3 {
		h.Write(data(1, 0, 10_000))
	}
	h.Write(data(3, flagEndStream, 0)) // needs no window
	h.Write(data(1, flagEndStream, 5))
	if got := to.frames(t); len(got) != 1 || got[0].stream != 3 {
		t.Errorf("sent without a window: %v", got)
	}
	o.widen(10_001)
	o.flush()
	if got := to.frames(t); len(got) != 2 || got[0].length != 10_000 || got[1].length != 1 {
		t.Errorf("%v", got)
	}
	o.widen(1 << 20)
	o.flush()
	if got := to.frames(t); len(got) != 3 || got[0].length != 9_999 || !got[2].has(flagEndStream) {
		t.Errorf("%v", got)
	}
	if len(o.mu.held)+len(o.mu.streams) > 0 || o.open.Load() != 0 {
		t.Errorf("%d bytes and %d streams are left", len(o.mu.held), len(o.mu.streams))
	}

	o.begin(5, true)
	o.mu.windows.conn = 0
	var err error
	sent := 0
	for ; err == nil && sent <= 2*maxHeld; sent++ {
		_, err = h.Write(data(5, 0, 1))
	}
	if err != errHeldTooMuch || len(o.mu.held) > maxHeld {
		t.Errorf("%d bytes are held after %d: %v", len(o.mu.held), sent, err)
	}
}

// Streams that GOAWAY covers, although the inner server has not looked at them,
// are refused by name.
func TestHTTP2RefusesWhatGoAwayCovers(t *testing.T) {
	h, c := relayFor(t, &site{})
	defer c.Close()
	to := &sink{Conn: h.Conn}
	h.Conn = to
	for stream := uint32(1); stream < 9; stream += 2 {
		h.out.begin(stream, true)
	}
	h.out.offered(9)
	h.Write(appendGoAway(nil, 3, errorNone))
	h.out.begin(9, true) // declined after all
	h.out.begin(11, true)
	h.out.flush()
	var got []string
	fr := http2.NewFramer(nil, &to.Buffer)
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			break
		}
		switch f := f.(type) {
		case *http2.GoAwayFrame:
			if f.LastStreamID != 9 {
				t.Errorf("the last stream is %d", f.LastStreamID)
			}
		case *http2.RSTStreamFrame:
			if f.ErrCode != http2.ErrCodeRefusedStream {
				t.Errorf("%v", f)
			}
			got = append(got, f.Header().String())
		}
	}
	if len(got) != 3 || h.out.open.Load() != 2 {
		t.Errorf("refused: %v; %d streams go on", got, h.out.open.Load())
	}
}

// The inner server's frames are found in pieces of any size.
func TestHTTP2InnerFramesInPieces(t *testing.T) {
	var wire []byte
	for i := range 200 {
		wire = append(wire, data(uint32(i), 0, i*i)...)
	}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	var i innerFrames
	var got []byte
	for rest := wire; len(rest) > 0; {
		n := min(1+rnd.IntN(5000), len(rest))
		piece := rest[:n]
		rest = rest[n:]
		for len(piece) > 0 {
			var frame []byte
			frame, piece = i.next(piece)
			got = append(got, frame...)
		}
	}
	if !bytes.Equal(got, wire) {
		t.Errorf("seed %d: %d bytes became %d", seed, len(wire), len(got))
	}
}

// FuzzHTTP2Read holds that nothing a client sends panics, is kept without bound,
// or makes the relay pass on less or more than frames.
func FuzzHTTP2Read(f *testing.F) {
	seed := func(build func(fr *http2.Framer, block []byte)) {
		var b, text bytes.Buffer
		enc := hpack.NewEncoder(&text)
		for _, s := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/hit/9"}, {"x", "y"}} {
			enc.WriteField(hpack.HeaderField{Name: s[0], Value: s[1]})
		}
		fr := http2.NewFramer(&b, nil)
		fr.AllowIllegalWrites = true
		fr.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 10})
		build(fr, text.Bytes())
		f.Add(b.Bytes())
	}
	seed(func(fr *http2.Framer, block []byte) {
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndStream: true, EndHeaders: true})
		fr.WriteWindowUpdate(1, 5)
		fr.WriteRSTStream(1, 0)
	})
	seed(func(fr *http2.Framer, block []byte) {
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:3], PadLength: 7, Priority: http2.PriorityParam{StreamDep: 1, Weight: 3}})
		fr.WriteContinuation(1, true, block[3:])
		fr.WriteData(1, true, []byte("hello"))
	})
	seed(func(fr *http2.Framer, block []byte) {
		fr.WritePing(false, [8]byte{})
		fr.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
		fr.WriteWindowUpdate(0, 1<<30)
		fr.WriteRawFrame(99, 1, 3, []byte("unknown"))
		fr.WriteGoAway(1, 0, nil)
	})
	f.Fuzz(func(t *testing.T, wire []byte) {
		h, c := relayFor(t, &site{})
		defer c.Close()
		h.Conn = &script{sink: sink{Conn: h.Conn}, rest: wire}
		h.passing = 0
		h.Write(appendFrameHeader(nil, frameHeader{kind: frameSettings}))
		passed := 0
		for buf := make([]byte, 300); ; {
			n, err := h.Read(buf)
			if passed += n; err != nil {
				break
			}
			if n == 0 {
				t.Fatal("nothing was read")
			}
		}
		if passed > 40*len(wire)+(1<<16) {
			t.Errorf("%d bytes became %d", len(wire), passed)
		}
		if cap(h.block.fields) > 1<<16 || h.in.len() > 2*pooledSize {
			t.Errorf("%d fields and %d bytes are kept", cap(h.block.fields), h.in.len())
		}
	})
}

// script is a connection on which a given text comes.
type script struct {
	sink
	rest []byte
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
