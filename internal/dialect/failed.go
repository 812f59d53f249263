package dialect

import (
	"errors"
	"net/http"

	"github.com/rescind-edge/rescind/internal/control"
)

// Failed returns the status of the answer to a purge that failed for a reason
// of the node's own; ok is false for all other errors. 503: nothing was purged,
// and may be soon. 500: it is in force, and would not survive a crash.
func Failed(err error) (status int, ok bool) {
	switch {
	case errors.Is(err, control.ErrBusy), errors.Is(err, control.ErrUnavailable):
		return http.StatusServiceUnavailable, true
	case errors.Is(err, control.ErrNotSaved):
		return http.StatusInternalServerError, true
	}
	return 0, false
}
