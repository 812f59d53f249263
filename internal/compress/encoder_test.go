package compress

import (
	"bytes"
	stdgzip "compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/rescind-edge/rescind/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// decoder decodes with what is not ours, and zstd no further than browsers do.
func decoder(t testing.TB, r io.Reader, enc Encoding) io.Reader {
	t.Helper()
	var d io.Reader = r
	var err error
	switch enc {
	case Gzip:
		d, err = stdgzip.NewReader(r)
	case Brotli:
		d = brotli.NewReader(r)
	case Zstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err == nil {
			t.Cleanup(z.Close)
		}
		d = z
	}
	if err != nil {
		t.Fatalf("%v: %v", enc, err)
	}
	return d
}

func mustEncode(t testing.TB, p *Pool, dst io.Writer, enc Encoding) *Encoder {
	t.Helper()
	e, err := p.Encode(dst, enc)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// body makes a body that repeats itself as much as the dice say.
func body(dice *rand.Rand) []byte {
	b := make([]byte, 0, 600_000)
	for n := dice.IntN(500_000) >> dice.IntN(20); len(b) < n; {
		if len(b) > 100 && dice.IntN(3) > 0 {
			from := dice.IntN(len(b) - 50)
			b = append(b, b[from:from+50]...)
		} else {
			b = fmt.Appendf(b, "<p>%x</p>", dice.Uint32())
		}
	}
	return b
}

// Whatever is written, in whatever pieces, with encoders that have been used,
// aborted and flushed before, is read.
func TestWhatIsEncodedIsDecoded(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	p := NewPool(0)
	for i := range 120 {
		enc := Encoding(i) % encodings
		want := body(dice)
		var out bytes.Buffer
		e := mustEncode(t, p, &out, enc)
		abort := dice.IntN(8) == 0
		for rest := want; len(rest) > 0; {
			n, err := e.Write(rest[:1+dice.IntN(len(rest))])
			if err != nil {
				t.Fatalf("%v: %v", enc, err)
			}
			rest = rest[n:]
			if dice.IntN(3) == 0 {
				if err := e.Flush(); err != nil {
					t.Fatalf("%v: %v", enc, err)
				}
			}
		}
		if abort {
			e.Abort()
			continue
		}
		if err := e.Close(); err != nil {
			t.Fatalf("%v: %v", enc, err)
		}
		got, err := io.ReadAll(decoder(t, &out, enc))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %d bytes became %d, %v", enc, len(want), len(got), err)
		}
	}
	if n := p.inUse.Load(); n != 0 {
		t.Errorf("%d encoders are still in use", n)
	}
}

func TestAnEmptyBodyIsWhole(t *testing.T) {
	for enc := range encodings {
		var out bytes.Buffer
		if err := mustEncode(t, NewPool(0), &out, enc).Close(); err != nil {
			t.Error(err)
		}
		if enc != Identity && out.Len() == 0 {
			t.Errorf("%v: nothing was written", enc)
		}
		if got, err := io.ReadAll(decoder(t, &out, enc)); err != nil || len(got) > 0 {
			t.Errorf("%v: %q %v", enc, got, err)
		}
	}
}

// After Flush the receiver can read all that was written, although more comes.
func TestFlushedBytesArrive(t *testing.T) {
	for enc := range encodings {
		in, out := io.Pipe()
		e := mustEncode(t, NewPool(0), out, enc)
		var writer sync.WaitGroup
		writer.Go(func() {
			io.WriteString(e, "first")
			if err := e.Flush(); err != nil {
				t.Errorf("%v: %v", enc, err)
			}
		})
		got := make([]byte, 5)
		d := decoder(t, in, enc)
		if _, err := io.ReadFull(d, got); err != nil || string(got) != "first" {
			t.Errorf("%v: %q %v", enc, got, err)
		}
		writer.Wait()
		in.Close()
		e.Abort()
	}
}

// A body that was cut must not look whole.
func TestAbortedBodiesAreBroken(t *testing.T) {
	for _, enc := range all {
		var out bytes.Buffer
		e := mustEncode(t, NewPool(0), &out, enc)
		io.WriteString(e, strings.Repeat("half of it ", 100))
		e.Flush()
		before := out.Len()
		e.Abort()
		e.Abort()
		if out.Len() != before {
			t.Errorf("%v: %d bytes were written by Abort", enc, out.Len()-before)
		}
		if _, err := io.ReadAll(decoder(t, &out, enc)); err == nil {
			t.Errorf("%v: it looks whole", enc)
		}
	}
}

func TestClosedEncodersDoNothing(t *testing.T) {
	for enc := range encodings {
		e := mustEncode(t, NewPool(0), io.Discard, enc)
		e.Close()
		_, err := e.Write([]byte("x"))
		for _, err := range []error{err, e.Flush(), e.Close()} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%v: %v", enc, err)
			}
		}
		e.Abort()
	}
}

