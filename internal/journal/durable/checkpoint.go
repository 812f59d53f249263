package durable

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// A checkpoint and a snapshot are files that are written as a whole: records in
// frames, and a last record that says how many there are before it.

// writeWhole replaces a file: a crash leaves the old or the new one.
func writeWhole(dir vfs.FS, name, magic string, payloads [][]byte) error {
	var count uint64
	for _, p := range payloads {
		if err := eachRecord(p, func(record) error { count++; return nil }); err != nil {
			return err
		}
	}
	payloads = append(payloads, appendNumber(nil, recEnd, count))
	temporary := name + ".new"
	f, err := dir.Create(temporary)
	if err != nil {
		return err
	}
	if err := writeFrames(f, magic, payloads); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := dir.Rename(temporary, name); err != nil {
		return err
	}
	return dir.Sync()
}

func writeFrames(f vfs.File, magic string, payloads [][]byte) error {
	buf, offset := []byte(magic), 0
	for _, p := range payloads {
		buf = appendFrame(buf, place{0, offset + len(buf)}, 0, p)
		if _, err := f.Write(buf); err != nil {
			return err
		}
		offset += len(buf)
		buf = buf[:0]
	}
	return f.Sync()
}

// readWhole reads such a file and calls do with each record but the last. The
// error wraps fs.ErrNotExist where there is no file.
func readWhole(dir vfs.FS, name, magic string, do func(record) error) error {
	file, err := dir.ReadFile(name, maxFile)
	if err != nil {
		return err
	}
	path := dir.Path(name)
	ok, err := checkMagic(path, file, magic)
	if err != nil {
		return err
	}
	if !ok {
		return &CorruptError{path, 0, "its beginning is damaged"}
	}
	var count, end uint64
	ended := false
	at := place{0, len(magic)}
	for at.offset < len(file) {
		f, whole := readFrame(file, at)
		if !whole || ended {
			return &CorruptError{path, at.offset, "a frame is damaged"}
		}
		err := eachRecord(f.payload, func(r record) error {
			if r.kind == recEnd {
				ended = true
				end, err = r.number()
				return err
			}
			count++
			return do(r)
		})
		if err != nil {
			return inFile(err, path, at.offset)
		}
		at.offset = f.end
	}
	if !ended || end != count {
		return &CorruptError{path, at.offset, "its end is missing"}
	}
	return nil
}

// inFile says where a record could not be used. Its checksum was right, so
// either another version wrote it or this program is wrong.
func inFile(err error, path string, offset int) error {
	if errors.Is(err, ErrVersion) || errors.Is(err, errForeign) {
		return fmt.Errorf("%s at byte %d: %w", path, offset, err)
	}
	return &CorruptError{path, offset, err.Error()}
}

// writeCheckpoint writes what is known, so that segments before first are not
// needed. The caller holds writing, and what is in memory is on disk already:
// otherwise a crash could leave entries known that are nowhere.
func (j *Journal) writeCheckpoint(first uint64, c *commit) error {
	head := appendRecord(nil, recNode, j.recovered.Node[:])
	head = appendNumber(head, recFirst, first)
	return writeWhole(j.cfg.FS, checkpointName, checkpointMagic, append([][]byte{head}, c.payloads...))
}

const (
	snapshotName  = "journal.snapshot"
	snapshotMagic = "rescind journal snapshot 1\n"
)

// MaxSnapshot bounds a snapshot in bytes: the marks of a node in the memory they
// have by default, twice over.
const MaxSnapshot = 256 << 20

// SaveSnapshot keeps the caller's effects, so that steps up to this position
// are not replayed by the next Start. take is called under the journal's lock,
// when all steps up to the position have been applied. What is known at that
// moment is on disk before the snapshot is. The error wraps ErrNotDurable.
func (j *Journal) SaveSnapshot(take func() []byte) error {
	if j.cfg.FS == nil {
		return nil
	}
	j.writing <- struct{}{}
	defer func() { <-j.writing }()
	j.mu.Lock()
	data, at, closed := take(), j.mu.position, j.mu.closed
	j.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if len(data) > MaxSnapshot {
		return fmt.Errorf("%w: a snapshot of %d bytes; the limit is %d", ErrNotDurable, len(data), MaxSnapshot)
	}
	if err := j.writeNext(); err != nil {
		return err
	}
	payloads := [][]byte{appendNumber(nil, recApplied, uint64(at))}
	for len(data) > 0 {
		n := min(len(data), targetFrame)
		payloads = append(payloads, appendRecord(nil, recSnapshot, data[:n]))
		data = data[n:]
	}
	if err := writeWhole(j.cfg.FS, snapshotName, snapshotMagic, payloads); err != nil {
		return fmt.Errorf("%w: %w", ErrNotDurable, err)
	}
	j.snapshotAt = at
	return nil
}

// readSnapshot reads the latest snapshot, if there is one.
func readSnapshot(dir vfs.FS) (data []byte, at field.Position, err error) {
	err = readWhole(dir, snapshotName, snapshotMagic, func(r record) error {
		switch r.kind {
		case recApplied:
			n, err := r.number()
			at = field.Position(n)
			return err
		case recSnapshot:
			data = append(data, r.data...)
			return nil
		}
		return r.unknown()
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	return data, at, err
}
