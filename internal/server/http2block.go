package server

import (
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/rescind-edge/rescind/internal/field"
)

const (
	// defaultTableSize is the dynamic table of both header decoders: what the
	// inner server announces, and what it was not told to stay below.
	defaultTableSize = 4 << 10
	// maxHeaderList bounds a decoded header list as the inner server counts it
	// (RFC 9113 section 6.5.2). It adds ten times 32 to what it is given.
	maxHeaderList = netHTTPHeaderBytes + 10*fieldOverhead
	fieldOverhead = 32
	// maxBlock bounds an encoded block. Text that is longer encoded than decoded
	// serves no purpose but ours to be busy.
	maxBlock = 2 * maxHeaderList
	// maxContinuations bounds the frames of a block: several times as many as
	// the largest list needs, if its sender fills them.
	maxContinuations = 4 * (maxHeaderList/maxFramePayload + 1)
	// keptFields is how many fields a connection keeps room for between requests.
	keptFields = 64
)

// http2Block is a header block of the client while it arrives and is decoded.
type http2Block struct {
	decoder *hpack.Decoder
	open    bool          // it has begun and not ended
	by      time.Duration // when it has to be there, by the server's clock

	stream   uint32
	flags    uint8 // of HEADERS
	priority [prioritySize]byte

	last    bool // the frame being read is the last of the block
	left    int  // bytes to come of the fragment in this frame
	padding int  // bytes to come behind it
	frames  int
	encoded int

	fields  field.Fields // decoded, pseudo-fields included
	size    int          // of the list; beyond maxHeaderList no more fields are kept
	regular field.Fields // of fields, those of the request handed to the FastHandler
	text    []byte       // cookies put together
}

// take is called by the decoder for each field.
func (b *http2Block) take(f hpack.HeaderField) {
	if b.size > maxHeaderList {
		return // the inner server sees that the list is too large, and says so
	}
	b.size += int(f.Size())
	b.fields = append(b.fields, field.Field{Name: f.Name, Value: f.Value})
}

// beginBlock takes a HEADERS frame, of which body is what has arrived.
func (h *http2Conn) beginBlock(f frameHeader, body []byte) error {
	front := 0
	if f.has(flagPadded) {
		front++
	}
	if f.has(flagPriority) {
		front += prioritySize
	}
	if f.stream == 0 || f.length < front || f.length > maxFramePayload {
		h.relay(f) // an error, which the inner server names
		return nil
	}
	if len(body) < front {
		return h.fill()
	}
	b := &h.block
	left, padding := f.length-front, 0
	if f.has(flagPadded) {
		padding = int(body[0])
		body = body[1:]
	}
	if padding > left {
		return h.end(errorProtocol) // RFC 9113 section 6.2
	}
	if f.has(flagPriority) {
		copy(b.priority[:], body)
	}
	h.in.discard(frameHeaderSize + front)
	b.open, b.by = true, h.server.uptime()+h.server.limits.Load().ReadHeaderTimeout
	b.stream, b.flags, b.last = f.stream, f.flags, f.has(flagEndHeaders)
	b.left, b.padding, b.frames, b.encoded, b.size = left-padding, padding, 0, 0, 0
	b.fields = b.fields[:0]
	return h.readFragment()
}

// continueBlock takes a CONTINUATION frame.
func (h *http2Conn) continueBlock(f frameHeader) error {
	b := &h.block
	if b.frames++; b.frames > maxContinuations || f.length > maxFramePayload {
		return h.end(errorCalmDown)
	}
	h.in.discard(frameHeaderSize)
	b.left, b.padding, b.last = f.length, 0, f.has(flagEndHeaders)
	return h.readFragment()
}

// readFragment decodes what is there of a frame's part of the block.
func (h *http2Conn) readFragment() error {
	b := &h.block
	if h.in.len() == 0 && b.left+b.padding > 0 {
		return h.fill()
	}
	piece := h.in.bytes()[:min(b.left, h.in.len())]
	if b.encoded += len(piece); b.encoded > maxBlock {
		return h.end(errorCalmDown)
	}
	if _, err := b.decoder.Write(piece); err != nil {
		return h.end(errorCompression)
	}
	b.left -= len(piece)
	h.in.discard(len(piece))
	if b.left == 0 {
		n := min(b.padding, h.in.len())
		b.padding -= n
		h.in.discard(n)
	}
	if b.left+b.padding > 0 || !b.last {
		return nil
	}
	b.open = false
	if err := b.decoder.Close(); err != nil {
		return h.end(errorCompression)
	}
	return h.meetBlock()
}

// meetBlock decides who gets a request, or the trailers of one.
func (h *http2Conn) meetBlock() error {
	b := &h.block
	defer b.forget()
	switch {
	case b.stream%2 == 0: // an error, which the inner server names
	case b.stream > h.last:
		return h.meetRequest()
	case h.isOurs(b.stream):
		return h.end(errorStreamClosed)
	case b.flags&flagEndStream != 0:
		h.out.clientEnds(b.stream)
	}
	h.passBlock()
	return nil
}

// meetRequest has a request answered, or gives it to the inner server.
func (h *http2Conn) meetRequest() error {
	h.last = h.block.stream
	if h.isSimple() {
		switch h.offer() {
		case fastAnswered:
			return nil
		case fastEnded:
			return h.end(errorInternal)
		}
	}
	h.lastInner = h.block.stream
	h.out.begin(h.block.stream, h.block.flags&flagEndStream != 0)
	h.passBlock()
	return nil
}

// passBlock gives the block to the inner server, with the text of each field:
// its decoder has nothing to remember.
func (h *http2Conn) passBlock() {
	b := &h.block
	var block []byte
	if b.flags&flagPriority != 0 {
		block = append(block, b.priority[:]...)
	}
	for _, f := range b.fields {
		block = appendHPACKInt(append(block, 0), 0, 7, len(f.Name))
		block = append(block, f.Name...)
		block = appendHPACKInt(block, 0, 7, len(f.Value))
		block = append(block, f.Value...)
	}
	h.onward.append(appendBlock(nil, b.stream, b.flags, block))
}

// forget lets go of what the fields held.
func (b *http2Block) forget() {
	clear(b.fields)
	clear(b.regular)
	if cap(b.fields) > keptFields {
		b.fields, b.regular, b.text = nil, nil, nil
	}
}