// broken takes a few bytes and fails.
type broken struct{ left int }

var errBroken = errors.New("the client has left")

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

// Who receives fails, and the encoder is as good as new for the next.
func TestAFailingReceiverSpoilsNothing(t *testing.T) {
	p := NewPool(1)
	dice := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(dice.Uint32())
	}
	for _, enc := range all {
		for _, left := range []int{0, 100, 100_000} {
			e := mustEncode(t, p, &broken{left}, enc)
			_, err := e.Write(noise)
			if err := errors.Join(err, e.Close()); !errors.Is(err, errBroken) {
				t.Errorf("%v: %v", enc, err)
			}
			var out bytes.Buffer
			e = mustEncode(t, p, &out, enc)
			io.WriteString(e, "hello")
			e.Close()
			if got, err := io.ReadAll(decoder(t, &out, enc)); string(got) != "hello" {
				t.Errorf("%v: %q %v", enc, got, err)
			}
		}
	}
}

func TestNoMoreEncodersThanAllowed(t *testing.T) {
	p := NewPool(2)
	first, second := mustEncode(t, p, io.Discard, Gzip), mustEncode(t, p, io.Discard, Zstd)
	if _, err := p.Encode(io.Discard, Brotli); !errors.Is(err, ErrBusy) {
		t.Errorf("a third: %v", err)
	}
	mustEncode(t, p, io.Discard, Identity).Close()
	if _, err := p.Encode(io.Discard, Identity); err != nil {
		t.Errorf("identity: %v", err)
	}
	first.Close()
	first.Abort() // counts once
	mustEncode(t, p, io.Discard, Brotli).Close()
	second.Abort()
	if n := p.inUse.Load(); n != 0 {
		t.Errorf("%d encoders are in use", n)
	}
	if _, err := p.Encode(io.Discard, 99); err == nil {
		t.Error("a coding that does not exist")
	}
}

func TestManyAtOnce(t *testing.T) {
	p := NewPool(8)
	want := []byte(strings.Repeat("many hands make light work; ", 3000))
	var workers sync.WaitGroup
	for i := range 8 {
		workers.Go(func() {
			for j := range 5 {
				enc := all[(i+j)%len(all)]
				var out bytes.Buffer
				e, err := p.Encode(&out, enc)
				if err != nil {
					t.Error(err)
					return
				}
				e.Write(want)
				e.Close()
				if got, err := io.ReadAll(decoder(t, &out, enc)); !bytes.Equal(got, want) {
					t.Errorf("%v: %d bytes, %v", enc, len(got), err)
				}
			}
		})
	}
	workers.Wait()
}

func BenchmarkEncode(b *testing.B) {
	page := body(rand.New(rand.NewPCG(7, 7)))
	p := NewPool(0)
	for _, enc := range all {
		b.Run(enc.String(), func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				e := mustEncode(b, p, io.Discard, enc)
				e.Write(page)
				e.Close()
			}
		})
	}
}
