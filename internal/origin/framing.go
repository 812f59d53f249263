package origin

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// framing is how a response's body ends (RFC 9112 section 6.3).
type framing struct {
	form   bodyForm
	length int64 // of the body; of HEAD, what it would be; -1 unknown
	closes bool  // the connection ends with the response, as said or to be safe
	keeps  keepsFor
}

type bodyForm uint8

const (
	bodyNone bodyForm = iota
	bodyLength
	bodyChunked
	bodyUntilClose
)

var (
	errCoding  = errors.New("unknown transfer coding")
	errLength  = errors.New("invalid Content-Length")
	errTrailer = errors.New("a trailer field that frames the message")
)

// framing tells how the response to a request of that method ends. It is called
// for final heads, 101 included.
func (h *head) framing(method string) (framing, error) {
	f := framing{length: -1}
	said := ""
	encoded, announced, closes, stays := false, false, false, h.minor > 0
	for i := range h.fields {
		value := h.fields[i].Value
		switch name := h.fields[i].Name; len(name) {
		case len("Content-Length"):
			if !field.EqualFold(name, "Content-Length") {
				continue
			}
			n, ok := http1.ParseLength(value)
			switch {
			case h.ambiguity == BothLengths: // it does not count
			case !ok, said != "" && said != value:
				return framing{}, fmt.Errorf("%w: %.64q", errLength, value)
			default:
				f.length, said = n, value
			}
		case len("Transfer-Encoding"):
			if !field.EqualFold(name, "Transfer-Encoding") {
				continue
			}
			if encoded || http1.CheckCoding(value) != http1.NoFault {
				return framing{}, fmt.Errorf("%w: %.64q", errCoding, value)
			}
			encoded = true
		case len("Connection"):
			if field.EqualFold(name, "Connection") {
				closes, stays = closes || field.Lists(value, "close"), stays || field.Lists(value, "keep-alive")
			} else if field.EqualFold(name, "Keep-Alive") {
				f.keeps = parseKeepAlive(value)
			}
		case len("Trailer"):
			announced = announced || field.EqualFold(name, "Trailer") && field.AnyMember(value, http1.Frames)
		}
	}
	f.closes = closes || !stays || h.ambiguity == BothLengths
	switch {
	case encoded && announced:
		return framing{}, errTrailer
	case method == http.MethodHead:
		return f, nil
	case h.status < 200, h.status == http.StatusNoContent, h.status == http.StatusNotModified:
		// A 204 that announces content may be followed by some (RFC 9110 section 8.6
		// forbids both); that may come only when the next request is on its way.
		f.closes = f.closes || h.status == http.StatusNoContent && (encoded || f.length > 0)
		f.length = 0
	case encoded:
		f.form = bodyChunked
	case f.length > 0:
		f.form = bodyLength
	case f.length < 0:
		f.form, f.closes = bodyUntilClose, true
	}
	return f, nil
}
