package varnish

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/purge"
)

// HeaderCount carries the number of objects that a purge by URL withdrew or
// made stale on the answering node, as the recipes of the purge module have it.
const HeaderCount = "Purged"

// writePurged answers a success: always 200, whether anything was stored or
// not. What was taken stands in the body as the recipes have it in the reason
// phrase, which HTTP/2 has none of. By tag the number of objects is not known:
// they go as they are asked for.
func writePurged(w http.ResponseWriter, receipts []control.Receipt) {
	var objects, names [2]int // withdrawn, made stale
	known := true
	for _, r := range receipts {
		i := 0
		if r.Effect.Mode == purge.Soft {
			i = 1
		}
		objects[i] += r.Count
		names[i] += len(r.Selectors)
		known = known && r.CountKnown
	}
	w.Header().Set(dialect.HeaderPurge, dialect.IDs(receipts))
	if !known {
		write(w, http.StatusOK, fmt.Sprintf("Purged %d names, expired %d names", names[0], names[1]))
		return
	}
	w.Header().Set(HeaderCount, strconv.Itoa(objects[0]+objects[1]))
	write(w, http.StatusOK, fmt.Sprintf("Purged %d objects, expired %d objects", objects[0], objects[1]))
}

func writeError(w http.ResponseWriter, err error) {
	var limited *control.LimitedError
	failed, own := dialect.Failed(err)
	switch {
	case own:
		write(w, failed, err.Error())
	case errors.Is(err, control.ErrUnauthenticated):
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		write(w, http.StatusMethodNotAllowed, "This address may not purge, or the token is not known")
	case errors.Is(err, control.ErrForbidden):
		write(w, http.StatusForbidden, err.Error())
	case errors.As(err, &limited):
		w.Header().Set("Retry-After", strconv.FormatInt(limited.Seconds(), 10))
		write(w, http.StatusTooManyRequests, err.Error())
	default:
		write(w, http.StatusBadRequest, err.Error())
	}
}

func write(w http.ResponseWriter, code int, text string) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	dialect.Write(w, code, "text/plain; charset=utf-8", []byte(text+"\n"))
}
