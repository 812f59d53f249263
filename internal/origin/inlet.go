package origin

import (
	"bytes"
	"fmt"
	"sync"
)

// inletSize is what is read ahead of a response. A head and a small body fit,
// so that both come with one read; a larger head grows its inlet, and what a
// body has beyond goes straight to whoever reads it.
const inletSize = 8 << 10

// inlets are buffers of inletSize. A connection has one only while it is in use.
var inlets = sync.Pool{New: func() any { return new([inletSize]byte) }}

// inlet is what was read from a connection and not used yet. It finds the heads
// in it; it does no I/O. The zero inlet has no room.
type inlet struct {
	pooled *[inletSize]byte // what buf began as; nil where it is not to be given back
	buf    []byte
	r, w   int // buf[r:w] is unused

	line    int // in the head at r: where the current line begins
	scanned int // and how far line ends were looked for
}

// open makes room.
func (in *inlet) open() {
	pooled := inlets.Get().(*[inletSize]byte)
	*in = inlet{pooled: pooled, buf: pooled[:]}
}

// close gives the room back. What is unused is lost.
func (in *inlet) close() {
	in.giveBack()
	*in = inlet{}
}

func (in *inlet) giveBack() {
	if in.pooled != nil {
		inlets.Put(in.pooled)
		in.pooled = nil
	}
}

func (in *inlet) len() int      { return in.w - in.r }
func (in *inlet) bytes() []byte { return in.buf[in.r:in.w] }

// take uses n bytes up.
func (in *inlet) take(n int) {
	if in.r += n; in.r == in.w {
		in.r, in.w = 0, 0
	}
	in.line, in.scanned = 0, 0
}

// room returns where the next bytes go, at least one; more makes them unused
// ones. A head under way is moved or gets more room, of limit and one more byte
// at most.
func (in *inlet) room(limit int) []byte {
	if in.w == len(in.buf) {
		if in.r > 0 {
			in.w = copy(in.buf, in.buf[in.r:in.w])
			in.r = 0
		} else {
			grown := make([]byte, max(in.w+1, min(2*in.w, limit+1)))
			copy(grown, in.buf)
			in.giveBack()
			in.buf = grown
		}
	}
	return in.buf[in.w:]
}

func (in *inlet) more(n int) { in.w += n }

// head takes the next head. ok is false where more bytes are needed; a head of
// more than limit bytes is an error, and so is what cannot become one.
func (in *inlet) head(limit int) (h head, ok bool, err error) {
	unused := in.bytes()
	n := in.endOfHead(unused)
	switch {
	case !plausible(unused):
		return head{}, false, errStatusLine
	case n > limit, n == 0 && len(unused) > limit:
		return head{}, false, fmt.Errorf("%w: more than %d bytes", errHeadTooLarge, limit)
	case n == 0:
		return head{}, false, nil
	}
	h, err = parseHead(unused[:n])
	in.take(n)
	return h, err == nil, err
}

// plausible tells whether a response may begin so. Whoever speaks another
// protocol is not waited for until the end of a head.
func plausible(raw []byte) bool {
	n := min(len(raw), len(versionPrefix))
	return string(raw[:n]) == versionPrefix[:n]
}

// endOfHead returns the length of the head that unused begins with, its empty
// line included, 0 where it is not all there. It goes on where it stopped.
func (in *inlet) endOfHead(unused []byte) int {
	for {
		i := bytes.IndexByte(unused[in.scanned:], '\n')
		if i < 0 {
			in.scanned = len(unused)
			return 0
		}
		end := in.scanned + i
		line := unused[in.line:end]
		in.scanned = end + 1
		in.line = in.scanned
		if len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return in.scanned
		}
	}
}
