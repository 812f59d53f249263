package accesslog

import (
	"net/netip"
	"time"
)

// appendTimestamp appends a time as RFC 3339 has it, in UTC and with
// microseconds. Package time writes RFC 3339 without a fraction several times
// quicker than any layout of its own; only what stands before the Z is added.
func appendTimestamp(b []byte, t time.Time) []byte {
	b = t.UTC().AppendFormat(b, time.RFC3339)
	micros := uint32(t.Nanosecond()) / 1000
	b = append(b[:len(b)-1], ".000000Z"...)
	for i := len(b) - 2; micros > 0; i-- {
		b[i] = '0' + byte(micros%10)
		micros /= 10
	}
	return b
}

// appendAddr appends a valid address. A zone means nothing elsewhere, and netip
// lets it hold anything.
func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(b)
	}
	return a.WithZone("").AppendTo(b)
}
