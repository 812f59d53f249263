package server

import "encoding/binary"

// largestSettings is how long a SETTINGS payload may be to be looked into. The
// inner server refuses more than 100 parameters.
const largestSettings = 100 * settingSize

// readSettings notes what bears on answers, and changes what is settled between
// the client and us alone: how header blocks are compressed, how large our
// frames are, and that nothing is pushed.
func (h *http2Conn) readSettings(f frameHeader, body []byte) error {
	if f.length%settingSize != 0 || f.stream != 0 {
		h.relay(f) // an error, which the inner server names
		return nil
	}
	if ok, err := h.whole(f, body); !ok {
		return err
	}
	payload := append([]byte(nil), body[:f.length]...)
	h.in.discard(frameHeaderSize + f.length)
	mayPush := h.heedSettings(payload)
	if !h.ready && mayPush {
		payload = binary.BigEndian.AppendUint16(payload, settingEnablePush)
		payload = binary.BigEndian.AppendUint32(payload, 0)
	}
	f.length = len(payload)
	h.onward.append(append(appendFrameHeader(nil, f), payload...))
	if !h.ready {
		h.ready = true
		if h.server.draining.Load() {
			// The drain may have begun before the inner server knew of this
			// connection.
			h.leave()
		}
	}
	return nil
}

// heedSettings goes through the parameters. It tells whether none of them is
// about pushes.
func (h *http2Conn) heedSettings(payload []byte) (mayPush bool) {
	mayPush = true
	for p := payload; len(p) > 0; p = p[settingSize:] {
		value := p[2:settingSize]
		n := binary.BigEndian.Uint32(value)
		switch binary.BigEndian.Uint16(p) {
		case settingTableSize:
			h.out.setTableSize(n)
			binary.BigEndian.PutUint32(value, 0)
		case settingEnablePush:
			mayPush = false
			if n == 1 {
				binary.BigEndian.PutUint32(value, 0)
			}
		case settingInitialWindow:
			h.out.setStreamWindow(n)
		case settingMaxFrameSize:
			if n >= maxFramePayload && n <= largestFramePayload {
				binary.BigEndian.PutUint32(value, maxFramePayload)
			}
		}
	}
	h.out.settingsSeen()
	return mayPush
}
