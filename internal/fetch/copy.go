package fetch

import (
	"errors"
	"io"
	"net/http"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/store"
)

// copy fills the body. It returns whether that is sealed, and whether it is
// kept whole; a body that is not sealed has failed.
func (fl *flight) copy(resp *origin.Response, body *store.Body, keep bool) (sealed, whole bool) {
	for {
		if err := body.WaitReader(&fl.life); err != nil {
			return false, fl.giveUp(body, err)
		}
		var none [0]byte
		room, err := none[:], error(nil)
		if resp.ContentLength != body.Size() {
			room, err = body.Buffer()
		}
		if err != nil || body.Size() >= fl.f.cfg.MaxObject && keep {
			// It outgrew the store: from here on it is streamed.
			keep = false
			fl.f.unlist(fl)
			body.Window(fl.f.cfg.Window)
			continue
		}
		n, err := fl.read(resp, room, body.Size())
		switch {
		case err == io.EOF:
			body.Seal(n, trailer(resp))
			return true, keep
		case err != nil:
			body.Commit(n)
			return false, fl.giveUp(body, err)
		}
		body.Commit(n)
		if body.Readers() == 0 {
			fl.idle()
		}
	}
}

// read reads into room. Where the length is known and all of it has come, it
// reads on to the end before anybody sees the last bytes.
func (fl *flight) read(resp *origin.Response, room []byte, have int64) (n int, err error) {
	if len(room) > 0 {
		n, err = resp.Body.Read(room)
	}
	switch have += int64(n); {
	case fl.life.Err() != nil:
		return n, fl.life.Err()
	case err == io.EOF && have < resp.ContentLength && !fl.bodyless(resp):
		return n, io.ErrUnexpectedEOF
	case err != nil || have != resp.ContentLength:
		return n, err
	}
	var extra [1]byte
	more, err := resp.Body.Read(extra[:])
	if more > 0 || err == nil {
		return n, errTooLong
	}
	return n, err
}

// bodyless tells whether a response has no content whatever its head says of
// the length (RFC 9110 section 6.4.1).
func (fl *flight) bodyless(resp *origin.Response) bool {
	return fl.method() == http.MethodHead || resp.Status == http.StatusNotModified || resp.Status == http.StatusNoContent
}

// giveUp fails the body. Whoever asks again because of that begins a fetch of its
// own.
func (fl *flight) giveUp(body *store.Body, err error) (whole bool) {
	fl.f.unlist(fl)
	if err = fl.cause(err); errors.Is(err, store.ErrAbandoned) || errors.Is(err, ErrAbandoned) {
		err = ErrAbandoned
		fl.f.counters.Abandoned.Add(1)
	} else {
		fl.f.counters.Failed.Add(1)
		fl.f.logFailure(fl.request.Target, err)
	}
	body.Fail(err)
	return false
}

func trailer(resp *origin.Response) field.Fields {
	if resp.Trailer == nil {
		return nil
	}
	return resp.Trailer()
}
