package origin

import "fmt"

// keepHeadBuffer is the capacity that a connection keeps from one head to the
// next. Most heads fit; a rare large one is not held for the connection's life.
const keepHeadBuffer = 8 << 10

// scanner finds the heads of one exchange in the bytes of a connection, in
// pieces of any size, and parses them. After the final head it is done and
// wants no more bytes. It does no I/O.
type scanner struct {
	limit int    // bytes of one head
	raw   []byte // of the head so far
	line  int    // bytes of the current line so far, a CR at its end included
	last  byte
	done  bool
	final head  // when done
	err   error // malformed, or too large; the scanner wants no more bytes
}

// reset makes the scanner ready for another exchange.
func (s *scanner) reset() {
	raw := s.raw[:0]
	if cap(raw) > keepHeadBuffer {
		raw = nil
	}
	*s = scanner{limit: s.limit, raw: raw}
}

// feed looks at the next bytes. What follows the final head is not looked at.
func (s *scanner) feed(p []byte) {
	for i := 0; i < len(p) && !s.done && s.err == nil; {
		n, end := s.step(p[i:])
		s.raw = append(s.raw, p[i:i+n]...)
		i += n
		switch {
		case !plausible(s.raw):
			s.err = errStatusLine
		case len(s.raw) > s.limit:
			s.err = fmt.Errorf("%w: more than %d bytes", errHeadTooLarge, s.limit)
		case end:
			s.complete()
		}
	}
}

// plausible tells whether a response may begin so. Whoever speaks another
// protocol is not waited for until the end of a head.
func plausible(raw []byte) bool {
	n := min(len(raw), len(versionPrefix))
	return string(raw[:n]) == versionPrefix[:n]
}

// step returns how many bytes of p belong to the current head, and whether its
// empty line is the last of them.
func (s *scanner) step(p []byte) (n int, end bool) {
	for i, c := range p {
		if c == '\n' {
			empty := s.line == 0 || (s.line == 1 && s.last == '\r')
			s.line = 0
			if empty {
				return i + 1, true
			}
			continue
		}
		s.line++
		s.last = c
	}
	return len(p), false
}

func (s *scanner) complete() {
	h, err := parseHead(s.raw)
	s.raw = s.raw[:0]
	switch {
	case err != nil:
		s.err = err
	case !h.interim():
		s.done, s.final = true, h
	}
}
