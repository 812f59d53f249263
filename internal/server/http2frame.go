package server

import "encoding/binary"

// Types of HTTP/2 frames that are looked into (RFC 9113 section 6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	framePriority     = 0x2
	frameReset        = 0x3
	frameSettings     = 0x4
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9
)

// Flags of HTTP/2 frames.
const (
	flagAck        = 0x1 // of SETTINGS
	flagEndStream  = 0x1 // of HEADERS and DATA
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// Error codes of HTTP/2 (RFC 9113 section 7).
const (
	errorNone          = 0x0
	errorProtocol      = 0x1
	errorInternal      = 0x2
	errorFlowControl   = 0x3
	errorStreamClosed  = 0x5
	errorRefusedStream = 0x7
	errorCompression   = 0x9
	errorCalmDown      = 0xb
)

// Parameters of SETTINGS (RFC 9113 section 6.5.2).
const (
	settingTableSize     = 0x1
	settingEnablePush    = 0x2
	settingInitialWindow = 0x4
	settingMaxFrameSize  = 0x5
)

const (
	frameHeaderSize = 9
	prioritySize    = 5
	settingSize     = 6
	// maxFramePayload is the largest payload that either side sends: what every
	// peer has to take (RFC 9113 section 4.2). Larger ones would only have
	// answers wait for each other for longer.
	maxFramePayload = 16 << 10
	// largestFramePayload is what a peer may allow.
	largestFramePayload = 1<<24 - 1
	// initialWindow is what each flow-control window begins with
	// (RFC 9113 section 6.9.2).
	initialWindow = 1<<16 - 1
	largestWindow = 1<<31 - 1
)

// frameHeader is what each HTTP/2 frame begins with (RFC 9113 section 4.1).
type frameHeader struct {
	length int // of the payload
	kind   uint8
	flags  uint8
	stream uint32
}

// parseFrameHeader takes the first frameHeaderSize bytes of b.
func parseFrameHeader(b []byte) frameHeader {
	return frameHeader{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3],
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & largestWindow,
	}
}

func appendFrameHeader(b []byte, h frameHeader) []byte {
	return append(b, byte(h.length>>16), byte(h.length>>8), byte(h.length), h.kind, h.flags,
		byte(h.stream>>24), byte(h.stream>>16), byte(h.stream>>8), byte(h.stream))
}

func (h frameHeader) has(flag uint8) bool { return h.flags&flag != 0 }

func appendWindowUpdate(b []byte, stream, increment uint32) []byte {
	b = appendFrameHeader(b, frameHeader{length: 4, kind: frameWindowUpdate, stream: stream})
	return binary.BigEndian.AppendUint32(b, increment)
}

func appendReset(b []byte, stream, code uint32) []byte {
	b = appendFrameHeader(b, frameHeader{length: 4, kind: frameReset, stream: stream})
	return binary.BigEndian.AppendUint32(b, code)
}

func appendGoAway(b []byte, last, code uint32) []byte {
	b = appendFrameHeader(b, frameHeader{length: 8, kind: frameGoAway})
	b = binary.BigEndian.AppendUint32(b, last)
	return binary.BigEndian.AppendUint32(b, code)
}

// appendBlock appends a header block as HEADERS and as many CONTINUATION frames
// as it takes. Of flags, only END_STREAM and PRIORITY count; with the latter the
// block begins with the priority.
func appendBlock(b []byte, stream uint32, flags uint8, block []byte) []byte {
	h := frameHeader{kind: frameHeaders, flags: flags & (flagEndStream | flagPriority), stream: stream}
	for {
		piece := block[:min(len(block), maxFramePayload)]
		block = block[len(piece):]
		if h.length = len(piece); len(block) == 0 {
			h.flags |= flagEndHeaders
		}
		b = append(appendFrameHeader(b, h), piece...)
		if len(block) == 0 {
			return b
		}
		h.kind, h.flags = frameContinuation, 0
	}
}
