package wire

import "encoding/binary"

// Type says what a frame of a packet is.
type Type uint8

// Types of frames. Numbers are never changed or used again.
const (
	TypeBatch      Type = 1 // entries
	TypeAck        Type = 2 // acknowledgements
	TypePing       Type = 3 // asks for a pong
	TypePong       Type = 4
	TypeProbe      Type = 5 // asks whether the receiver knows what the sender knows
	TypeProbeReply Type = 6
	TypeTimes      Type = 7 // when entries came into force, of the acknowledgements behind it
)

// FrameOverhead is the bytes of a frame besides its body: type and length.
const FrameOverhead = 3

// AppendFrame appends a frame, whose body is at most 65,535 bytes.
func AppendFrame(to []byte, t Type, body []byte) []byte {
	to = append(to, byte(t))
	to = binary.BigEndian.AppendUint16(to, uint16(len(body)))
	return append(to, body...)
}

// Frame is a part of a packet.
type Frame struct {
	Type Type
	Body []byte // of the packet's memory
}

// NextFrame takes the first frame off a packet's content. The error wraps
// ErrMalformed.
func NextFrame(content []byte) (f Frame, rest []byte, err error) {
	if len(content) < FrameOverhead {
		return Frame{}, nil, malformed("a frame without a head")
	}
	f.Type = Type(content[0])
	n := int(binary.BigEndian.Uint16(content[1:]))
	content = content[FrameOverhead:]
	if n > len(content) {
		return Frame{}, nil, malformed("a frame that ends too early")
	}
	f.Body = content[:n:n]
	return f, content[n:], nil
}

// MaxBatchOverhead is the most bytes of a batch frame besides its entries.
const MaxBatchOverhead = FrameOverhead + binary.MaxVarintLen64

// AppendBatch appends a batch frame: the batch's number, counted from 1 in the
// sender's session, and a message of entries.
func AppendBatch(to []byte, number uint64, entries []byte) []byte {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], number)
	to = append(to, byte(TypeBatch))
	to = binary.BigEndian.AppendUint16(to, uint16(n+len(entries)))
	to = append(to, head[:n]...)
	return append(to, entries...)
}

// ParseBatch reads the body of a batch frame. The entries alias it. The error
// wraps ErrMalformed.
func ParseBatch(body []byte) (number uint64, entries []byte, err error) {
	r := reader{data: body}
	number = r.uvarint()
	if number == 0 {
		r.fail("a batch without a number")
	}
	return number, r.data, r.err
}

// AppendPing appends a ping or pong frame with a token.
func AppendPing(to []byte, t Type, token uint64) []byte {
	var body [8]byte
	binary.BigEndian.PutUint64(body[:], token)
	return AppendFrame(to, t, body[:])
}

// ParsePing reads the token of a ping or pong. The error wraps ErrMalformed.
func ParsePing(body []byte) (token uint64, err error) {
	r := reader{data: body}
	token = r.uint64()
	return token, r.end()
}
