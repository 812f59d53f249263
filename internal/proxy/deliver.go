package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/store"
)

// deliver writes the answer: whole, in part, or that the client's own copy is
// still good.
func (x *exchange) deliver() state {
	x.count()
	x.deadline()
	if x.answer.Upgraded != nil {
		return x.tunnel()
	}
	head := x.answer.Head
	x.out = head.AppendFields(x.out[:0], x.debug || x.edge != nil)
	x.length = head.Length()
	part := httpcache.RangeAnswer{}
	if x.ours() {
		if x.edge == nil {
			x.encode() // a shield hands out what is stored: its edges compress
		}
		switch httpcache.Precondition(x.ask.method, x.fields, x.out) {
		case httpcache.NotModified:
			return x.notModified()
		case httpcache.Failed:
			return x.refuse(http.StatusPreconditionFailed, "precondition", "The stored response does not meet the request's condition.")
		}
		part = x.part()
	}
	x.finish()
	switch part.Kind {
	case httpcache.Partial:
		return x.partial(part)
	case httpcache.Unsatisfiable:
		return x.unsatisfiable()
	}
	return x.whole()
}

// part returns which part of the content the request asks for.
func (x *exchange) part() httpcache.RangeAnswer {
	if x.ask.method != http.MethodGet || x.length < 0 || x.answer.Reader == nil || x.encodedNow() {
		return httpcache.RangeAnswer{}
	}
	part := httpcache.Range(x.fields, x.out, x.length)
	if len(part.Ranges) > 1 && !x.answer.Reader.Kept() {
		return httpcache.RangeAnswer{} // no going back in a streamed body: answer with the whole
	}
	return part
}

// encodedNow tells whether what is sent has a coding that this node gave it.
func (x *exchange) encodedNow() bool {
	return x.encoding != compress.Identity || x.length != x.answer.Head.Length()
}

// whole writes the answer from its first byte to its last.
func (x *exchange) whole() state {
	status := x.answer.Head.Status()
	encoder := x.encoder()
	if encoder != nil {
		defer encoder.Abort() // after Close, it does nothing
	}
	bare := status == http.StatusNotModified || status == http.StatusNoContent
	if x.length >= 0 && !bare {
		x.out = x.out.Set("Content-Length", x.number(x.length))
	}
	x.writeHeader(status)
	if x.ask.method == http.MethodHead || bare {
		return stateDone
	}
	if x.length < 0 && !x.endsPlain() {
		x.flush() // else net/http counts a short body, and has no place for a trailer
	}
	if encoder != nil {
		x.sendThrough(encoder)
	} else {
		x.send(-1)
	}
	x.sendTrailer()
	return stateDone
}

