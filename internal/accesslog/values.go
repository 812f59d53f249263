package accesslog

import (
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func appendClient(dst []byte, e *event.Request) []byte {
	if !e.Client.IsValid() {
		return append(dst, '-')
	}
	return appendAddr(dst, e.Client)
}

func appendBytesOrDash(dst []byte, e *event.Request) []byte {
	if e.Bytes == 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, e.Bytes, 10)
}

func appendQuery(dst []byte, e *event.Request) []byte {
	if _, query := splitTarget(e); query != "" {
		return appendEscaped(dst, query, false)
	}
	return dst
}

// appendRequestLine writes what is known of the request line: of a refused
// request that may be little.
func appendRequestLine(dst []byte, e *event.Request) []byte {
	start := len(dst)
	for _, part := range [...]string{e.Method, e.Target, e.Proto} {
		if part == "" {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = appendEscaped(dst, part, false)
	}
	if len(dst) == start {
		return append(dst, '-')
	}
	return dst
}

// appendStatus writes three digits, because log analysers reject anything else.
func appendStatus(dst []byte, e *event.Request) []byte {
	if e.Status < 100 {
		return append(dst, "000"...)
	}
	return strconv.AppendInt(dst, int64(e.Status), 10)
}

func appendOriginStatus(dst []byte, e *event.Request) []byte {
	if e.OriginStatus == 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, int64(e.OriginStatus), 10)
}

// varnishHandling says what the outcome is called by varnishncsa. A stale hit
// is a hit within grace there.
func varnishHandling(e *event.Request) string {
	switch e.Outcome {
	case event.OutcomeHit, event.OutcomeStale:
		return "hit"
	case event.OutcomeMiss:
		return "miss"
	case event.OutcomePass:
		return "pass"
	}
	return "synth"
}

func varnishHitMiss(e *event.Request) string {
	if fromStore(e) {
		return "hit"
	}
	return "miss"
}

func appendFirstByteSeconds(dst []byte, e *event.Request) []byte {
	return strconv.AppendFloat(dst, float64(e.FirstByte)/float64(time.Second), 'f', 6, 64)
}
