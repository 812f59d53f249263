package fastly

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// status is the answer to a purge; purge_all has no id. It is 200 whoever has
// confirmed: clients take any other status for a purge that failed. They ignore
// members that they do not know, which say the rest to whoever asked to wait.
type status struct {
	Status    string        `json:"status"`
	ID        string        `json:"id,omitempty"`
	Confirmed control.Level `json:"confirmed,omitempty"` // the level that was asked for, where it was reached
	Missing   []string      `json:"missing,omitempty"`   // members that did not confirm in time
}

// failure is the answer to what was refused. Some clients compare Msg.
type failure struct {
	Msg    string `json:"msg"`
	Detail string `json:"detail,omitempty"`
}

// What failures say. msgUnauthenticated is compared by a client, letter by
// letter.
const (
	msgUnauthenticated = "Provided credentials are missing or invalid"
	msgForbidden       = "You are not authorized to perform this action"
	msgNotFound        = "Record not found"
	msgBadRequest      = "Bad request"
	msgLimited         = "Too many requests"
	msgTooLarge        = "Request body too large"
	msgTooSlow         = "Request timeout"
	msgUnavailable     = "Service unavailable"
	msgMethod          = "Method not allowed"
)

func writePurged(w http.ResponseWriter, r control.Receipt, c dialect.Confirmed) {
	setCount(w, r)
	setIDs(w, r)
	writeStatus(w, r.ID.String(), c)
}

// setIDs sets the field that every API has.
func setIDs(w http.ResponseWriter, receipts ...control.Receipt) {
	w.Header().Set(dialect.HeaderPurge, dialect.IDs(receipts))
}

func writeStatus(w http.ResponseWriter, id string, c dialect.Confirmed) {
	s := status{Status: "ok", ID: id, Missing: c.Missing}
	if c.Waited() && c.Complete() {
		s.Confirmed = c.Level
	}
	dialect.WriteJSON(w, http.StatusOK, s)
}

// keyID says under which id a key was purged.
type keyID struct{ key, id string }

// writeKeyIDs writes the map from key to id in the order of the request.
// Clients look their key up in it, so it must be spelt as they sent it.
func writeKeyIDs(w http.ResponseWriter, ids []keyID) {
	var b bytes.Buffer
	sep := byte('{')
	for _, k := range ids {
		b.WriteByte(sep)
		sep = ','
		b.Write(dialect.EncodeJSON(k.key))
		b.WriteByte(':')
		b.Write(dialect.EncodeJSON(k.id))
	}
	b.WriteByte('}')
	dialect.Write(w, http.StatusOK, dialect.JSON, b.Bytes())
}

func writeError(w http.ResponseWriter, err error) {
	var limited *control.LimitedError
	switch {
	case errors.Is(err, control.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
		dialect.WriteJSON(w, http.StatusUnauthorized, failure{Msg: msgUnauthenticated})
	case errors.Is(err, control.ErrForbidden):
		dialect.WriteJSON(w, http.StatusForbidden, failure{msgForbidden, err.Error()})
	case errors.Is(err, control.ErrUnknownService):
		dialect.WriteJSON(w, http.StatusNotFound, failure{msgNotFound, err.Error()})
	case errors.Is(err, dialect.ErrBodyTooLarge):
		dialect.WriteJSON(w, http.StatusRequestEntityTooLarge, failure{msgTooLarge, err.Error()})
	case errors.Is(err, dialect.ErrBodyTimeout):
		dialect.WriteJSON(w, http.StatusRequestTimeout, failure{msgTooSlow, err.Error()})
	case errors.As(err, &limited):
		writeLimited(w, limited)
	case errors.Is(err, control.ErrBusy), errors.Is(err, control.ErrUnavailable):
		w.Header().Set("Retry-After", "1")
		dialect.WriteJSON(w, http.StatusServiceUnavailable, failure{msgUnavailable, err.Error()})
	case errors.Is(err, control.ErrNotSaved):
		dialect.WriteJSON(w, http.StatusInternalServerError, failure{msgUnavailable, err.Error()})
	default:
		dialect.WriteJSON(w, http.StatusBadRequest, failure{msgBadRequest, detail(err)})
	}
}

// detail returns an error's text without repeating msgBadRequest.
func detail(err error) string {
	return strings.TrimPrefix(err.Error(), control.ErrBadRequest.Error()+": ")
}

func writeLimited(w http.ResponseWriter, limited *control.LimitedError) {
	wait := limited.Seconds()
	w.Header().Set("Retry-After", strconv.FormatInt(wait, 10))
	setAllowance(w, control.Allowance{Reset: time.Now().Add(time.Duration(wait) * time.Second)})
	dialect.WriteJSON(w, http.StatusTooManyRequests, failure{msgLimited, limited.Error()})
}

// setAllowance says what the caller has left, which all answers but those to
// GET do. The instant is in Unix seconds. The names are spelt as scripts look for
// them, which is not how http.Header would spell them.
func setAllowance(w http.ResponseWriter, left control.Allowance) {
	h := w.Header()
	h["Fastly-RateLimit-Remaining"] = []string{strconv.Itoa(left.Remaining)}
	h["Fastly-RateLimit-Reset"] = []string{strconv.FormatInt(left.Reset.Add(time.Second-1).Unix(), 10)}
}

// writeWrongMethod answers a method that a path does not take, or a path that
// is not known where it takes none.
func writeWrongMethod(w http.ResponseWriter, methods []string) {
	if len(methods) == 0 {
		dialect.WriteJSON(w, http.StatusNotFound, failure{msgNotFound, "this server knows no such path; it purges, and lists services"})
		return
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	dialect.WriteJSON(w, http.StatusMethodNotAllowed, failure{msgMethod, "use " + strings.Join(methods, " or ")})
}
