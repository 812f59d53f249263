package origin

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// Frames and errors of RFC 9113, as far as these tests need them.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePing         = 0x6
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4

	clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	internalError = 2
)

// h2Origin is an HTTP/2 origin without TLS that does what net/http's server
// would not. It does not decode what is asked. It runs over TCP, whose buffers
// let both sides write at once.
type h2Origin struct{ net.Conn }

// serveHTTP2 calls handle for each request's head and returns the URL.
func serveHTTP2(t *testing.T, handle func(o h2Origin, stream uint32)) string {
	return "http://" + listen(t, func(c net.Conn) { h2Origin{c}.serve(handle) })
}

func (o h2Origin) serve(handle func(o h2Origin, stream uint32)) {
	if _, err := io.ReadFull(o, make([]byte, len(clientPreface))); err != nil {
		return
	}
	o.frame(frameSettings, 0, 0, nil)
	for {
		var h [9]byte
		if _, err := io.ReadFull(o, h[:]); err != nil {
			return
		}
		payload := make([]byte, int(h[0])<<16|int(h[1])<<8|int(h[2]))
		if _, err := io.ReadFull(o, payload); err != nil {
			return
		}
		kind, flags, stream := h[3], h[4], binary.BigEndian.Uint32(h[5:])
		switch {
		case kind == frameSettings && flags&flagAck == 0:
			o.frame(frameSettings, flagAck, 0, nil)
		case kind == framePing && flags&flagAck == 0:
			o.frame(framePing, flagAck, 0, payload)
		case kind == frameHeaders:
			handle(o, stream)
		}
	}
}

func (o h2Origin) frame(kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	b := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	b = binary.BigEndian.AppendUint32(b, stream)
	o.Write(append(b, payload...))
}

// fields sends a header or trailer section: names and values in turn.
func (o h2Origin) fields(stream uint32, end bool, fields ...string) {
	var block []byte
	for i := 0; i < len(fields); i += 2 {
		// A literal without indexing, with a new name (RFC 7541 section 6.2.2).
		block = append(block, 0)
		for _, s := range fields[i : i+2] {
			block = append(appendPrefixed(block, len(s)), s...)
		}
	}
	kind, flags := byte(frameHeaders), byte(0)
	if end {
		flags = flagEndStream
	}
	const most = 16 << 10
	for ; len(block) > most; block = block[most:] {
		o.frame(kind, flags, stream, block[:most])
		kind, flags = frameContinuation, 0
	}
	o.frame(kind, flags|flagEndHeaders, stream, block)
}

// manyFields sends a head with n fields of 1 KiB.
func (o h2Origin) manyFields(stream uint32, n int) {
	field := []string{"a", strings.Repeat("x", 1<<10)}
	o.fields(stream, true, append([]string{":status", "200"}, slices.Repeat(field, n)...)...)
}

// appendPrefixed appends an integer with a prefix of 7 bits (RFC 7541
// section 5.1).
func appendPrefixed(b []byte, n int) []byte {
	if n < 0x7f {
		return append(b, byte(n))
	}
	return binary.AppendUvarint(append(b, 0x7f), uint64(n-0x7f))
}

func (o h2Origin) data(stream uint32, end bool, s string) {
	flags := byte(0)
	if end {
		flags = flagEndStream
	}
	o.frame(frameData, flags, stream, []byte(s))
}

func (o h2Origin) reset(stream uint32) {
	o.frame(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, internalError))
}
