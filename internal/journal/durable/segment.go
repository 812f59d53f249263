package durable

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// Names of the files. Others in the directory are left alone.
const (
	lockName       = "journal.lock"
	checkpointName = "journal.checkpoint"
	checkpointNew  = "journal.checkpoint.new"
	segmentPrefix  = "journal-"
	segmentSuffix  = ".log"
)

// First bytes of the files. The number is the version of what follows.
const (
	segmentMagic    = "rescind journal 1\n"
	checkpointMagic = "rescind journal checkpoint 1\n"
)

// segmentBytes is the size past which a segment is not written to any more: a
// sixteenth of what is kept by default, so that little is kept for longer than
// it must.
const segmentBytes = 8 << 20

// maxFile bounds what is read of a file: one that holds all that is kept, in
// the greatest retention, is smaller.
const maxFile = 1 << 30

func segmentName(n uint64) string { return fmt.Sprintf("%s%012d%s", segmentPrefix, n, segmentSuffix) }

func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, segmentPrefix)
	digits, tail := strings.CutSuffix(digits, segmentSuffix)
	if !ok || !tail {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0 && segmentName(n) == name
}

// checkMagic tells whether a file begins as it should. What is shorter, or not
// text of ours at all, is for the caller to judge; another version is an error.
func checkMagic(path string, file []byte, magic string) (bool, error) {
	if bytes.HasPrefix(file, []byte(magic)) {
		return true, nil
	}
	stem := magic[:len(magic)-2] // without the version
	line, _, ok := strings.Cut(string(file[:min(len(file), 64)]), "\n")
	version, ours := strings.CutPrefix(line, stem)
	if _, err := strconv.ParseUint(version, 10, 16); ok && ours && err == nil {
		return false, fmt.Errorf("%w: %s begins with %q, not %q; run that version, or one that is newer",
			ErrVersion, path, line, strings.TrimSpace(magic))
	}
	return false, nil
}

// scanned is a segment that was read.
type scanned struct {
	number uint64
	prev   int // length of the segment before it, from its header; -1: it has none
	length int // of what is whole
	size   int // of the file
	frames []frame
}

// scan reads the frames of a segment up to the first that is broken.
func scan(number uint64, path string, file []byte) (scanned, error) {
	s := scanned{number: number, prev: -1, size: len(file)}
	ok, err := checkMagic(path, file, segmentMagic)
	if err != nil {
		return s, err
	}
	at := place{number, len(segmentMagic)}
	for ok && at.offset < len(file) {
		f, whole := readFrame(file, at)
		if !whole {
			break
		}
		s.frames = append(s.frames, f)
		at.offset = f.end
	}
	if len(s.frames) == 0 {
		// Without its header a segment holds nothing that was acknowledged.
		if len(file) > 0 && vouched(file, place{number, 0}) {
			return s, &CorruptError{path, 0, "its beginning is damaged"}
		}
		return s, nil
	}
	s.length = at.offset
	if at.offset < len(file) && vouched(file, at) {
		return s, &CorruptError{path, at.offset, "what was acknowledged here is damaged"}
	}
	return s, s.header(path)
}

// header takes the first record, which says how long the segment before is.
func (s *scanned) header(path string) error {
	err := eachRecord(s.frames[0].payload, func(r record) error {
		if s.prev < 0 {
			n, err := r.number()
			if err != nil || r.kind != recSegment {
				return errRecord
			}
			s.prev = int(min(n, maxFile))
		}
		return nil
	})
	if err != nil || s.prev < 0 {
		return &CorruptError{path, 0, "its header is damaged"}
	}
	return nil
}

// writer is the segment being written. Its durable length only grows.
type writer struct {
	fs      vfs.FS
	file    vfs.File // nil: the next commit begins a new segment
	number  uint64   // of the segment written last
	durable int      // length of it on disk
	limit   int      // length past which a new one begins
	buf     []byte
}

// full tells whether the next commit begins a new segment.
func (w *writer) full() bool { return w.file == nil || w.durable >= w.limit }

// commit writes payloads and syncs once. After an error the segment is left
// alone at its durable length: what is behind that nobody can know.
func (w *writer) commit(payloads [][]byte) error {
	if w.full() {
		return w.begin(payloads)
	}
	w.frames(w.buf[:0], w.durable, payloads)
	if err := w.flush(); err != nil {
		w.abandon()
		return err
	}
	return nil
}

// frames makes the bytes of a commit, which begin at an offset of the segment.
func (w *writer) frames(to []byte, offset int, payloads [][]byte) {
	base := offset - len(to)
	for _, p := range payloads {
		to = appendFrame(to, place{w.number, base + len(to)}, w.durable, p)
	}
	w.buf = to
}

func (w *writer) flush() error {
	if _, err := w.file.Write(w.buf); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	w.durable += len(w.buf)
	if cap(w.buf) > 2*targetFrame {
		w.buf = nil
	}
	return nil
}

// begin starts a new segment with a commit in it.
func (w *writer) begin(payloads [][]byte) error {
	prev := *w
	w.number, w.durable = prev.number+1, 0
	file, err := w.fs.Create(segmentName(w.number))
	if err != nil {
		w.number, w.durable = prev.number, prev.durable
		return err
	}
	w.file = file
	header := appendNumber(nil, recSegment, uint64(prev.durable))
	w.frames(append(w.buf[:0], segmentMagic...), len(segmentMagic), append([][]byte{header}, payloads...))
	err = w.flush()
	if err == nil {
		err = w.fs.Sync()
	}
	if err != nil {
		w.abandon()
		// The same number is tried again; until then a file without a whole
		// commit in it is in nobody's way.
		_ = w.fs.Remove(segmentName(w.number))
		w.number, w.durable = prev.number, prev.durable
		if prev.file != nil {
			_ = prev.file.Close()
		}
		return err
	}
	if prev.file != nil {
		_ = prev.file.Close() // all of it was synced
	}
	return nil
}

func (w *writer) abandon() {
	_ = w.file.Close() // what it holds past the durable length is written again elsewhere
	w.file, w.buf = nil, nil
}

func (w *writer) close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
