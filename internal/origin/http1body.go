package origin

import (
	"errors"
	"io"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

var errReadAfterClose = errors.New("the response's body is closed")

// http1Body is a response's content. Its end is the end of the exchange.
type http1Body struct {
	x      *http1Exchange
	form   bodyForm
	left   int64 // of a body of known length
	chunks *http1.Chunks

	mu struct {
		sync.Mutex
		err     error // what every further Read returns
		reading bool
		trailer field.Fields
	}
}

// Read implements io.Reader. The origin has IdleTimeout for each.
func (b *http1Body) Read(p []byte) (int, error) {
	if err := b.begin(); err != nil {
		return 0, err
	}
	n, err := 0, error(nil)
	if len(p) > 0 {
		n, err = b.read(p)
	}
	switch err {
	case nil:
	case io.EOF:
		b.sortTrailers()
	default:
		err = b.failure(err)
	}
	return n, b.settle(err)
}

func (b *http1Body) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.reading = b.mu.err == nil
	return b.mu.err
}

// settle ends a Read. One that Close ended has nothing to end any more.
func (b *http1Body) settle(err error) error {
	b.mu.Lock()
	b.mu.reading = false
	if b.mu.err != nil || err == nil {
		defer b.mu.Unlock()
		return b.mu.err
	}
	b.mu.err = err
	b.mu.Unlock()
	if failure, ok := err.(*Error); ok {
		b.x.giveUp(failure, false)
	} else {
		b.x.complete()
	}
	return err
}

// read returns io.EOF, alone or with the last bytes, where the body is complete.
func (b *http1Body) read(p []byte) (int, error) {
	switch b.form {
	case bodyLength:
		n, err := b.receive(p[:min(int64(len(p)), b.left)])
		if b.left -= int64(n); b.left == 0 {
			return n, io.EOF
		}
		return n, unexpected(err)
	case bodyChunked:
		return b.readChunks(p)
	}
	return b.receive(p)
}

// receive reads what is here, or else from the connection.
func (b *http1Body) receive(p []byte) (int, error) {
	c := b.x.conn
	if c.in.len() > 0 {
		n := copy(p, c.in.bytes())
		c.in.take(n)
		return n, nil
	}
	c.watch.expect(KindIdleTimeout, b.x.config().IdleTimeout)
	n, err := c.Read(p)
	c.watch.rest()
	return n, err
}

// readChunks fills p with the data that is here, and waits only for the first.
// The end is looked for behind the data, so that it is seldom waited for alone.
func (b *http1Body) readChunks(p []byte) (n int, err error) {
	if b.chunks == nil {
		b.chunks = new(http1.Chunks)
	}
	in := &b.x.conn.in
	for {
		if err := b.skip(); err != nil {
			return n, err
		}
		data := b.chunks.Data()
		switch {
		case b.chunks.Done():
			return n, io.EOF
		case n == len(p), in.len() == 0 && n > 0:
			return n, nil
		case in.len() > 0, data >= inletSize:
			m, err := b.receive(p[n:min(int64(len(p)), int64(n)+data)])
			b.chunks.Took(m)
			if n += m; err != nil {
				return n, unexpected(err)
			}
		default:
			m, err := b.receive(in.room(0))
			if in.more(m); err != nil && m == 0 {
				return n, unexpected(err)
			}
		}
	}
}

// skip passes what is here and is no data.
func (b *http1Body) skip() error {
	in := &b.x.conn.in
	k, fault := b.chunks.Skip(in.bytes(), &chunkRules)
	in.take(k)
	if fault != http1.NoFault {
		return chunkError(fault, b.chunks.Line())
	}
	return nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// failure names what err means inside a body.
func (b *http1Body) failure(err error) *Error {
	switch e := b.x.interrupted(); {
	case e != nil && e.Kind != KindRequestBody:
		return e
	case malformed(err):
		return b.x.error(KindGarbage, err)
	}
	return b.x.error(KindTruncated, err)
}

func (b *http1Body) sortTrailers() {
	if b.chunks == nil {
		return
	}
	trailer := b.chunks.Trailer()
	trailer.SortByName()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.err == nil {
		b.mu.trailer = trailer
	}
}

func (b *http1Body) trailers() field.Fields {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.trailer
}

// Close gives up what was not read, and the connection with it.
func (b *http1Body) Close() error {
	b.mu.Lock()
	ended, reading := b.mu.err != nil, b.mu.reading
	if !ended {
		b.mu.err = errReadAfterClose
	}
	b.mu.Unlock()
	if !ended {
		b.x.giveUp(b.x.error(KindCanceled, errReadAfterClose), reading)
	}
	return nil
}
