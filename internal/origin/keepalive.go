package origin

import (
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// keepsFor is for how long an origin keeps an idle connection by its own word,
// where it has said so in Keep-Alive (RFC 2068 section 19.7.1.1), as Apache and
// Node.js do.
type keepsFor struct {
	said bool
	time time.Duration
}

// maxKeepsFor is longer than anybody means to keep a connection.
const maxKeepsFor = 1 << 20 // seconds

// parseKeepAlive reads timeout, in seconds. What cannot be read says nothing.
func parseKeepAlive(value string) keepsFor {
	for parameter := range strings.SplitSeq(value, ",") {
		name, text, _ := strings.Cut(field.Trim(parameter), "=")
		if !field.EqualFold(field.Trim(name), "timeout") {
			continue
		}
		seconds, err := strconv.ParseUint(field.Trim(text), 10, 32)
		if err != nil {
			return keepsFor{}
		}
		return keepsFor{true, time.Duration(min(seconds, maxKeepsFor)) * time.Second}
	}
	return keepsFor{}
}

// within returns for how long to keep a connection idle, at most most: a second
// less than the origin does, or half as long, so that no request meets its end. One
// that may not be repeated would be lost.
func (k keepsFor) within(most time.Duration) time.Duration {
	if !k.said {
		return most
	}
	return min(most, max(k.time-time.Second, k.time/2))
}
