package server

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"

	"github.com/rescind-edge/rescind/internal/field"
)

// innerFrames are the inner server's frames as they are read: it writes them in
// pieces of any size.
type innerFrames struct {
	part []byte // the beginning of a frame

	decoder *hpack.Decoder
	stream  uint32 // of the header block
	flags   uint8
	fields  field.Fields
}

func (i *innerFrames) take(f hpack.HeaderField) {
	i.fields = append(i.fields, field.Field{Name: f.Name, Value: f.Value})
}

// Write takes frames of the inner server and sends them to the client.
func (h *http2Conn) Write(p []byte) (int, error) {
	o := &h.out
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p)
	for o.mu.err == nil && len(p) > 0 {
		var frame []byte
		if frame, p = o.mu.inner.next(p); frame != nil {
			o.translateLocked(parseFrameHeader(frame), frame[frameHeaderSize:])
		}
		if len(o.mu.buf) > outFull {
			o.flushLocked()
		}
	}
	if err := o.flushLocked(); err != nil {
		o.lastWordsLocked(err)
		return 0, err
	}
	if o.mu.windows.starving() {
		h.poke()
	}
	return n, nil
}

// lastWordsLocked says why a connection ends for an error that is not of writing.
func (o *http2Output) lastWordsLocked(err error) {
	if err == errHeldTooMuch {
		o.limitWriteLocked()
		o.conn.Conn.Write(appendGoAway(o.mu.buf, largestWindow, errorCalmDown))
		o.mu.buf = nil
	}
}

// next returns the frame that p ends or has whole, if there is one, and the rest
// of p. The frame is valid until the next call.
func (i *innerFrames) next(p []byte) (frame, rest []byte) {
	if len(i.part) == 0 && len(p) >= frameHeaderSize {
		if n := frameHeaderSize + parseFrameHeader(p).length; len(p) >= n {
			return p[:n], p[n:]
		}
	}
	if missing := frameHeaderSize - len(i.part); missing > 0 {
		n := min(missing, len(p))
		i.part, p = append(i.part, p[:n]...), p[n:]
		if len(i.part) < frameHeaderSize {
			return nil, nil
		}
	}
	n := min(frameHeaderSize+parseFrameHeader(i.part).length-len(i.part), len(p))
	i.part, p = append(i.part, p[:n]...), p[n:]
	if len(i.part) < frameHeaderSize+parseFrameHeader(i.part).length {
		return nil, p
	}
	frame = i.part
	i.part = i.part[:0]
	if cap(i.part) > pooledSize {
		i.part = nil
	}
	return frame, p
}

// translateLocked sends a frame of the inner server on.
func (o *http2Output) translateLocked(f frameHeader, payload []byte) {
	m := &o.mu
	switch f.kind {
	case frameHeaders, frameContinuation:
		o.innerBlockLocked(f, payload)
		return
	case frameData:
		m.windows.credit -= int64(f.length)
		o.sendLocked(f, payload)
		return
	case frameReset:
		o.sendLocked(f, payload)
		return
	case frameGoAway:
		o.goAwayLocked(payload)
		return
	case frameSettings:
		o.innerSettingsLocked(f, payload)
		return
	}
	o.appendLocked(f, payload)
}

// innerSettingsLocked sends SETTINGS on. An acknowledgement does not overtake
// data: a smaller window may be what it acknowledges.
func (o *http2Output) innerSettingsLocked(f frameHeader, payload []byte) {
	m := &o.mu
	switch {
	case !f.has(flagAck):
		o.appendLocked(f, payload)
		o.conn.settle.Do(func() { close(o.conn.settled) })
	case len(m.held) > 0:
		o.holdLocked(f, payload)
	default:
		m.windows.acknowledged()
		o.appendLocked(f, payload)
	}
}

