package proxy

import (
	"encoding/binary"
	"net/http"
	"sync"

	"github.com/rescind-edge/rescind/internal/compress"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// Compression says how a service's responses are compressed on their way to
// clients. The origin is then asked for the plain form, which is what is
// stored; the compressed forms of stored responses are made once and stored
// beside it, with its stamp and its tags, so that a purge takes them all.
type Compression struct {
	Encodings []compress.Encoding // in order of preference; none: responses stay as they are
	Rule      compress.Rule
}

// maxEncodedBody is the longest body whose compressed form is stored: making it
// holds it in memory twice. Longer ones are compressed as they are sent.
const maxEncodedBody = 16 << 20

// compressor makes the compressed forms of stored responses, each once at a
// time.
type compressor struct {
	pool    *compress.Pool
	running sync.WaitGroup

	mu struct {
		sync.Mutex
		making map[field.Key]struct{}
		closed bool
	}
}

func newCompressor() *compressor {
	c := &compressor{pool: compress.NewPool(0)}
	c.mu.making = make(map[field.Key]struct{})
	return c
}

// close waits for what is being made.
func (c *compressor) close() {
	c.mu.Lock()
	c.mu.closed = true
	c.mu.Unlock()
	c.running.Wait()
}

// encode changes the answer to the form that the client prefers.
func (x *exchange) encode() {
	rule := x.service.Compression
	head := x.answer.Head
	if len(rule.Encodings) == 0 || !compress.Eligible(head.Status(), x.out, head.Length(), rule.Rule) {
		return
	}
	enc := compress.Identity
	if x.answer.Reader != nil {
		enc = x.preferred()
	}
	x.out = compress.Transform(x.out, enc)
	if enc == compress.Identity {
		return
	}
	key := x.encodedKey(head, enc)
	if o := x.encoded(key); o.Found() {
		defer o.Release()
		x.answer.Content.Close()
		x.answer.Reader = o.NewReader(0)
		x.answer.Content, x.length = x.answer.Reader, o.Content().Size()
		x.answer.Trailer = o.Content().Trailer // that of what was closed may be gone
		return
	}
	x.encoding, x.length = enc, -1
	if o := x.object; o.Found() && head == o.Head && o.Content().Size() <= maxEncodedBody {
		x.p.compressor.make(x, key, o, enc)
	}
}

// preferred returns the coding that the client gets. For a range that is none:
// what it asks for are bytes of the plain form.
func (x *exchange) preferred() compress.Encoding {
	if x.fields.Has("Range") {
		return compress.Identity
	}
	return compress.Choose(x.accepts, x.service.Compression.Encodings)
}

// encodeFast is encode for what is stored in the form that the client prefers.
// It returns false where it is not.
func (x *exchange) encodeFast() bool {
	rule, head := x.service.Compression, x.object.Head
	if len(rule.Encodings) == 0 || !compress.Eligible(head.Status(), x.out, head.Length(), rule.Rule) {
		return true
	}
	enc := x.preferred()
	x.out, x.sorted = compress.Transform(x.out, enc), false
	if enc == compress.Identity {
		return true
	}
	if x.form = x.encoded(x.encodedKey(head, enc)); !x.form.Found() {
		return false
	}
	x.length = x.form.Content().Size()
	x.piece.Length = x.length
	return true
}

// encodedKey names the compressed form of one stored response: of another one
// of the same variant it differs, since that was made at another instant.
func (x *exchange) encodedKey(head *store.Head, enc compress.Encoding) field.Key {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:8], uint64(head.Born()))
	binary.LittleEndian.PutUint64(id[8:], uint64(head.Stamp()))
	form := x.keyed
	form.Scheme = form.Scheme + " " + enc.String() + " " + string(id[:]) + head.Variant()
	return x.cfg.Hasher.Key(x.service.KeySpace, form)
}

// encoded returns the stored compressed form, if there is one.
func (x *exchange) encoded(key field.Key) store.Object {
	o := x.cfg.Store.Get(key, anyForm{})
	if o.Found() && !x.service.Judge.Judge(o).Usable() {
		o.Release()
		return store.Object{}
	}
	return o
}

type anyForm struct{}

func (anyForm) MatchVariant(*store.Head) bool { return true }

// make makes a compressed form in the background and stores it. Clients that
// come before it is there get theirs compressed as it is sent.
func (c *compressor) make(x *exchange, key field.Key, from store.Object, enc compress.Encoding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, making := c.mu.making[key]; making || c.mu.closed {
		return
	}
	c.mu.making[key] = struct{}{}
	from.Retain()
	stored, judge := x.cfg.Store, x.service.Judge
	c.running.Go(func() {
		defer func() {
			from.Release()
			c.mu.Lock()
			delete(c.mu.making, key)
			c.mu.Unlock()
		}()
		if body := c.compress(stored, from, enc); body != nil {
			stored.Put(store.Draft{Key: key, Head: encodedHead(from, body.Size()), Body: body, Judge: judge}).Release()
			body.Release()
		}
	})
}

// encodedHead is as good for as long as the Head that it is made of, and no
// longer: same stamp, same times, and the tags and fields that purges look at.
func encodedHead(from store.Object, length int64) *store.Head {
	h := from.Head
	return store.NewHead(store.HeadSpec{
		Status: h.Status(), Fields: h.AppendFields(nil, true), Tags: h.AppendTags(nil), Stamp: h.Stamp(), Times: from.Times(), Born: h.Born(),
		URL: h.URL(), Flags: store.Derived, Length: length,
	})
}

// compress returns the compressed form of a content, or nil where there is no
// room for it.
func (c *compressor) compress(s store.Store, from store.Object, enc compress.Encoding) *store.Body {
	to := &bodyWriter{body: s.NewBody(-1)}
	encoder, err := c.pool.Encode(to, enc)
	if err != nil {
		to.body.Release()
		return nil
	}
	r := from.NewReader(0)
	defer r.Close()
	if err := copyTo(encoder, r); err != nil || encoder.Close() != nil {
		encoder.Abort()
		to.body.Release()
		return nil
	}
	to.body.Complete(nil)
	return to.body
}

// bodyWriter writes into a Body.
type bodyWriter struct{ body *store.Body }

func (w *bodyWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		room, err := w.body.Buffer()
		if err != nil {
			return n, err
		}
		m := copy(room, p[n:])
		w.body.Commit(m)
		n += m
	}
	return n, nil
}

// encoder returns what the content passes through on its way to the client, or
// nil where it is sent as it is. It is asked before the head is written: where
// all encoders are in use, the fields change back.
func (x *exchange) encoder() *compress.Encoder {
	if x.encoding == compress.Identity || x.ask.method == http.MethodHead {
		return nil
	}
	e, err := x.p.compressor.pool.Encode(clientWriter{x}, x.encoding)
	if err != nil {
		x.encoding, x.length = compress.Identity, x.answer.Head.Length()
		x.out = compress.Transform(x.answer.Head.AppendFields(x.out[:0], x.debug), compress.Identity)
		x.finish()
		return nil
	}
	return e
}

// clientWriter writes to the client under its deadlines.
type clientWriter struct{ x *exchange }

func (w clientWriter) Write(p []byte) (int, error) {
	w.x.write(p)
	return len(p), nil
}
