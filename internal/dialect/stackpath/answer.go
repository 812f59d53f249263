package stackpath

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// Codes of failures, which are those of gRPC.
const (
	codeInvalid         = 3
	codeTimeout         = 4
	codeNotFound        = 5
	codeForbidden       = 7
	codeLimited         = 8
	codeUnimplemented   = 12
	codeInternal        = 13
	codeUnavailable     = 14
	codeUnauthenticated = 16
)

// failure is the answer to what was refused.
type failure struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Details []detail `json:"details"`
}

// detail is one of failure.Details; its type says which of the others it has.
type detail struct {
	Type       string  `json:"@type"`
	RetryDelay string  `json:"retryDelay,omitempty"` // whole seconds, as "56s"
	RequestID  string  `json:"requestId,omitempty"`
	Serving    *string `json:"servingData,omitempty"`
}

func writeError(w http.ResponseWriter, err error) {
	var limited *control.LimitedError
	status, code := http.StatusBadRequest, codeInvalid
	failed, own := dialect.Failed(err)
	switch {
	case own:
		status, code = failed, codeInternal
		if failed == http.StatusServiceUnavailable {
			code = codeUnavailable
		}
	case errors.As(err, &limited):
		writeLimited(w, limited)
		return
	case errors.Is(err, control.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
		status, code = http.StatusUnauthorized, codeUnauthenticated
	case errors.Is(err, control.ErrForbidden):
		status, code = http.StatusForbidden, codeForbidden
	case errors.Is(err, control.ErrUnknownService), errors.Is(err, control.ErrUnknownPurge):
		status, code = http.StatusNotFound, codeNotFound
	case errors.Is(err, dialect.ErrBodyTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, dialect.ErrBodyTimeout):
		status, code = http.StatusRequestTimeout, codeTimeout
	}
	writeFailure(w, status, failure{Code: code, Message: err.Error()})
}

// writeLimited says in how many seconds to try again, once for people and once
// for programs.
func writeLimited(w http.ResponseWriter, limited *control.LimitedError) {
	seconds := strconv.FormatInt(limited.Seconds(), 10)
	w.Header().Set("Retry-After", seconds)
	writeFailure(w, http.StatusTooManyRequests, failure{
		Code:    codeLimited,
		Message: fmt.Sprintf("Too many CDN purge requests received. Please retry this request in %s seconds.", seconds),
		Details: []detail{{Type: "stackpath.rpc.RetryInfo", RetryDelay: seconds + "s"}},
	})
}

// writeFailure gives a failure a name of its own, by which nothing can be looked
// up: clients expect one.
func writeFailure(w http.ResponseWriter, status int, f failure) {
	var id [8]byte
	rand.Read(id[:])
	f.Details = append(f.Details, detail{Type: "stackpath.rpc.RequestInfo", RequestID: hex.EncodeToString(id[:]), Serving: new(string)})
	dialect.WriteJSON(w, status, f)
}
