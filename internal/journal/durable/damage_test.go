package durable

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/seed"
)

// damaged returns a directory with some commits in two segments, and where each
// commit of the last segment ends.
func damaged(t *testing.T) *vfs.Memory {
	t.Helper()
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	for i := range 6 {
		if i == 3 {
			a.w.limit = 1
		}
		a.must(t, fmt.Sprintf("entry %d", i))
		a.w.limit = segmentBytes
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(logFiles(t, disk)); n != 2 {
		t.Fatalf("%d segments", n)
	}
	return disk
}

func size(t *testing.T, disk *vfs.Memory, name string) int {
	t.Helper()
	data, err := disk.ReadFile(name, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	return len(data)
}

// whatIsLost opens a directory and returns how many of six entries are missing
// at the end, or an error that says where the damage is.
func whatIsLost(t *testing.T, disk *vfs.Memory) (lost int, err error) {
	t.Helper()
	n, err := tryOpen(Config{FS: disk})
	if err != nil {
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) && !errors.Is(err, ErrVersion) {
			t.Fatalf("an error that says nothing: %v", err)
		}
		if errors.As(err, &corrupt) && !strings.Contains(err.Error(), "move all its journal* files away") {
			t.Fatalf("it does not say what to do: %v", err)
		}
		return 0, err
	}
	for i, b := range n.bodies() {
		if b != fmt.Sprintf("entry %d", i) {
			t.Fatalf("%v", n.bodies())
		}
	}
	// It goes on, and a further start finds all that.
	n.must(t, "after")
	all := n.bodies()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "after a further start", open(t, Config{FS: disk}).bodies(), all)
	return 7 - len(all), nil
}

func TestEveryDamagedByteIsNoticed(t *testing.T) {
	intact := damaged(t)
	files := logFiles(t, intact)
	for i, name := range append(files, checkpointName) {
		for at := range size(t, intact, name) {
			disk := intact.Clone()
			disk.Damage(name, at)
			lost, err := whatIsLost(t, disk)
			switch last := i == len(files)-1; {
			case err == nil && !last:
				t.Errorf("%s damaged at %d: not noticed", name, at)
			case err == nil && lost != 1:
				t.Errorf("%s damaged at %d: lost %d entries", name, at, lost)
			}
		}
	}
}

func TestEveryCutIsATornTailOrAnError(t *testing.T) {
	intact := damaged(t)
	files := logFiles(t, intact)
	for i, name := range append(files, checkpointName) {
		for at := range size(t, intact, name) {
			disk := intact.Clone()
			disk.Cut(name, at)
			if _, err := whatIsLost(t, disk); err == nil && i != len(files)-1 {
				t.Errorf("%s cut at %d: not noticed", name, at)
			}
		}
	}
	for _, name := range []string{files[0], checkpointName} {
		disk := intact.Clone()
		if err := disk.Remove(name); err != nil {
			t.Fatal(err)
		}
		if _, err := whatIsLost(t, disk); err == nil {
			t.Errorf("%s removed: not noticed", name)
		}
	}
}

func TestATornTailIsCountedAndStaysCutOff(t *testing.T) {
	r := seed.Rand(t)
	for range 200 {
		disk := vfs.NewMemory()
		a := open(t, Config{FS: disk})
		a.must(t, "acknowledged")
		f, err := disk.Append(logFiles(t, disk)[0])
		if err != nil {
			t.Fatal(err)
		}
		for range 5 { // the commit in which the power went had several frames
			payload := appendNumber(nil, recCeiling, r.Uint64N(100))
			if _, err := f.Write(appendFrame(nil, place{1, size(t, disk, segmentName(1))}, a.w.durable, payload)); err != nil {
				t.Fatal(err)
			}
		}
		whole := size(t, disk, segmentName(1))
		disk.Damage(segmentName(1), a.w.durable+r.IntN(whole-a.w.durable))
		disk.Kill()
		b := open(t, Config{FS: disk})
		if b.Recovered().Torn == 0 {
			t.Error("not counted")
		}
		equal(t, "replayed", b.bodies(), []string{"acknowledged"})
		b.must(t, "later")
		disk.Crash(r)
		c := open(t, Config{FS: disk})
		equal(t, "replayed", c.bodies(), []string{"acknowledged", "later"})
	}
}

