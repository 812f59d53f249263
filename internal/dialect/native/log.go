package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
)

// How a stream of log lines is kept going. An empty line now and then finds out
// that a reader has gone, and keeps proxies from closing an idle connection;
// after each the reader's right to read is checked again.
const (
	aliveEvery   = 15 * time.Second
	writeTimeout = 30 * time.Second // of each write: a slower reader misses lines, a stuck one is left
)

// errFilter is wrapped by what is wrong with a filter.
var errFilter = errors.New("bad filter")

func (h handler) log(w http.ResponseWriter, r *http.Request, c call) error {
	reader, err := h.Control.Watcher(c.creds)
	if err != nil {
		return err
	}
	lines, err := h.Tail(r.Context(), Tail{Filter: r.URL.Query().Get(api.QueryFilter), May: reader.May})
	switch {
	case errors.Is(err, ErrTooManyTails):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errFilter, err)
	}
	w.Header().Set("Content-Type", api.LinesContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		h.stream(r.Context(), newLineWriter(w), lines, c.creds)
	}
	return nil
}

// stream writes lines until there are no more, the reader has gone, or may not
// read any longer.
func (h handler) stream(ctx context.Context, out lineWriter, lines <-chan []byte, creds control.Credentials) {
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for ok := out.write(nil); ok; {
		select {
		case <-ctx.Done():
			return
		case line, more := <-lines:
			ok = more && out.write(line) && out.drain(lines)
		case <-alive.C:
			_, err := h.Control.Watcher(creds)
			ok = err == nil && out.write([]byte{'\n'})
		}
		ok = ok && out.flush()
	}
}

// lineWriter writes lines, each with a deadline of its own.
type lineWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// newLineWriter lifts the server's limits on the whole request, which would end
// any stream.
func newLineWriter(w http.ResponseWriter) lineWriter {
	out := lineWriter{w, http.NewResponseController(w)}
	out.rc.SetReadDeadline(time.Time{}) // who does not support it has no deadline either
	return out
}

func (o lineWriter) write(line []byte) bool {
	o.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // likewise
	if len(line) == 0 {
		return o.flush()
	}
	_, err := o.w.Write(line)
	if err == nil && !bytes.HasSuffix(line, []byte{'\n'}) {
		_, err = o.w.Write([]byte{'\n'})
	}
	return err == nil
}

// drain writes what is there already, so that many lines share a flush.
func (o lineWriter) drain(lines <-chan []byte) bool {
	for range 100 { // then flush, however fast they come
		select {
		case line, more := <-lines:
			if !more || !o.write(line) {
				return false
			}
		default:
			return true
		}
	}
	return true
}

func (o lineWriter) flush() bool { return o.rc.Flush() == nil }
