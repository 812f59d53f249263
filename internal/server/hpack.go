package server

import (
	"bytes"
	"hash/maphash"
	"strconv"
)

const (
	// hpackTable is how much of the peer's dynamic table is used: enough for
	// what the answers of one site have in common. It is kept for each
	// connection, with as much again for entries that do not fit at the end.
	hpackTable = 2 << 10
	hpackRing  = 2 * hpackTable
	// hpackOverhead is what an entry counts beside its text (RFC 7541 section 4.1).
	hpackOverhead = 32
	hpackEntries  = hpackTable / hpackOverhead
	// hpackLargest is the largest entry worth its place.
	hpackLargest = 512
	// hpackSlots is the size of the hash tables: twice the most entries.
	hpackSlots = 2 * hpackEntries
	hpackFixed = 61 // entries of the static table
)

// hpackEncoder writes header blocks (RFC 7541). It allocates nothing, and keeps
// nothing of what it is given.
//
// A field enters the dynamic table when it comes for the second time with the
// same value: ages, lengths and validators seldom do, what a site says in every
// answer does at once. Text is sent as it is: Huffman codes would save a quarter
// of what is not in the table, at the price of all the rest together.
//
// Invariant: the decoder's table begins with the encoder's. It may hold older
// entries, to which nothing refers any more.
type hpackEncoder struct {
	peer    uint32 // what the decoder allows, as last announced
	limit   int    // what the entries may count together
	resized bool   // the decoder is to be told of the limit
	size    int

	added   uint32 // entries ever added; the last one has index hpackFixed+1
	live    uint32 // how many of them are in the table
	entries [hpackEntries]hpackEntry
	text    [hpackRing]byte
	next    int // where in text the next entry begins

	seed  maphash.Seed
	found [hpackSlots]uint32 // by hash: an entry, as added counted after it
	seen  [hpackSlots]uint32 // by hash: the last field that was not indexed
	field []byte             // the one being written: lower-case name, then value
}

type hpackEntry struct {
	at, name, length uint16 // in text; length includes the name
}

func newHPACKEncoder() *hpackEncoder {
	return &hpackEncoder{peer: defaultTableSize, limit: hpackTable, seed: maphash.MakeSeed()}
}

// setPeerLimit heeds SETTINGS_HEADER_TABLE_SIZE. The limit never rises again:
// it could do so only once the setting is acknowledged, and few peers would
// notice. A peer that announces less than before has to be told of the limit even
// where that was lower already (RFC 9113 section 4.3.1).
func (e *hpackEncoder) setPeerLimit(n uint32) {
	if n < e.peer {
		e.resized = true
	}
	e.peer = n
	if n < uint32(e.limit) {
		e.limit = int(n)
		e.evict(0)
	}
}

// begin begins a block.
func (e *hpackEncoder) begin(b []byte) []byte {
	if e.resized {
		e.resized = false
		b = appendHPACKInt(b, 0x20, 5, e.limit)
	}
	return b
}

// status writes the pseudo-field of a response.
func (e *hpackEncoder) status(b []byte, status int) []byte {
	switch status {
	case 200:
		return append(b, 0x80|8)
	case 204:
		return append(b, 0x80|9)
	case 206:
		return append(b, 0x80|10)
	case 304:
		return append(b, 0x80|11)
	case 404:
		return append(b, 0x80|13)
	}
	b = append(b, 8, 3)
	return strconv.AppendInt(b, int64(status), 10)
}

