package durable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/wire"
)

// errForeign is wrapped by errors about well-formed records that package wire
// refuses for their version.
var errForeign = wire.ErrVersion

// Open reads a directory, or begins an empty one, and takes a new incarnation
// for this start. The errors are listed in the package comment; after one the
// directory is not locked.
func Open(cfg Config) (*Journal, error) {
	cfg.complete()
	j := &Journal{cfg: cfg, writing: make(chan struct{}, 1), maxPending: maxPending}
	inc, err := journal.NewIncarnation(cfg.Random)
	if err != nil {
		return nil, err
	}
	j.mu.set = journal.NewSet(inc, cfg.Limits)
	j.mu.state, j.mu.durable = &state.Map{}, journal.Vector{}
	j.mu.next = newCommit(cfg.FS == nil)
	if cfg.FS == nil {
		j.mu.ceiling, j.mu.asked = noCeiling, noCeiling
		j.recovered.Node, err = journal.NewIncarnation(cfg.Random)
		j.recovered.New = true
		return j, err
	}
	if j.lock, err = cfg.FS.Lock(lockName, cfg.Owner); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.open(); err != nil {
		return nil, errors.Join(err, j.w.close(), j.lock.Close())
	}
	return j, nil
}

func (j *Journal) open() error {
	first, err := j.readCheckpoint()
	if err != nil {
		return err
	}
	j.recovered.Snapshot, j.recovered.SnapshotAt, err = readSnapshot(j.cfg.FS)
	if err != nil {
		return err
	}
	j.snapshotAt = j.recovered.SnapshotAt
	if err := j.readSegments(first); err != nil {
		return err
	}
	j.mu.set.Trim(j.now())
	j.mu.position = max(j.mu.position, j.mu.ceiling)
	j.recovered.Start = j.mu.position
	j.recovered.Steps, j.recovered.Segments = len(j.mu.replay), len(j.segments)
	j.mu.durable = j.mu.set.Vector()
	// The reservation also proves that the directory can be written.
	j.mu.asked = j.mu.ceiling + Reserve
	j.mu.next.number(recCeiling, uint64(j.mu.asked))
	if err := j.Sync(context.Background()); err != nil {
		return fmt.Errorf("journal: the directory of %s cannot be written: %w", j.cfg.FS.Path(checkpointName), err)
	}
	return nil
}