// sendThrough writes the whole content through an encoder.
func (x *exchange) sendThrough(encoder *compress.Encoder) {
	for {
		chunk, err := x.answer.Content.Next(x.ctx)
		if err == io.EOF {
			break
		}
		if errors.Is(err, store.ErrFellBehind) && x.resume(-1) {
			continue
		}
		if err == nil {
			_, err = encoder.Write(chunk)
		}
		if err == nil && !x.answer.Complete() {
			err = encoder.Flush() // what has arrived is not held back
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	if encoder.Close() != nil {
		panic(http.ErrAbortHandler)
	}
}

// ours tells whether the client's conditions and range are for us to evaluate:
// on a whole response to a safe request (RFC 9110 section 13.2.1).
func (x *exchange) ours() bool {
	if x.ask.method != http.MethodGet && x.ask.method != http.MethodHead {
		return false
	}
	return x.answer.Head.Status() == http.StatusOK
}

func (x *exchange) count() {
	s := &x.p.stats
	switch x.outcome {
	case outcomeHit:
		s.Hits.Add(x.stripe, 1)
		x.hits = x.object.Hit()
	case outcomeStale:
		s.Stale.Add(x.stripe, 1)
		x.hits = x.object.Hit()
	case outcomeMiss:
		s.Misses.Add(x.stripe, 1)
	case outcomePass:
		s.Passes.Add(x.stripe, 1)
	}
}

func (x *exchange) notModified() state {
	x.out = httpcache.NotModifiedFields(x.out)
	x.finish()
	x.writeHeader(http.StatusNotModified)
	return stateDone
}

func (x *exchange) unsatisfiable() state {
	x.out = without(x.out, "Content-Type").Set("Content-Range", httpcache.UnsatisfiableRange(x.answer.Head.Length()))
	x.out = x.out.Set("Content-Length", "0")
	x.writeHeader(http.StatusRequestedRangeNotSatisfiable)
	return stateDone
}

// deadline gives the client time for the next write, and only for that. What
// was given a moment ago is not given again: at most a sixteenth is missing. The
// server sees to it by itself where it has read the request.
func (x *exchange) deadline() {
	if x.plain != nil {
		return
	}
	now, timeout := time.Now(), x.cfg.WriteTimeout
	if x.until.Sub(now) > timeout-timeout/16 {
		return
	}
	x.until = now.Add(timeout)
	x.control.SetWriteDeadline(x.until)
}

// waitForOrigin lifts the deadline while it is not the client that is waited
// for: HTTP/2 resets a stream whose deadline passes even if nothing is written.
func (x *exchange) waitForOrigin() {
	x.until = noDeadline
	x.control.SetWriteDeadline(noDeadline)
}

// send writes the content from where its reader stands: n bytes, or all where
// n is negative. A response that cannot be completed is cut, never ended as if
// it were whole.
func (x *exchange) send(n int64) {
	for n != 0 {
		chunk, err := x.answer.Content.Next(x.ctx)
		if err == io.EOF && n < 0 {
			return
		}
		if errors.Is(err, store.ErrFellBehind) && x.resume(n) {
			continue
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if n >= 0 && int64(len(chunk)) > n {
			chunk = chunk[:n]
		}
		x.write(chunk)
		if n > 0 {
			n -= int64(len(chunk))
		}
	}
}

// mostWrite bounds what one deadline covers.
const mostWrite = 64 << 10

func (x *exchange) write(chunk []byte) {
	for len(chunk) > 0 {
		part := chunk[:min(len(chunk), mostWrite)]
		x.deadline()
		n, err := x.to().Write(part)
		x.sentBytes += int64(n)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		chunk = chunk[len(part):]
	}
	if x.answer != nil && !x.answer.Complete() {
		x.flush() // what has arrived is not held back
	}
}

// to returns where content is written.
func (x *exchange) to() io.Writer {
	if x.plain != nil {
		return x.plain
	}
	return x.w
}

// flush sends what is written, before the origin is waited for.
func (x *exchange) flush() {
	if x.plain != nil {
		x.check(x.plain.Flush())
		return
	}
	x.control.Flush()
	x.waitForOrigin()
}

// endsPlain tells that all of the content is there and no trailer follows it.
func (x *exchange) endsPlain() bool {
	return x.answer.Complete() && len(x.answer.Trailer()) == 0
}

// sendTrailer sends the trailer fields, declared or not (RFC 9110 section 6.5).
func (x *exchange) sendTrailer() {
	if x.answer.Trailer == nil || x.length >= 0 {
		return
	}
	for _, f := range httpcache.EndToEnd(x.answer.Trailer(), nil) {
		switch {
		case x.hides(f.Name) || inHeadOnly(f.Name):
		case x.plain != nil:
			x.trailer = x.trailer.Add(f.Name, f.Value)
		default:
			x.w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// hides tells whether a field is not for clients.
func (x *exchange) hides(name string) bool {
	return !x.debug && x.edge == nil && httpcache.HidesField(x.service.Policy.TagHeaders, name)
}

// inHeadOnly tells whether a field says something that is needed before the
// content, so that it means nothing behind it (RFC 9110 section 6.5.1), or that
// this node says itself: some recipients take a trailer for a part of the head.
func inHeadOnly(name string) bool {
	if isForwarding(name) {
		return true
	}
	for _, n := range [...]string{
		"Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Host", "Cache-Control", "Expires",
		"Age", "Date", "Location", "Vary", "Set-Cookie", "Cookie", "Authorization", "WWW-Authenticate", "Retry-After",
	} {
		if field.EqualFold(name, n) {
			return true
		}
	}
	return false
}

// copyTo writes all that a reader of a complete body yields.
func copyTo(w io.Writer, r *store.Reader) error {
	for {
		chunk, err := r.Next(context.Background())
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = w.Write(chunk)
		}
		if err != nil {
			return err
		}
	}
}
