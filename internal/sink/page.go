package sink

import (
	"runtime"
	"sync/atomic"
)

// page is a stretch of a queue's memory that fills once, then leaves as a whole.
// Those who write lines share it without a lock: each reserves its place by one
// exchange of state, and copies its line there while others copy theirs.
//
// Invariants: state only grows while the page is open, so places do not overlap
// and lie in the order of their reservation; a sealed page gives no more places;
// whoever has one is counted by copied once its bytes are there. So when copied
// has caught up with a sealed state, nobody touches the page any more, and it
// may be read, and opened again.
//
// Whoever still looks at a page of the past finds it sealed, or finds it opened
// again: then it is the page of the present, and a place in it is as good.
type page struct {
	state  atomic.Uint64 // flags, lines, bytes: see below
	_      [cacheLine]byte
	copied atomic.Uint64 // lines
	_      [cacheLine]byte

	data []byte // of fixed length
	ends []int  // of the frames in data
}

// cacheLine keeps apart what different cores change at the same time.
const cacheLine = 64

// A state counts bytes below lines below flags. Pages are far smaller than
// either can count.
const (
	oneLine   = 1 << 32
	bytesMask = oneLine - 1
	linesMask = 1<<30 - 1

	lastPage   = 1 << 62 // no other page follows: what does not fit is lost
	sealedPage = 1 << 63
)

func linesOf(state uint64) int { return int(state / oneLine & linesMask) }
func bytesOf(state uint64) int { return int(state & bytesMask) }

func newPage(bytes, lines int) *page {
	return &page{data: make([]byte, bytes), ends: make([]int, lines)}
}

// reservation is how an attempt to get a place in a page ended.
type reservation int

const (
	reserved   reservation = iota
	noRoom                 // in this page, but another may follow
	noRoomLeft             // and this page is the last
	tooLate                // the page is sealed
)

// reserve gets a place for a frame of size bytes: it is the frame number line,
// and ends at end.
func (p *page) reserve(size int) (line, end int, how reservation) {
	for {
		state := p.state.Load()
		line, end = linesOf(state), bytesOf(state)+size
		switch {
		case state&sealedPage != 0:
			return 0, 0, tooLate
		case p.fits(state, size):
			if p.state.CompareAndSwap(state, state+oneLine+uint64(size)) {
				return line, end, reserved
			}
		case state&lastPage != 0:
			return 0, 0, noRoomLeft
		default:
			return 0, 0, noRoom
		}
	}
}

func (p *page) fits(state uint64, size int) bool {
	return linesOf(state) < len(p.ends) && bytesOf(state)+size <= len(p.data)
}

// What follows is exact only for whoever keeps others from changing it.

func (p *page) hasRoom(size int) bool { return p.fits(p.state.Load(), size) }
func (p *page) isLast() bool          { return p.state.Load()&lastPage != 0 }
func (p *page) isEmpty() bool         { return linesOf(p.state.Load()) == 0 }

// fill writes a frame to the place reserved for it.
func (p *page) fill(frames framer, text []byte, line, end int) {
	begin := end - frames.size(len(text))
	frames.append(p.data[begin:begin:end], text)
	p.ends[line] = end
	p.copied.Add(1)
}

// seal ends reservations and returns how many lines the page has.
func (p *page) seal() (lines int) {
	return linesOf(p.state.Or(sealedPage))
}

// open empties the page for what comes next. last tells whether it is the last
// of a queue.
func (p *page) open(last bool) {
	p.copied.Store(0)
	state := uint64(0)
	if last {
		state = lastPage
	}
	p.state.Store(state)
}

// batch returns what is in a sealed page, once all of it is there: whoever has a
// place there is about to copy some hundred bytes.
func (p *page) batch() batch {
	state := p.state.Load()
	lines := linesOf(state)
	for p.copied.Load() != uint64(lines) {
		runtime.Gosched()
	}
	return batch{data: p.data[:bytesOf(state)], ends: p.ends[:lines]}
}
