package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/rescind-edge/rescind/internal/field"
)

// responseBody is a response's content. Its end is the end of the exchange.
type responseBody struct {
	x   *exchange
	res *http.Response

	mu struct {
		sync.Mutex
		err     error // what every further Read returns
		trailer field.Fields
	}
}

var errReadAfterClose = errors.New("the response's body is closed")

// giveBody sets Body and Trailer. A response without content has ended already.
func (x *exchange) giveBody(r *Response, res *http.Response) {
	if !x.mayHaveBody(r.Status) || res.Body == http.NoBody {
		res.Body.Close()
		r.Body = http.NoBody
		x.end(nil)
		return
	}
	b := &responseBody{x: x, res: res}
	r.Body, r.Trailer = b, b.trailers
}

// Read implements io.Reader. The origin has IdleTimeout for each.
func (b *responseBody) Read(p []byte) (int, error) {
	if err := b.over(); err != nil {
		return 0, err
	}
	b.x.watch.expect(KindIdleTimeout, b.x.cfg.IdleTimeout)
	n, err := b.res.Body.Read(p)
	b.x.watch.rest()
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		b.finish(err, sortedFields(b.res.Trailer))
		b.x.end(nil)
	default:
		failure := b.x.bodyError(err)
		b.finish(failure, nil)
		b.x.end(failure)
	}
	return n, b.over()
}

func (b *responseBody) over() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.err
}

func (b *responseBody) finish(err error, trailer field.Fields) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.err != nil {
		return
	}
	b.mu.err = err
	for _, f := range trailer {
		if field.ValidName(f.Name) && field.ValidValue(f.Value) {
			b.mu.trailer = append(b.mu.trailer, f)
		}
	}
}

func (b *responseBody) trailers() field.Fields {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.trailer
}

// Close gives up what was not read, and on HTTP/1 the connection with it.
func (b *responseBody) Close() error {
	b.finish(errReadAfterClose, nil)
	b.x.end(b.x.error(KindCanceled, errReadAfterClose))
	return b.res.Body.Close()
}

// upgraded is the connection after a 101.
type upgraded struct {
	io.ReadWriteCloser
	x    *exchange
	stop func() bool
}

func (x *exchange) handOver(conn io.ReadWriteCloser) io.ReadWriteCloser {
	return &upgraded{
		ReadWriteCloser: conn,
		x:               x,
		stop:            context.AfterFunc(x.ctx, func() { conn.Close() }),
	}
}

// Close closes the connection and ends the exchange.
func (u *upgraded) Close() error {
	u.stop()
	err := u.ReadWriteCloser.Close()
	u.x.end(nil)
	return err
}
