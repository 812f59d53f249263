package server

// maxHeld bounds the frames that wait for the window of the connection: the data
// of the overdraft, and as much again for what stands around it. A client that
// has its data cut smaller than that is not served.
const maxHeld = 2 * maxOverdraft

// holdLocked puts a frame behind those that wait.
func (o *http2Output) holdLocked(f frameHeader, payload []byte) {
	m := &o.mu
	if len(m.held)+frameHeaderSize+len(payload) > maxHeld {
		m.err = errHeldTooMuch
		return
	}
	m.held = append(appendFrameHeader(m.held, f), payload...)
	if st, ok := m.streams[f.stream]; ok {
		st.held++
		m.streams[f.stream] = st
	}
}

// releaseLocked sends what was held, in its order, as far as the window admits.
func (o *http2Output) releaseLocked() {
	m := &o.mu
	rest := m.held
	for len(rest) > 0 && m.err == nil {
		f := parseFrameHeader(rest)
		payload := rest[frameHeaderSize : frameHeaderSize+f.length]
		st, ok := m.streams[f.stream]
		if ok && f.kind == frameData && int64(f.length) > m.windows.conn {
			if n := int(m.windows.conn); n > 0 {
				rest = o.splitLocked(f, rest, n)
			}
			break
		}
		rest = rest[frameHeaderSize+f.length:]
		if f.kind == frameSettings {
			m.windows.acknowledged()
			o.appendLocked(f, payload)
			continue
		}
		if !ok {
			continue // the client has reset it meanwhile
		}
		st.held--
		m.streams[f.stream] = st
		o.sendHeldLocked(f, payload)
	}
	m.held = append(m.held[:0], rest...)
	if len(m.held) == 0 {
		m.held = nil
	}
}

// splitLocked sends the first n bytes of the DATA frame that rest begins with,
// and returns rest without them.
func (o *http2Output) splitLocked(f frameHeader, rest []byte, n int) []byte {
	head := frameHeader{length: n, kind: frameData, stream: f.stream}
	o.appendLocked(head, rest[frameHeaderSize:frameHeaderSize+n])
	f.length -= n
	appendFrameHeader(rest[n:n], f)
	return rest[n:]
}

func (o *http2Output) sendHeldLocked(f frameHeader, payload []byte) {
	m := &o.mu
	if f.kind != frameHeaders {
		o.appendLocked(f, payload)
		o.sentLocked(f)
		return
	}
	o.bufferLocked()
	start := len(m.buf)
	m.buf = append(m.encoder.begin(appendFrameHeader(m.buf, f)), payload...)
	o.closeBlockLocked(start, f)
	o.sentLocked(f)
}
