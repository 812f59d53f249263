package compress

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ErrBusy is returned by Encode when as many encoders are in use as there may
// be. The response is then to be sent as it is.
var ErrBusy = errors.New("compress: all encoders are in use")

// ErrClosed is returned by an Encoder that has been closed or aborted.
var ErrClosed = errors.New("compress: encoder is closed")

// DefaultMaxEncoders is how many responses are compressed at a time. An encoder
// holds between 1 and 3 MiB, so these hold 200 MiB at most; and they are more
// than the processors of most hosts can keep busy.
const DefaultMaxEncoders = 64

// The level of each coding is the one from which on more effort gains little.
// Measured on pages and scripts of 80 to 230 KB, on one core:
//
//	gzip 5            2.7 to 3.7 times smaller   110 to 140 MB/s
//	brotli 5          2.9 to 4.1 times smaller    30 to  38 MB/s
//	zstd "default"    2.6 to 3.7 times smaller   140 to 220 MB/s
//
// gzip 9 makes 4 to 6 % less of it at a quarter of the speed or below. Brotli 4
// is 2 to 5 % better than gzip 5 at a third of its speed, which is no bargain;
// 5 is 7 to 12 % better. zstd's next level makes 2 to 4 % less and holds 5 MiB.
//
// The windows are small because memory is multiplied by the number of encoders
// and most pages are shorter. RFC 9659 allows zstd up to 8 MiB.
const (
	gzipLevel     = 5
	brotliQuality = 5
	brotliWindow  = 18 // binary logarithm
	zstdLevel     = zstd.SpeedDefault
	zstdWindow    = 256 << 10
)

// Pool lends encoders and takes them back. It bounds how many are in use; the
// idle ones are left to the garbage collector. Its methods may be called
// concurrently.
type Pool struct {
	max   int64
	inUse atomic.Int64
	idle  [encodings]sync.Pool
}

// NewPool returns a pool of at most so many encoders in use; zero or less for
// DefaultMaxEncoders.
func NewPool(maxEncoders int) *Pool {
	if maxEncoders <= 0 {
		maxEncoders = DefaultMaxEncoders
	}
	return &Pool{max: int64(maxEncoders)}
}

// coder is what the encoders of all codings have in common.
type coder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// Encoder encodes one body. It holds memory until Close or Abort, one of which
// has to be called; it is for one goroutine at a time.
type Encoder struct {
	pool  *Pool
	enc   Encoding
	coder coder // nil when closed
}

// Encode returns an encoder that writes to dst. With Identity it passes
// everything on as it is and counts against no limit. The error is ErrBusy, or
// of a coding that does not exist.
func (p *Pool) Encode(dst io.Writer, enc Encoding) (*Encoder, error) {
	if enc == Identity {
		return &Encoder{pool: p, coder: &plain{dst}}, nil
	}
	if enc >= encodings {
		return nil, fmt.Errorf("compress: no coding %d", enc)
	}
	if p.inUse.Add(1) > p.max {
		p.inUse.Add(-1)
		return nil, ErrBusy
	}
	c, ok := p.idle[enc].Get().(coder)
	if !ok {
		var err error
		if c, err = newCoder(enc); err != nil {
			p.inUse.Add(-1)
			return nil, fmt.Errorf("compress: %w", err)
		}
	}
	c.Reset(dst)
	return &Encoder{pool: p, enc: enc, coder: c}, nil
}

func newCoder(enc Encoding) (coder, error) {
	switch enc {
	case Gzip:
		return gzip.NewWriterLevel(nil, gzipLevel)
	case Brotli:
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: brotliQuality, LGWin: brotliWindow}), nil
	default:
		return zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstdLevel),
			zstd.WithWindowSize(zstdWindow),
			zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderConcurrency(1), // no goroutines of its own
			zstd.WithZeroFrames(true),      // an empty body is a frame too
		)
	}
}

// Write encodes p. What comes of it may stay in the encoder until Flush or
// Close.
func (e *Encoder) Write(p []byte) (int, error) {
	if e.coder == nil {
		return 0, ErrClosed
	}
	return e.coder.Write(p)
}

// Flush writes all that was given so far, so that the receiver can decode it.
// Each call costs some bytes.
func (e *Encoder) Flush() error {
	if e.coder == nil {
		return ErrClosed
	}
	return e.coder.Flush()
}

// Close writes the end of the body and gives the encoder back. It does not
// close what it writes to. A second Close returns ErrClosed.
func (e *Encoder) Close() error {
	if e.coder == nil {
		return ErrClosed
	}
	err := e.coder.Close()
	e.release()
	return err
}

// Abort gives the encoder back without writing more, so that a body that was
// cut does not look whole. After Close it does nothing.
func (e *Encoder) Abort() {
	if e.coder != nil {
		e.release()
	}
}

func (e *Encoder) release() {
	c := e.coder
	e.coder = nil
	if e.enc == Identity {
		return
	}
	c.Reset(io.Discard) // lets go of what it wrote to
	e.pool.idle[e.enc].Put(c)
	e.pool.inUse.Add(-1)
}

// plain is the coder of Identity.
type plain struct{ io.Writer }

func (*plain) Flush() error        { return nil }
func (*plain) Close() error        { return nil }
func (p *plain) Reset(w io.Writer) { p.Writer = w }