func TestOtherVersions(t *testing.T) {
	for name, magic := range map[string]string{
		segmentName(2): segmentMagic, checkpointName: checkpointMagic,
	} {
		disk := damaged(t)
		data, err := disk.ReadFile(name, maxFile)
		if err != nil {
			t.Fatal(err)
		}
		f, err := disk.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		later := strings.Replace(magic, " 1\n", " 2\n", 1)
		if _, err := f.Write(bytes.Replace(data, []byte(magic), []byte(later), 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Config{FS: disk}); !errors.Is(err, ErrVersion) || errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	a.mu.next.number(200, 1) // a record of the future
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{FS: disk}); !errors.Is(err, ErrVersion) {
		t.Errorf("%v", err)
	}
}

func FuzzOpen(f *testing.F) {
	disk := vfs.NewMemory()
	a, err := tryOpen(Config{FS: disk})
	if err != nil {
		f.Fatal(err)
	}
	a.must(f, "one")
	a.must(f, "two")
	log, _ := disk.ReadFile(segmentName(1), maxFile)
	f.Add(log)
	f.Add([]byte(segmentMagic))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := disk.Clone()
		w, err := d.Create(segmentName(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		n, err := tryOpen(Config{FS: d})
		if err != nil {
			return
		}
		n.must(t, "goes on")
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := tryOpen(Config{FS: d}); err != nil {
			t.Fatalf("opens once, and then not any more: %v", err)
		}
	})
}

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// TestGolden opens a directory that an earlier build wrote.
func TestGolden(t *testing.T) {
	dir := filepath.Join("testdata", "v1")
	names := []string{checkpointName, segmentName(1)}
	disk := vfs.NewMemory()
	if *rewrite {
		clk := newClock()
		a := open(t, Config{FS: disk, Now: clk.Now, Random: bytesOf{rand.New(rand.NewPCG(1, 1))}, Items: tokens})
		a.must(t, "one")
		if _, _, err := a.Append(journal.Draft{Kind: journal.KindTokenCreate, Body: []byte("+t")}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Found(); err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, _ := disk.ReadFile(name, maxFile)
			if err := os.WriteFile(filepath.Join(dir, name+".hex"), []byte(hex.EncodeToString(data)+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	disk = vfs.NewMemory()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name+".hex"))
		if err != nil {
			t.Fatal(err)
		}
		data, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		f, _ := disk.Create(name)
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	clk := newClock()
	b := open(t, Config{FS: disk, Now: clk.Now})
	equal(t, "replayed", b.bodies(), []string{"one", "+t"})
	equal(t, "identity", b.Recovered().Node, "48351fc1f9e2d52044496ca2cd51999f")
	if !b.Complete() || b.Stats().Items != 1 || b.Recovered().Start != Reserve {
		t.Errorf("%+v, %+v", b.Recovered(), b.Stats())
	}
}

func TestOldSegmentsGo(t *testing.T) {
	disk, clk := vfs.NewMemory(), newClock()
	cfg := Config{FS: disk, Now: clk.Now, Items: tokens, Limits: journal.Limits{Retention: time.Hour}}
	a := open(t, cfg)
	if _, _, err := a.Append(journal.Draft{Kind: journal.KindTokenCreate, Body: []byte("+kept")}); err != nil {
		t.Fatal(err)
	}
	a.w.limit = 2000
	for i := range 200 {
		a.must(t, fmt.Sprintf("entry %d", i))
		clk.now = clk.now.Add(time.Minute)
		if err := a.Maintain(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(logFiles(t, disk)); n > 8 {
		t.Errorf("%d segments for an hour\n%v", n, disk)
	}
	want := a.Known()
	disk.Crash(seed.Rand(t))
	b := open(t, cfg)
	if !b.Known().Equal(want) {
		t.Errorf("%v, want %v", b.Known(), want)
	}
	if len(b.State().Live(1)) != 1 {
		t.Error("the state went with its segment")
	}
	if got := b.bodies(); !slices.Contains(got, "entry 199") || slices.Contains(got, "entry 1") {
		t.Errorf("replayed %v", got)
	}
}

func TestASnapshotStandsForWhatItHas(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk, Snapshots: true})
	a.must(t, "one")
	big := bytes.Repeat([]byte("marks"), targetFrame/2)
	if err := a.SaveSnapshot(func() []byte { return big }); err != nil {
		t.Fatal(err)
	}
	a.must(t, "two")
	disk.Crash(seed.Rand(t))
	j, err := Open(Config{FS: disk, Snapshots: true})
	if err != nil {
		t.Fatal(err)
	}
	b := &node{Journal: j}
	if r := j.Recovered(); !bytes.Equal(r.Snapshot, big) || r.Steps != 1 {
		t.Errorf("%d bytes, %d steps", len(r.Snapshot), r.Steps)
	}
	j.Start(b.apply)
	equal(t, "replayed", b.bodies(), []string{"two"})
	if err := j.SaveSnapshot(func() []byte { return make([]byte, MaxSnapshot+1) }); !errors.Is(err, ErrNotDurable) {
		t.Errorf("%v", err)
	}
	if err := j.Sync(context.Background()); err != nil {
		t.Error(err)
	}
}
