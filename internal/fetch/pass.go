package fetch

import (
	"context"
	"io"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/store"
)

// PassRequest is a request that goes to the origin as it is, and whose answer
// is never stored.
type PassRequest struct {
	Method  string
	Target  field.Target
	Host    string
	Fields  field.Fields
	Body    io.Reader
	Length  int64               // of Body, -1 where unknown
	Trailer func() field.Fields // asked after the end of Body; nil for none
	Names   []string            // of the trailer fields to announce
	Upgrade string              // the protocol that the client asks to switch to
	Interim func(status int, f field.Fields)
}

// Pass sends a request to the origin for one client. The fetch is bound to the
// client's context: it ends when the client leaves.
func (f *Fetcher) Pass(ctx context.Context, r *PassRequest) (*Answer, error) {
	resp, _, err := f.exchange(ctx, &origin.Request{
		Method: r.Method, Target: r.Target, Host: r.Host, Fields: r.Fields, Body: r.Body,
		ContentLength: r.Length, Trailer: r.Trailer, TrailerNames: r.Names, Upgrade: r.Upgrade, Interim: r.Interim,
	})
	if err != nil {
		f.counters.Failed.Add(1)
		if ctx.Err() == nil {
			f.logFailure(r.Target, err)
		}
		return nil, err
	}
	list := httpcache.Tags(f.cfg.Policy.TagHeaders, resp.Fields)
	head := store.NewHead(store.HeadSpec{
		Status: resp.Status, Fields: httpcache.EndToEnd(resp.Fields, nil), Keys: list.Keys,
		Hidden: func(name string) bool { return httpcache.HidesField(f.cfg.Policy.TagHeaders, name) },
		Length: resp.ContentLength, URL: r.Target.String(),
	})
	protocol, _ := resp.Fields.Get("Upgrade")
	return &Answer{
		Head: head, Content: &stream{body: resp.Body}, Reason: httpcache.ReasonMethod, FwdStatus: resp.Status, Origin: resp.Address,
		Trailer: func() field.Fields { return trailer(resp) }, Upgraded: resp.Upgraded, Protocol: protocol,
	}, nil
}

// stream is the content of a response that is handed through: one reader, and
// the origin is read no faster than the client takes it.
type stream struct {
	body io.ReadCloser
	buf  []byte
	err  error
}

const streamBuffer = 32 << 10

func (s *stream) Next(ctx context.Context) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.buf == nil {
		s.buf = make([]byte, streamBuffer)
	}
	for {
		n, err := s.body.Read(s.buf)
		s.err = err
		if n > 0 {
			return s.buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *stream) Close() { s.body.Close() }
