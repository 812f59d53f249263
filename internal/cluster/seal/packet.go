package seal

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// Layout of a packet, in bytes:
//
//	0      hop: 1 asks the receiver to pass the packet on; not authenticated
//	1      version
//	2-5    key id
//	6-21   session: 128 random bits of the sender's start
//	22-29  counter, big endian: from 1, never twice in a session
//	30-    AES-256-GCM of the content; bytes 1 to 29 are authenticated with it
//
// The key is derived from the secret and the session, the nonce is the counter.
// The hop stays outside, so that a relay passes a packet on as it is: whoever
// changes it makes a member pass on a genuine packet that is new to it, or not.
const (
	version    = 1
	headerSize = 30
	tagSize    = 16

	// Overhead is the bytes that sealing adds to a packet.
	Overhead = headerSize + tagSize
	// MaxPacket is the most bytes of a packet: with IPv6 and UDP headers it
	// stays below 1,280, which every path carries unfragmented.
	MaxPacket = 1200
	// MaxContent is the most bytes that fit into a packet.
	MaxContent = MaxPacket - Overhead
)

// Session names one start of one member.
type Session [16]byte

// NewSession draws a session from a cryptographic source. The error is the
// source's.
func NewSession(random io.Reader) (Session, error) {
	var s Session
	if _, err := io.ReadFull(random, s[:]); err != nil {
		return Session{}, fmt.Errorf("seal: draw a session: %w", err)
	}
	return s, nil
}

// Sealer seals packets of one session. It is safe for concurrent use.
type Sealer struct {
	session Session
	mu      struct {
		sync.Mutex
		counter uint64
		primary keyID
		aead    cipher.AEAD
	}
}

// NewSealer returns a sealer of a session that no other sealer has.
func NewSealer(ring *Keyring, session Session) *Sealer {
	s := &Sealer{session: session}
	s.Rotate(ring)
	return s
}

// Rotate seals under another primary from now on. The counter goes on.
func (s *Sealer) Rotate(ring *Keyring) {
	primary := &ring.keys[0]
	aead := primary.aead(s.session[:], "rescind packet 1")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.primary, s.mu.aead = primary.id, aead
}

// Seal appends a packet with some content, of at most MaxContent bytes.
func (s *Sealer) Seal(to, content []byte) []byte {
	s.mu.Lock()
	s.mu.counter++
	counter, id, aead := s.mu.counter, s.mu.primary, s.mu.aead
	s.mu.Unlock()
	start := len(to)
	to = append(to, 0, version)
	to = append(to, id[:]...)
	to = append(to, s.session[:]...)
	to = binary.BigEndian.AppendUint64(to, counter)
	header := to[start:]
	nonce := nonceOf(counter)
	return aead.Seal(to, nonce[:], content, header[1:headerSize])
}

// MarkHop says in a sealed packet whether its receiver is to pass it on.
func MarkHop(packet []byte, hop bool) {
	packet[0] = 0
	if hop {
		packet[0] = 1
	}
}

func nonceOf(counter uint64) [12]byte {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], counter)
	return nonce
}
