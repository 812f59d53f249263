package server

const (
	// maxCredit bounds what the inner server may send before it is told that it
	// may send more. It is told as its data goes out, not as the client takes it,
	// so this does not bound the speed of a response.
	maxCredit = 1 << 20
	// maxOverdraft bounds how much the inner server may have been promised beyond
	// the client's window, which is what may have to be held for it. It cannot be
	// less: the inner server takes the window that every connection begins with
	// for its own.
	maxOverdraft = initialWindow
)

// http2Windows are the flow-control windows towards a client (RFC 9113 section
// 5.2). The window of the connection is shared between the inner server, which
// waits for credit, and answers given here, which do not wait: one that does not
// fit is not given.
//
// Invariant: 0 <= conn, and credit plus the data held <= conn + maxOverdraft.
// Nothing is held while conn > 0.
type http2Windows struct {
	conn   int64 // what the client takes on all streams together
	credit int64 // what the inner server may send, as far as it knows

	// What the client takes on each stream at its beginning. A change counts
	// from its acknowledgement; until then the least that it may be counts, and
	// then the announced. The inner server acknowledges several changes by one
	// frame if they come quickly, and the least counts for good.
	stream, announced int64
	unacknowledged    int
}

func newHTTP2Windows() http2Windows {
	return http2Windows{
		conn: initialWindow, credit: initialWindow, stream: initialWindow, announced: initialWindow,
	}
}

func (w *http2Windows) announce(n int64) {
	w.announced = n
	w.stream = min(w.stream, n)
}

func (w *http2Windows) acknowledged() {
	if w.unacknowledged--; w.unacknowledged == 0 {
		w.stream = w.announced
	}
}

// forAnswer returns how much content an answer given here may have.
func (w *http2Windows) forAnswer() int64 {
	return min(w.stream, w.conn, w.conn-w.credit+maxOverdraft)
}

// grant returns how much more the inner server may send, and counts it.
func (w *http2Windows) grant() uint32 {
	n := min(w.conn, maxCredit) - w.credit
	if n <= 0 {
		return 0
	}
	w.credit += n
	return uint32(n)
}

// starving tells that the inner server will soon have to wait, although the
// client does not make it wait.
func (w *http2Windows) starving() bool {
	return w.credit <= maxCredit/2 && w.conn > w.credit
}
