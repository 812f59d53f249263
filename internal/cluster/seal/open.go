package seal

import (
	"container/list"
	"crypto/cipher"
	"encoding/binary"
)

// Refusal says why a packet was not opened. The zero Refusal is none.
type Refusal uint8

const (
	Opened     Refusal = iota
	TooShort           // less than a header and a tag
	TooLong            // more than MaxPacket
	Unversed           // of a version that this program does not know
	UnknownKey         // sealed under a secret that is not in the keyring
	Forged             // the seal is wrong
	Replayed           // it was opened before: sent twice, by two relays, or by somebody else
	Stale              // so late that it cannot be told whether it was opened before
	Refusals           // how many there are
)

func (r Refusal) String() string {
	switch r {
	case Opened:
		return "opened"
	case TooShort:
		return "too short"
	case TooLong:
		return "too long"
	case Unversed:
		return "unknown version"
	case UnknownKey:
		return "unknown key"
	case Forged:
		return "forged"
	case Replayed:
		return "replayed"
	case Stale:
		return "stale"
	}
	return "unknown"
}

// maxSessions is how many senders are remembered at a time: a thousand members
// that each restart thrice between two looks at this table. The one not heard
// for longest goes; its packets could then be replayed, which changes nothing
// that has not been changed, since everything in packets may arrive twice.
const maxSessions = 4096

// Opener opens packets of all sessions. It is for one goroutine at a time.
type Opener struct {
	ring     *Keyring
	self     Session
	sessions map[Session]*list.Element
	recent   *list.List // of *sender, most recently heard first
}

type sender struct {
	session Session
	id      keyID
	aead    cipher.AEAD
	window  window
}

// NewOpener returns an opener that refuses packets of its own session.
func NewOpener(ring *Keyring, self Session) *Opener {
	return &Opener{ring: ring, self: self, sessions: make(map[Session]*list.Element), recent: list.New()}
}

// Rotate opens what another keyring can open from now on. What has been
// received is not forgotten.
func (o *Opener) Rotate(ring *Keyring) {
	o.ring = ring
	for e := o.recent.Front(); e != nil; e = e.Next() {
		e.Value.(*sender).aead = nil
	}
}

// Packet is what was in a packet.
type Packet struct {
	Session Session
	Hop     bool // pass it on
	Content []byte
}

// Open returns what is in a packet, in its own memory if scratch is too small.
// Forged packets leave no trace: only a genuine one is remembered.
func (o *Opener) Open(scratch, packet []byte) (Packet, Refusal) {
	switch {
	case len(packet) < Overhead:
		return Packet{}, TooShort
	case len(packet) > MaxPacket:
		return Packet{}, TooLong
	case packet[1] != version:
		return Packet{}, Unversed
	}
	session, id := Session(packet[6:22]), keyID(packet[2:6])
	counter := binary.BigEndian.Uint64(packet[22:headerSize])
	if session == o.self {
		return Packet{}, Replayed
	}
	key, known := o.ring.find(id)
	if !known {
		return Packet{}, UnknownKey
	}
	from := o.sender(session)
	if from != nil {
		if refused := from.window.check(counter); refused != Opened {
			return Packet{}, refused
		}
	} else {
		from = &sender{session: session}
	}
	if from.aead == nil || from.id != id {
		from.id, from.aead = id, key.aead(session[:], "rescind packet 1")
	}
	nonce := nonceOf(counter)
	content, err := from.aead.Open(scratch[:0], nonce[:], packet[headerSize:], packet[1:headerSize])
	if err != nil {
		return Packet{}, Forged
	}
	from.window.add(counter)
	o.remember(from)
	return Packet{Session: session, Hop: packet[0] == 1, Content: content}, Opened
}

func (o *Opener) sender(s Session) *sender {
	e := o.sessions[s]
	if e == nil {
		return nil
	}
	return e.Value.(*sender)
}

func (o *Opener) remember(s *sender) {
	if e := o.sessions[s.session]; e != nil {
		o.recent.MoveToFront(e)
		return
	}
	if len(o.sessions) >= maxSessions {
		oldest := o.recent.Back()
		delete(o.sessions, oldest.Value.(*sender).session)
		o.recent.Remove(oldest)
	}
	o.sessions[s.session] = o.recent.PushFront(s)
}
