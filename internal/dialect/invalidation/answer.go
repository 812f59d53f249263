package invalidation

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
)

// accepted is the answer to what was carried out, here at least.
type accepted struct {
	IDs []string `json:"ids"` // of the purges, for the native API
}

// problem is the answer to what was refused (RFC 9457).
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func writeAccepted(w http.ResponseWriter, receipts []control.Receipt, everywhere bool) {
	var a accepted
	for _, r := range receipts {
		a.IDs = append(a.IDs, r.ID.String())
	}
	w.Header().Set(dialect.HeaderPurge, dialect.IDs(receipts))
	status := http.StatusOK
	if !everywhere {
		status = http.StatusAccepted
	}
	write(w, status, dialect.JSON, a)
}

func writeError(w http.ResponseWriter, err error) {
	var limited *control.LimitedError
	status := http.StatusBadRequest
	failed, own := dialect.Failed(err)
	switch {
	case own:
		status = failed
	case errors.Is(err, errUnsupported):
		status = http.StatusNotImplemented
	case errors.Is(err, control.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", `Bearer realm="rescind"`)
		status = http.StatusUnauthorized
	case errors.Is(err, control.ErrForbidden):
		status = http.StatusForbidden
	case errors.Is(err, control.ErrUnknownService):
		status = http.StatusNotFound
	case errors.Is(err, dialect.ErrBodyTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, dialect.ErrBodyTimeout):
		status = http.StatusRequestTimeout
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", strconv.FormatInt(limited.Seconds(), 10))
		status = http.StatusTooManyRequests
	}
	writeProblem(w, status, err.Error())
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	write(w, status, "application/problem+json", problem{http.StatusText(status), status, detail})
}

func write(w http.ResponseWriter, status int, kind string, v any) {
	dialect.Write(w, status, kind, append(dialect.EncodeJSON(v), '\n'))
}
