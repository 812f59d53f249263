package server

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// front is the handler that net/http calls. It counts the calls of the
// configured one, and holds HTTP/2 requests to what the wrapper has already
// held HTTP/1 requests to.
type front struct{ server *Server }

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	shard := f.server.calls.shard()
	if !f.server.calls.enter(shard) {
		panic(http.ErrAbortHandler)
	}
	defer f.server.calls.exit(shard)
	defer boundLeftover(w, r)
	if f.server.draining.Load() {
		// On HTTP/2 net/http makes a GOAWAY of it.
		w.Header().Set("Connection", "close")
	}
	shard.request(r.ProtoMajor)
	if r.ProtoMajor == 2 {
		setTLS(r)
		if reason := checkHTTP2(r, f.server.limits.Load()); reason != "" {
			f.refuse(w, r, reason)
			return
		}
		r.Header.Del("Host") // it says the same as r.Host
	}
	dropHTTP2Upgrade(r.Header)
	f.server.cfg.Handler.ServeHTTP(w, r)
}

// leftoverTimeout bounds how long net/http reads what a handler has left of a
// request body. It reads up to 256 KiB, to keep the connection.
const leftoverTimeout = 5 * time.Second

func boundLeftover(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 || r.ContentLength == 0 {
		return
	}
	// An empty write changes nothing at the end of a handler, and says whether
	// the connection is somebody else's by now.
	if _, err := w.Write(nil); !errors.Is(err, http.ErrHijacked) {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(leftoverTimeout))
	}
}

// checkHTTP2 is for HTTP/2 what head is for HTTP/1. The rest net/http has seen
// to: framing is binary, and connection-specific fields are refused there.
func checkHTTP2(r *http.Request, l *Limits) event.RefusedReason {
	if len(r.RequestURI) > l.MaxURLBytes {
		return event.RefusedTargetTooLong
	}
	if reason := boundFields(r, l); reason != "" {
		return reason
	}
	if _, ok := parseTarget(r.Method, r.RequestURI); !ok {
		return event.RefusedTarget
	}
	if reason := checkAuthority(r); reason != "" {
		return reason
	}
	if lengths := r.Header["Content-Length"]; len(lengths) > 1 {
		return event.RefusedRepeatedLength
	} else if len(lengths) == 1 {
		if _, ok := http1.ParseLength(lengths[0]); !ok {
			return event.RefusedInvalidLength
		}
	}
	if r.Header.Get("Expect") != "" { // net/http has removed 100-continue
		return event.RefusedUnknownExpect
	}
	return ""
}

// boundFields counts a head as if it had come by HTTP/1.
func boundFields(r *http.Request, l *Limits) event.RefusedReason {
	lines, size := 0, len(r.Method)+len(r.RequestURI)+len(r.Host)
	for name, values := range r.Header {
		lines += len(values)
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	switch {
	case size > l.MaxHeaderBytes:
		return event.RefusedHeadTooLarge
	case lines > l.MaxHeaderFields:
		return event.RefusedTooManyFields
	}
	return ""
}

// checkAuthority admits one authority, be it in :authority or in Host, and
// both only if they agree (RFC 9113 section 8.3.1).
func checkAuthority(r *http.Request) event.RefusedReason {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if r.Host == "" {
		return event.RefusedMissingHost
	}
	host, ok := field.NormalHost(scheme, r.Host)
	if !ok {
		return event.RefusedInvalidHost
	}
	for _, v := range r.Header["Host"] {
		if other, ok := field.NormalHost(scheme, v); !ok || other != host {
			return event.RefusedHostMismatch
		}
	}
	return ""
}

func (f front) refuse(w http.ResponseWriter, r *http.Request, reason event.RefusedReason) {
	s := subject{
		method: []byte(r.Method[:min(len(r.Method), maxMethodBytes)]),
		target: []byte(r.RequestURI[:min(len(r.RequestURI), maxSubjectTarget)]),
	}
	status := statusOf(reason)
	refused := event.Refused{
		Remote: r.RemoteAddr, Status: status, Reason: reason,
		Method: escape(s.method), Target: escape(s.target),
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		refused.Local = local.String()
	}
	f.server.report(refused)
	contentType, body := f.server.cfg.RefusedBody(status, reason)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write([]byte(body))
}

// dropHTTP2Upgrade removes the offer to go on in HTTP/2 (RFC 7540 section 3.2,
// withdrawn by RFC 9113): an origin that took it up would speak through us in
// frames that nobody checks.
func dropHTTP2Upgrade(h http.Header) {
	offers := h["Upgrade"]
	for _, v := range offers {
		if field.Lists(v, "h2c") {
			delete(h, "Upgrade")
			delete(h, "Http2-Settings")
			return
		}
	}
}
