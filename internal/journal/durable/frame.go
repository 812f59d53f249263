package durable

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A frame is
//
//	magic   4 bytes
//	length  4 bytes, big-endian like the others, of the payload
//	synced  4 bytes, how much of the file was on disk when the frame was written
//	check   4 bytes, CRC-32C of segment and offset (8 bytes each), length,
//	        synced and payload
//	payload records
//
// A frame of a commit that was acknowledged is followed by frames that have it
// under their synced bytes, or by a segment that says how long this one is. That
// is what tells a torn tail from damage.
const (
	frameMagic  = "\xf5RJf"
	frameHeader = 16
)

// maxFrame bounds a payload in bytes: the largest record and what is collected
// before it.
const maxFrame = 4 << 20

// targetFrame is the size at which a payload is full.
const targetFrame = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// place is where a frame is.
type place struct {
	segment uint64
	offset  int
}

func (p place) check(lengths, payload []byte) uint32 {
	var at [16]byte
	binary.BigEndian.PutUint64(at[:], p.segment)
	binary.BigEndian.PutUint64(at[8:], uint64(p.offset))
	sum := crc32.Update(0, castagnoli, at[:])
	sum = crc32.Update(sum, castagnoli, lengths)
	return crc32.Update(sum, castagnoli, payload)
}

func appendFrame(to []byte, at place, synced int, payload []byte) []byte {
	var h [frameHeader]byte
	copy(h[:], frameMagic)
	binary.BigEndian.PutUint32(h[4:], uint32(len(payload)))
	binary.BigEndian.PutUint32(h[8:], uint32(synced))
	binary.BigEndian.PutUint32(h[12:], at.check(h[4:12], payload))
	return append(append(to, h[:]...), payload...)
}

// frame is one that was read.
type frame struct {
	payload []byte // aliases the file's content
	synced  int
	end     int // where the next begins
}

// readFrame reads the frame at a place of a file.
func readFrame(file []byte, at place) (frame, bool) {
	b := file[at.offset:]
	if len(b) < frameHeader || string(b[:4]) != frameMagic {
		return frame{}, false
	}
	length := binary.BigEndian.Uint32(b[4:])
	if length > maxFrame || int(length) > len(b)-frameHeader {
		return frame{}, false
	}
	payload := b[frameHeader : frameHeader+int(length)]
	if at.check(b[4:12], payload) != binary.BigEndian.Uint32(b[12:]) {
		return frame{}, false
	}
	return frame{payload, int(binary.BigEndian.Uint32(b[8:])), at.offset + frameHeader + int(length)}, true
}

// vouched tells whether any whole frame behind a broken one was written after
// the broken one had reached the disk.
func vouched(file []byte, broken place) bool {
	for at := broken; ; {
		next := bytes.Index(file[at.offset+1:], []byte(frameMagic))
		if next < 0 {
			return false
		}
		at.offset += 1 + next
		if f, ok := readFrame(file, at); ok && f.synced > broken.offset {
			return true
		}
	}
}