// innerBlockLocked collects a header block, and sends it once it is complete.
func (o *http2Output) innerBlockLocked(f frameHeader, payload []byte) {
	m := &o.mu
	i := &m.inner
	if f.kind == frameHeaders {
		i.stream, i.flags, i.fields = f.stream, f.flags, i.fields[:0]
	}
	if _, m.err = i.decoder.Write(payload); m.err != nil || !f.has(flagEndHeaders) {
		return
	}
	if m.err = i.decoder.Close(); m.err != nil {
		return
	}
	// Text without references to the table is valid wherever it comes to stand
	// in the order of blocks.
	whole := frameHeader{kind: frameHeaders, flags: i.flags & flagEndStream, stream: i.stream}
	if m.streams[i.stream].held > 0 {
		var block []byte
		for _, line := range i.fields {
			block = appendHPACKLiteral(block, 0, 4, []byte(line.Name), line.Value)
		}
		whole.length = len(block)
		o.holdLocked(whole, block)
	} else if _, ok := m.streams[i.stream]; ok {
		o.bufferLocked()
		start := len(m.buf)
		m.buf = m.encoder.begin(appendFrameHeader(m.buf, whole))
		for _, line := range i.fields {
			m.buf = m.encoder.add(m.buf, line.Name, line.Value)
		}
		o.closeBlockLocked(start, whole)
		o.sentLocked(whole)
	}
	clear(i.fields)
	if cap(i.fields) > keptFields {
		i.fields = nil
	}
}

// closeBlockLocked completes a header block that begins, with its frame's header,
// at start.
func (o *http2Output) closeBlockLocked(start int, f frameHeader) {
	m := &o.mu
	f.length = len(m.buf) - start - frameHeaderSize
	if f.length > maxFramePayload {
		block := append([]byte(nil), m.buf[start+frameHeaderSize:]...)
		m.buf = appendBlock(m.buf[:start], f.stream, f.flags, block)
		return
	}
	f.flags |= flagEndHeaders
	appendFrameHeader(m.buf[:start], f)
}

// goAwayLocked sends GOAWAY on. It covers the streams answered here; of those
// that it then covers although the inner server has not seen them, the client is
// told one by one that it may try again.
func (o *http2Output) goAwayLocked(payload []byte) {
	m := &o.mu
	if len(payload) < 8 {
		return
	}
	seen := binary.BigEndian.Uint32(payload) & largestWindow
	last := max(seen, m.last)
	if m.gone {
		last = min(last, m.goneAt) // it may not rise (RFC 9113 section 6.8)
	}
	m.gone, m.goneAt = true, last
	o.bufferLocked()
	m.buf = appendGoAway(m.buf, last, binary.BigEndian.Uint32(payload[4:]))
	for stream := range m.streams {
		if stream > seen {
			if stream <= last {
				o.refuseLocked(stream)
			}
			o.removeLocked(stream)
		}
	}
}

// sendLocked sends DATA or RST_STREAM, or holds it: data that the client's window
// does not admit, and what comes behind that on the same stream. What else the
// inner server sends does not wait.
func (o *http2Output) sendLocked(f frameHeader, payload []byte) {
	m := &o.mu
	st, ok := m.streams[f.stream]
	switch {
	case !ok && f.kind == frameReset:
		// Of a stream that it refuses, or has seen end.
		o.appendLocked(f, payload)
	case !ok: // the client has reset it
	case st.held > 0 || f.kind == frameData && int64(f.length) > m.windows.conn:
		o.holdLocked(f, payload)
		o.releaseLocked()
	default:
		o.appendLocked(f, payload)
		o.sentLocked(f)
	}
}

// appendLocked sends a frame.
func (o *http2Output) appendLocked(f frameHeader, payload []byte) {
	m := &o.mu
	o.bufferLocked()
	m.buf = append(appendFrameHeader(m.buf, f), payload...)
	if f.kind == frameData {
		m.windows.conn -= int64(f.length)
	}
}

// sentLocked notes what a frame of a stream that was sent means for the stream.
func (o *http2Output) sentLocked(f frameHeader) {
	st := o.mu.streams[f.stream]
	switch {
	case f.kind == frameReset:
		o.removeLocked(f.stream)
	case f.has(flagEndStream):
		st.ended = true
		o.mu.streams[f.stream] = st
		o.settleLocked(f.stream, st)
	}
}
