package seal

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Opening of a stream: each side sends its version, the id of the key that it
// seals under, and 32 random bytes. The keys of both directions are derived
// from the secret of the side that dialled and all 64 bytes, so a recorded
// stream opens nowhere. Then come frames: three bytes of length, big endian, and
// as many bytes of AES-256-GCM, the nonce counting from 1 in each direction. The first byte
// of what is in a frame is 1 if the message goes on in the next frame, else 0.
const (
	randomSize = 32
	openSize   = 1 + 4 + randomSize
	// maxFrame bounds what is taken in before its seal has been checked.
	maxFrame = 64 << 10
	moreFlag = 1
)

var (
	// ErrRefused is wrapped by errors about a stream that was not opened by a
	// holder of our secrets, or was tampered with.
	ErrRefused = errors.New("stream refused")
	// ErrTooLong is returned by ReadMessage for a message above its limit.
	ErrTooLong = errors.New("message above its limit")
)

// RefusedError is an error that wraps ErrRefused and says why.
type RefusedError struct{ Why Refusal }

func (e *RefusedError) Error() string { return "stream refused: " + e.Why.String() }

// Unwrap returns ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// Stream carries sealed messages. One goroutine may read while another writes.
type Stream struct {
	r   *bufio.Reader
	w   io.Writer
	in  half
	out half
}

type half struct {
	aead    cipher.AEAD
	counter uint64
	buf     []byte
}

// Dial opens a stream as the side that dialled. Deadlines are the caller's.
func Dial(conn io.ReadWriter, ring *Keyring, random io.Reader) (*Stream, error) {
	primary := &ring.keys[0]
	mine, err := sendOpening(conn, primary, random)
	if err != nil {
		return nil, err
	}
	_, theirs, err := readOpening(conn, ring)
	if err != nil {
		return nil, err
	}
	return newStream(conn, primary, mine, theirs, true), nil
}

// Accept opens a stream as the side that was dialled.
func Accept(conn io.ReadWriter, ring *Keyring, random io.Reader) (*Stream, error) {
	key, theirs, err := readOpening(conn, ring)
	if err != nil {
		return nil, err
	}
	mine, err := sendOpening(conn, key, random)
	if err != nil {
		return nil, err
	}
	return newStream(conn, key, theirs, mine, false), nil
}

func sendOpening(w io.Writer, k *key, random io.Reader) ([]byte, error) {
	b := make([]byte, openSize)
	b[0] = version
	copy(b[1:], k.id[:])
	if _, err := io.ReadFull(random, b[5:]); err != nil {
		return nil, fmt.Errorf("seal: open a stream: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("seal: open a stream: %w", err)
	}
	return b[5:], nil
}

func readOpening(r io.Reader, ring *Keyring) (*key, []byte, error) {
	b := make([]byte, openSize)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, nil, fmt.Errorf("seal: open a stream: %w", err)
	}
	if b[0] != version {
		return nil, nil, &RefusedError{Unversed}
	}
	k, ok := ring.find(keyID(b[1:5]))
	if !ok {
		return nil, nil, &RefusedError{UnknownKey}
	}
	return k, b[5:], nil
}

func newStream(conn io.ReadWriter, k *key, dialer, acceptor []byte, dialled bool) *Stream {
	salt := append(append([]byte(nil), dialer...), acceptor...)
	s := &Stream{r: bufio.NewReader(conn), w: conn}
	s.out.aead, s.in.aead = k.aead(salt, "rescind stream out 1"), k.aead(salt, "rescind stream in 1")
	if !dialled {
		s.out.aead, s.in.aead = s.in.aead, s.out.aead
	}
	return s
}

// WriteMessage sends a message, of any length.
func (s *Stream) WriteMessage(message []byte) error {
	const room = maxFrame - tagSize - 1
	for {
		part := message[:min(len(message), room)]
		message = message[len(part):]
		if err := s.writeFrame(part, len(message) > 0); err != nil {
			return err
		}
		if len(message) == 0 {
			return nil
		}
	}
}

func (s *Stream) writeFrame(part []byte, more bool) error {
	h := &s.out
	h.counter++
	flag := byte(0)
	if more {
		flag = moreFlag
	}
	n := 1 + len(part) + tagSize
	plain := append(append(make([]byte, 0, 1+len(part)), flag), part...)
	h.buf = append(h.buf[:0], byte(n>>16), byte(n>>8), byte(n))
	nonce := nonceOf(h.counter)
	h.buf = h.aead.Seal(h.buf, nonce[:], plain, nil)
	if _, err := s.w.Write(h.buf); err != nil {
		return fmt.Errorf("seal: write to a stream: %w", err)
	}
	return nil
}

// ReadMessage returns the next message, in memory of its own. It returns
// ErrTooLong as soon as it is longer than limit bytes, and an error that wraps
// ErrRefused if it was tampered with; the stream is useless after either. large,
// if not nil, is called before more than one frame is taken in: it may wait, or
// return an error, which is returned.
func (s *Stream) ReadMessage(limit int, large func() error) ([]byte, error) {
	var message []byte
	asked := large == nil
	for {
		plain, err := s.readFrame()
		if err != nil {
			return nil, err
		}
		if len(message)+len(plain)-1 > limit {
			return nil, ErrTooLong
		}
		message = append(message, plain[1:]...)
		if plain[0] == moreFlag && !asked {
			if err := large(); err != nil {
				return nil, err
			}
			asked = true
		}
		switch plain[0] {
		case 0:
			return message, nil
		case moreFlag:
			if len(plain) == 1 {
				return nil, fmt.Errorf("%w: an empty part", ErrRefused)
			}
		default:
			return nil, fmt.Errorf("%w: unknown flag", ErrRefused)
		}
	}
}

func (s *Stream) readFrame() ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(s.r, length[1:]); err != nil {
		return nil, fmt.Errorf("seal: read from a stream: %w", err)
	}
	n := int(binary.BigEndian.Uint32(length[:]))
	if n < 1+tagSize || n > maxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes", ErrRefused, n)
	}
	h := &s.in
	if cap(h.buf) < n {
		h.buf = make([]byte, n)
	}
	h.buf = h.buf[:n]
	if _, err := io.ReadFull(s.r, h.buf); err != nil {
		return nil, fmt.Errorf("seal: read from a stream: %w", err)
	}
	h.counter++
	nonce := nonceOf(h.counter)
	plain, err := h.aead.Open(h.buf[:0], nonce[:], h.buf, nil)
	if err != nil {
		return nil, &RefusedError{Forged}
	}
	return plain, nil
}
