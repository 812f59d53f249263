package server

import "encoding/binary"

// step takes the next piece of what the client sent: it answers it, translates
// it into h.onward, or has it passed on. It waits for more where nothing is there.
func (h *http2Conn) step() error {
	if h.block.left > 0 || h.block.padding > 0 {
		return h.readFragment()
	}
	if h.in.len() < frameHeaderSize {
		return h.fill()
	}
	b := h.in.bytes()
	f := parseFrameHeader(b)
	if h.block.open && (f.kind != frameContinuation || f.stream != h.block.stream) {
		return h.end(errorProtocol) // RFC 9113 section 4.3
	}
	body := b[frameHeaderSize:]
	switch {
	case !h.ready && f.kind != frameSettings:
	case f.kind == frameHeaders:
		return h.beginBlock(f, body)
	case f.kind == frameContinuation:
		if h.block.open {
			return h.continueBlock(f)
		}
	case f.kind == frameSettings && !f.has(flagAck):
		if f.length <= largestSettings {
			return h.readSettings(f, body)
		}
	case f.kind == frameWindowUpdate && f.length == 4:
		return h.readWindowUpdate(f, body)
	case f.kind == frameReset && f.length == 4:
		return h.readReset(f, body)
	case f.kind == frameData:
		return h.readData(f)
	}
	h.relay(f)
	return nil
}

// relay passes a frame on as it is.
func (h *http2Conn) relay(f frameHeader) { h.passing = frameHeaderSize + f.length }

// whole tells whether all of a short frame is there, and waits for more where not.
func (h *http2Conn) whole(f frameHeader, body []byte) (bool, error) {
	if len(body) >= f.length {
		return true, nil
	}
	return false, h.fill()
}

// isOurs tells whether a stream was answered here and has ended with that.
func (h *http2Conn) isOurs(stream uint32) bool {
	return stream > h.lastInner && stream <= h.last
}

// readData passes DATA on, unless its stream has ended here.
func (h *http2Conn) readData(f frameHeader) error {
	if h.isOurs(f.stream) {
		return h.end(errorStreamClosed)
	}
	if f.has(flagEndStream) {
		h.out.clientEnds(f.stream)
	}
	h.relay(f)
	return nil
}

// readReset passes RST_STREAM on, unless its stream has ended here.
func (h *http2Conn) readReset(f frameHeader, body []byte) error {
	if h.isOurs(f.stream) {
		if ok, err := h.whole(f, body); !ok {
			return err
		}
		h.in.discard(frameHeaderSize + f.length)
		return nil
	}
	h.out.drop(f.stream)
	h.relay(f)
	return nil
}

// readWindowUpdate keeps the connection's window, and passes on what concerns
// the inner server's streams.
func (h *http2Conn) readWindowUpdate(f frameHeader, body []byte) error {
	if f.stream != 0 && !h.isOurs(f.stream) {
		h.relay(f)
		return nil
	}
	if ok, err := h.whole(f, body); !ok {
		return err
	}
	increment := binary.BigEndian.Uint32(body) & largestWindow
	if increment == 0 {
		h.relay(f) // an error, which the inner server names
		return nil
	}
	h.in.discard(frameHeaderSize + f.length)
	if f.stream != 0 {
		return nil
	}
	if !h.out.widen(int64(increment)) {
		return h.end(errorFlowControl)
	}
	h.takeCredit()
	return nil
}

// takeCredit hands the inner server what it may send by now.
func (h *http2Conn) takeCredit() {
	if n := h.out.grant(); n > 0 {
		h.onward.append(appendWindowUpdate(nil, 0, n))
	}
}
