package sink

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// framer puts a line into the form in which it leaves. It is called when the
// line enters the queue, so that a syslog message has the time at which its line
// was written, however long it then waits.
type framer interface {
	// size returns the bytes that the frame of a line of n bytes takes.
	size(n int) int
	// append appends the frame, exactly as long as size said. It is called by many at once.
	append(dst, line []byte) []byte
}

// lineFrames end each line with a line feed.
type lineFrames struct{}

func (lineFrames) size(n int) int { return n + 1 }

func (lineFrames) append(dst, line []byte) []byte {
	return append(append(dst, line...), '\n')
}

// syslogFrames make messages after RFC 5424. What is before and behind the time
// never changes. There is no byte order mark before the line (section 6.4 leaves
// that open for text whose encoding is not vouched for): it would keep
// collectors from parsing JSON.
type syslogFrames struct {
	before, behind string
	counted        bool // each message behind its length (RFC 6587 section 3.4.1, RFC 5425 section 4.3)
}

const (
	syslogTime   = "2006-01-02T15:04:05.000000Z"
	severityInfo = 6
)

func newSyslogFrames(t Target, hostname string, counted bool) syslogFrames {
	return syslogFrames{
		before:  fmt.Sprintf("<%d>1 ", t.facility*8+severityInfo),
		behind:  fmt.Sprintf(" %s %s %d - - ", printable(hostname, 255), t.app, os.Getpid()),
		counted: counted,
	}
}

// printable makes s fit for a part of a syslog header (RFC 5424 section 6).
func printable(s string, limit int) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s) && i < limit; i++ {
		if s[i] > ' ' && s[i] < 0x7f {
			b = append(b, s[i])
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}

func (f syslogFrames) message(n int) int {
	return len(f.before) + len(syslogTime) + len(f.behind) + n
}

func (f syslogFrames) size(n int) int {
	n = f.message(n)
	if f.counted {
		n += digits(n) + 1
	}
	return n
}

func digits(n int) int {
	count := 1
	for ; n >= 10; n /= 10 {
		count++
	}
	return count
}

func (f syslogFrames) append(dst, line []byte) []byte {
	if f.counted {
		dst = strconv.AppendInt(dst, int64(f.message(len(line))), 10)
		dst = append(dst, ' ')
	}
	dst = append(dst, f.before...)
	dst = appendTime(dst, time.Now())
	dst = append(dst, f.behind...)
	return append(dst, line...)
}

// appendTime appends a time as syslogTime has it. Package time writes RFC 3339
// without a fraction several times quicker than any other layout.
func appendTime(dst []byte, t time.Time) []byte {
	dst = t.UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst[:len(dst)-1], ".000000Z"...)
	for i, micros := len(dst)-2, t.Nanosecond()/1000; micros > 0; i, micros = i-1, micros/10 {
		dst[i] = '0' + byte(micros%10)
	}
	return dst
}