// add writes a field, whose name may be in any case.
func (e *hpackEncoder) add(b []byte, name, value string) []byte {
	e.field = append(appendLower(e.field[:0], name), value...)
	lower := e.field[:len(name)]
	if len(e.field) > hpackLargest || len(e.field)+hpackOverhead > e.limit || string(lower) == "set-cookie" {
		return appendHPACKLiteral(b, 0, 4, lower, value)
	}
	hash := maphash.Bytes(e.seed, e.field)
	slot := hash % hpackSlots
	if index := e.find(slot, len(name)); index > 0 {
		return appendHPACKInt(b, 0x80, 7, index)
	}
	if mark := uint32(hash >> 32); e.seen[slot] != mark {
		e.seen[slot] = mark
		return appendHPACKLiteral(b, 0, 4, lower, value)
	}
	e.insert(len(name))
	e.found[slot] = e.added
	return appendHPACKLiteral(b, 0x40, 6, lower, value)
}

// find returns the index of e.field if it is in the table, else 0.
func (e *hpackEncoder) find(slot uint64, name int) int {
	number := e.found[slot]
	age := e.added - number
	if number == 0 || age >= e.live {
		return 0
	}
	entry := &e.entries[number%hpackEntries]
	text := e.text[entry.at : entry.at+entry.length]
	if int(entry.name) != name || !bytes.Equal(text, e.field) {
		return 0
	}
	return hpackFixed + 1 + int(age)
}

// insert puts e.field into the table.
func (e *hpackEncoder) insert(name int) {
	n := len(e.field)
	e.evict(n + hpackOverhead)
	if e.next+n > hpackRing {
		// What is live lies behind this entry's place: the live entries and the
		// gap at the end, which is smaller than this one, fit into the ring.
		e.next = 0
	}
	e.added++
	e.live++
	e.size += n + hpackOverhead
	e.entries[e.added%hpackEntries] = hpackEntry{at: uint16(e.next), name: uint16(name), length: uint16(n)}
	e.next += copy(e.text[e.next:], e.field)
}

// evict makes room for n more, as the decoder does at its limit at the latest.
func (e *hpackEncoder) evict(n int) {
	for e.live > 0 && e.size+n > e.limit {
		oldest := e.entries[(e.added-e.live+1)%hpackEntries]
		e.size -= int(oldest.length) + hpackOverhead
		e.live--
	}
}

// appendHPACKLiteral writes a field with its text: pattern and prefix say what
// the decoder does with it (RFC 7541 section 6.2).
func appendHPACKLiteral(b []byte, pattern byte, prefix uint8, name []byte, value string) []byte {
	if index, ok := hpackNames[string(name)]; ok {
		b = appendHPACKInt(b, pattern, prefix, int(index))
	} else {
		b = appendHPACKInt(append(b, pattern), 0, 7, len(name))
		b = append(b, name...)
	}
	b = appendHPACKInt(b, 0, 7, len(value))
	return append(b, value...)
}

// appendHPACKInt writes n behind a pattern (RFC 7541 section 5.1).
func appendHPACKInt(b []byte, pattern byte, prefix uint8, n int) []byte {
	most := 1<<prefix - 1
	if n < most {
		return append(b, pattern|byte(n))
	}
	b = append(b, pattern|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		b = append(b, 0x80|byte(n))
	}
	return append(b, byte(n))
}

func appendLower(b []byte, s string) []byte {
	from := len(b)
	b = append(b, s...)
	for i := from; i < len(b); i++ {
		if c := b[i]; 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return b
}

// hpackNames are the names of response fields in the static table (RFC 7541
// appendix A).
var hpackNames = map[string]uint8{
	"accept-ranges": 18, "access-control-allow-origin": 20, "age": 21, "allow": 22, "cache-control": 24,
	"content-disposition": 25, "content-encoding": 26, "content-language": 27, "content-length": 28,
	"content-location": 29, "content-range": 30, "content-type": 31, "date": 33, "etag": 34, "expires": 36,
	"last-modified": 44, "link": 45, "location": 46, "proxy-authenticate": 48, "refresh": 52, "retry-after": 53,
	"server": 54, "set-cookie": 55, "strict-transport-security": 56, "transfer-encoding": 57, "vary": 59,
	"via": 60, "www-authenticate": 61,
}