// readCheckpoint reads the checkpoint, or writes the first one. It returns the
// number of the first segment that is needed.
func (j *Journal) readCheckpoint() (first uint64, err error) {
	err = readWhole(j.cfg.FS, checkpointName, checkpointMagic, func(r record) error {
		switch r.kind {
		case recNode:
			if len(r.data) != len(j.recovered.Node) {
				return errRecord
			}
			copy(j.recovered.Node[:], r.data)
			return nil
		case recFirst:
			first, err = r.number()
			return err
		}
		return j.join(r)
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 1, j.beginEmpty()
	case err != nil:
		return 0, err
	case first == 0 || j.recovered.Node.IsZero():
		return 0, &CorruptError{j.cfg.FS.Path(checkpointName), 0, "it does not say whose it is"}
	}
	return first, nil
}

// beginEmpty gives an empty directory its identity.
func (j *Journal) beginEmpty() error {
	numbers, err := j.segmentNumbers()
	if err != nil {
		return err
	}
	if len(numbers) > 0 {
		return &CorruptError{j.cfg.FS.Path(checkpointName), 0, "it is missing, and segments of the log are there"}
	}
	if j.recovered.Node, err = journal.NewIncarnation(j.cfg.Random); err != nil {
		return err
	}
	j.recovered.New = true
	if err := j.writeCheckpoint(1, newCommit(false)); err != nil {
		return fmt.Errorf("journal: begin %s: %w", j.cfg.FS.Path(checkpointName), err)
	}
	return nil
}

func (j *Journal) segmentNumbers() ([]uint64, error) {
	names, err := j.cfg.FS.List()
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := segmentNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// readSegments reads the log and opens it for writing.
func (j *Journal) readSegments(first uint64) error {
	numbers, err := j.segmentNumbers()
	if err != nil {
		return err
	}
	for len(numbers) > 0 && numbers[0] < first {
		// A crash left it behind; if it cannot go now, it will at another start.
		_ = j.cfg.FS.Remove(segmentName(numbers[0]))
		numbers = numbers[1:]
	}
	j.w = writer{fs: j.cfg.FS, number: first - 1, limit: segmentBytes}
	var last scanned
	for i, n := range numbers {
		if n != first+uint64(i) {
			return &CorruptError{j.cfg.FS.Path(segmentName(first + uint64(i))), 0, "it is missing"}
		}
		next, err := j.scan(n)
		if err != nil {
			return err
		}
		if i > 0 {
			if err := j.take(last, next.prev, next.prev < 0 && i == len(numbers)-1); err != nil {
				return err
			}
		}
		last = next
	}
	if len(numbers) == 0 {
		return nil
	}
	if err := j.take(last, last.length, true); err != nil {
		return err
	}
	return j.resume(last)
}

func (j *Journal) scan(n uint64) (scanned, error) {
	name := segmentName(n)
	file, err := j.cfg.FS.ReadFile(name, maxFile)
	if err != nil {
		return scanned{}, fmt.Errorf("journal: %w", err)
	}
	return scan(n, j.cfg.FS.Path(name), file)
}

// take joins what is in a segment up to the length that the next one says it
// has. The last, and one whose successor never got a header, vouch for themselves.
func (j *Journal) take(s scanned, length int, last bool) error {
	path := j.cfg.FS.Path(segmentName(s.number))
	if last {
		length = s.length
	}
	if length < 0 || s.length < length {
		return &CorruptError{path, s.length, "what was acknowledged behind this is missing or damaged"}
	}
	begin := len(segmentMagic)
	for _, f := range s.frames {
		if f.end > length {
			break // written again in the next segment
		}
		if err := eachRecord(f.payload, j.join); err != nil {
			return inFile(err, path, begin)
		}
		begin = f.end
	}
	kept, _ := j.mu.set.Arrivals()
	j.segments = append(j.segments, segment{number: s.number, arrivals: kept, position: j.mu.position})
	return nil
}

// resume goes on behind the last segment. What was read of it may never have
// been synced, if the process was killed; from here on it counts as durable.
func (j *Journal) resume(last scanned) error {
	j.recovered.Torn = last.size - last.length
	if last.length == 0 {
		// It never got a header: the next commit makes it again.
		j.w.number = last.number - 1
		j.segments = j.segments[:len(j.segments)-1]
		if len(j.segments) == 0 {
			return nil
		}
		var err error
		if last, err = j.scan(j.w.number); err != nil {
			return err
		}
	}
	file, err := j.cfg.FS.Append(segmentName(last.number))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.w.number, j.w.durable, j.w.file = last.number, last.length, file
	if err := errors.Join(file.Sync(), j.cfg.FS.Sync()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if j.recovered.Torn > 0 {
		return j.w.close() // nothing is written behind a torn tail
	}
	return nil
}

// join joins one record to what is known.
func (j *Journal) join(r record) error {
	switch r.kind {
	case recSegment:
		return nil
	case recEntry:
		return j.joinEntry(r)
	case recRows:
		v, err := wire.ParseVector(r.data)
		j.mu.set.Restore(v)
		return err
	case recGap:
		n, err := r.number()
		j.replay(Step{Position: field.Position(n), Gap: true})
		return err
	case recItem:
		i, err := wire.ParseItem(r.data)
		if err == nil {
			j.mu.state.Restore(i)
		}
		return err
	case recState:
		horizon, complete, err := r.state()
		j.mu.state.Forgotten(horizon)
		j.mu.complete = j.mu.complete || complete
		return err
	case recCeiling:
		n, err := r.number()
		j.mu.ceiling = max(j.mu.ceiling, field.Position(n))
		return err
	}
	return r.unknown()
}

func (j *Journal) joinEntry(r record) error {
	pos, arrived, e, err := r.entry()
	if err != nil {
		return err
	}
	e = e.Clone() // or it would keep the whole file in memory
	first := j.mu.set.Keep(arrived, &e)
	items := j.cfg.Items(&e) // kinds that were not known when it came may be now
	for i := range items {
		if items[i].Validate() == nil {
			j.mu.state.Put(items[i])
		}
	}
	if e.By == 0 && first {
		j.replay(Step{Position: pos, Entry: e, Outcome: journal.Accepted, Arrived: arrived})
	}
	j.mu.position = max(j.mu.position, pos)
	return nil
}

// replay notes a step for Start, unless the snapshot has its effect.
func (j *Journal) replay(s Step) {
	if s.Position > j.recovered.SnapshotAt {
		j.mu.replay = append(j.mu.replay, s)
	}
}
