package accesslog

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// Times are put together here because package time reads a layout anew for each,
// which takes longer than all else that is in a line of a usual format. Years of
// other than four digits, which no clock shows, are left to it.

const (
	jsonTime   = "2006-01-02T15:04:05.000000Z"
	apacheTime = "[02/Jan/2006:15:04:05 -0700]"
)

// appendTimestamp appends a time as jsonTime has it: RFC 3339, in UTC.
func appendTimestamp(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, jsonTime)
	}
	hour, minute, second := t.Clock()
	micros := t.Nanosecond() / 1000
	n := len(b)
	b = append(b, jsonTime...)
	to := b[n:][:len(jsonTime)]
	two(to[0:], year/100)
	two(to[2:], year%100)
	two(to[5:], int(month))
	two(to[8:], day)
	two(to[11:], hour)
	two(to[14:], minute)
	two(to[17:], second)
	two(to[20:], micros/10000)
	two(to[22:], micros/100%100)
	two(to[24:], micros%100)
	return b
}

// appendApacheTime appends a time as apacheTime has it, in UTC.
func appendApacheTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, apacheTime)
	}
	hour, minute, second := t.Clock()
	n := len(b)
	b = append(b, "[02/Jan/2006:15:04:05 +0000]"...)
	to := b[n:][:len(apacheTime)]
	two(to[1:], day)
	copy(to[4:7], month.String())
	two(to[8:], year/100)
	two(to[10:], year%100)
	two(to[13:], hour)
	two(to[16:], minute)
	two(to[19:], second)
	return b
}

// clock appends times as apacheTime has them. It keeps the text of the last
// second: a busy log asks for it a hundred thousand times.
type clock struct{ last atomic.Pointer[tick] }

type tick struct {
	second int64 // Unix time
	text   string
}

func (c *clock) append(dst []byte, e *event.Request) []byte {
	second := e.Time.Unix()
	last := c.last.Load()
	if last == nil || last.second != second {
		last = &tick{second, string(appendApacheTime(nil, e.Time))}
		c.last.Store(last)
	}
	return append(dst, last.text...)
}

// two writes a number below 100 as two digits.
func two(to []byte, n int) {
	to[0], to[1] = '0'+byte(n/10), '0'+byte(n%10)
}

// appendAddr appends a valid address. A zone means nothing elsewhere, and netip
// lets it hold anything.
func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(b)
	}
	return a.WithZone("").AppendTo(b)
}
