package durable

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/journal/wire"
	"github.com/rescind-edge/rescind/internal/seed"
)

func TestARestartKnowsWhatItKnew(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk, Items: tokens})
	if !a.Recovered().New {
		t.Error("an empty directory is not new")
	}
	a.must(t, "one")
	last := a.must(t, "two")
	if _, ticket, err := a.Append(journal.Draft{Kind: journal.KindTokenCreate, Body: []byte("+deploy")}); err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	before, own := a.Known(), a.steps[0].Entry.Incarnation
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := open(t, Config{FS: disk, Items: tokens})
	if !b.Known().Equal(before) || !b.Durable().Equal(before) {
		t.Errorf("%v, want %v", b.Known(), before)
	}
	equal(t, "replayed", b.bodies(), []string{"one", "two", "+deploy"})
	equal(t, "position", b.steps[1].Position, last.Position)
	if r := b.Recovered(); r.New || r.Node != a.Recovered().Node || r.Start <= last.Position {
		t.Errorf("%+v", r)
	}
	if inc, _ := b.Own(); inc == own {
		t.Error("two starts with one incarnation")
	}
	if s := b.must(t, "three"); s.Position <= b.Recovered().Start || s.Entry.Seq != 1 {
		t.Errorf("%+v", s)
	}
	if i, ok := b.Item(state.Key{Kind: state.KindToken, ID: "deploy"}); !ok || string(i.Value) != "good" {
		t.Errorf("token: %+v", i)
	}
	increasing(t, b.steps)
}

func TestWithoutADirectory(t *testing.T) {
	a, b := open(t, Config{}), open(t, Config{})
	a.must(t, "one")
	exchange(t, b, a)
	equal(t, "applied", b.bodies(), []string{"one"})
	if !b.Durable().Equal(a.Durable()) {
		t.Error("what is in memory does not count as durable")
	}
	if err := errors.Join(a.Maintain(), a.Sync(context.Background()), a.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := a.Append(draft("late")); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestInForceBeforeDurable(t *testing.T) {
	a := open(t, Config{FS: vfs.NewMemory()})
	s, ticket, err := a.Append(draft("one"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", a.bodies(), []string{"one"})
	if !a.Knows(s.Entry.ID) || a.Durable().Knows(s.Entry.ID) {
		t.Error("it must be known, and not yet durable")
	}
	if err := ticket.Wait(context.Background()); err != nil || !a.Durable().Knows(s.Entry.ID) {
		t.Errorf("%v; durable %v", err, a.Durable())
	}
	if !a.DurableRow(s.Entry.Incarnation).Knows(1) {
		t.Error("DurableRow differs from Durable")
	}
}

// TestOneSyncForAllWhoWait stops the disk in a sync, lets many append, and
// counts the syncs that they cause.
func TestOneSyncForAllWhoWait(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	synctest.Test(t, func(t *testing.T) {
		go0, syncs := make(chan struct{}), 0
		disk.Fault = func(op vfs.Op, _ string) error {
			if op == vfs.OpSync {
				if syncs++; syncs == 1 {
					<-go0
				}
			}
			return nil
		}
		a.writing = make(chan struct{}, 1) // belongs to this bubble
		done := make(chan error)
		add := func() {
			_, ticket, err := a.Append(draft("x"))
			if err == nil {
				err = ticket.Wait(context.Background())
			}
			done <- err
		}
		a.mu.Lock()
		a.mu.next = newCommit(false)
		a.mu.Unlock()
		go add()
		synctest.Wait() // it is in its sync
		for range 100 {
			go add()
		}
		synctest.Wait()
		close(go0)
		for range 101 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if syncs != 2 {
			t.Errorf("%d syncs for 101 entries", syncs)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	a := open(t, Config{FS: vfs.NewMemory()})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a.writing <- struct{}{} // somebody writes
	_, ticket, _ := a.Append(draft("one"))
	if err := ticket.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-a.writing
}

func failing(ops ...vfs.Op) func(vfs.Op, string) error {
	return func(op vfs.Op, _ string) error {
		for _, o := range ops {
			if o == op {
				return syscall.ENOSPC
			}
		}
		return nil
	}
}

func TestAFullDisk(t *testing.T) {
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync, vfs.OpCreate, vfs.OpDir} {
		t.Run(string(op), func(t *testing.T) {
			disk := vfs.NewMemory()
			a := open(t, Config{FS: disk})
			a.must(t, "before")
			a.w.limit = 1 // so that the next commit also needs a new file
			disk.Fault = failing(op)
			s, ticket, err := a.Append(draft("during"))
			if err != nil {
				t.Fatal(err)
			}
			for range 3 { // who asks again is told again
				if err := ticket.Wait(context.Background()); !errors.Is(err, ErrNotDurable) || !errors.Is(err, syscall.ENOSPC) {
					t.Fatalf("%v", err)
				}
				if err := a.Sync(context.Background()); !errors.Is(err, ErrNotDurable) {
					t.Fatalf("%v", err)
				}
			}
			equal(t, "in force", a.bodies(), []string{"before", "during"})
			if a.Durable().Knows(s.Entry.ID) || a.Stats().Failing == nil {
				t.Error("counts as durable")
			}
			disk.Fault = nil
			a.must(t, "after")
			if !a.Durable().Knows(s.Entry.ID) || a.Stats().Failing != nil {
				t.Error("the next commit does not bring it to the disk")
			}
			want := a.Known()
			disk.Crash(seed.Rand(t))
			b := open(t, Config{FS: disk})
			if !b.Known().Equal(want) {
				t.Errorf("%v, want %v", b.Known(), want)
			}
		})
	}
}

func TestADiskThatTakesNothingForLong(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk, Items: tokens})
	a.must(t, "before")
	disk.Fault = failing(vfs.OpWrite)
	a.maxPending = 1 << 20
	body := strings.Repeat("x", 64<<10)
	for range 3 * a.maxPending / len(body) {
		if _, _, err := a.Append(draft(body)); err != nil {
			t.Fatal(err)
		}
		if n := a.Stats().Pending; n > a.maxPending+len(body)+100 {
			t.Fatalf("%d bytes wait", n)
		}
	}
	if _, _, err := a.Append(journal.Draft{Kind: journal.KindTokenCreate, Body: []byte("+t")}); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(context.Background()); !errors.Is(err, ErrNotDurable) {
		t.Fatal(err)
	}
	disk.Fault = nil
	a.must(t, "after")
	want := a.Known()
	if !a.Durable().Equal(want) {
		t.Errorf("durable %v, want %v", a.Durable(), want)
	}
	disk.Crash(seed.Rand(t))
	b := open(t, Config{FS: disk})
	if !b.Known().Equal(want) || len(b.steps) != len(a.steps) {
		t.Errorf("%d steps of %d", len(b.steps), len(a.steps))
	}
	if _, ok := b.Item(state.Key{Kind: state.KindToken, ID: "t"}); !ok {
		t.Error("an item is lost")
	}
}

func TestAReadOnlyDirectory(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	a.must(t, "one")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	disk.Fault = func(op vfs.Op, _ string) error {
		if op != vfs.OpRead {
			return syscall.EROFS
		}
		return nil
	}
	for range 2 { // and it gives the lock back
		if _, err := Open(Config{FS: disk}); !errors.Is(err, syscall.EROFS) {
			t.Errorf("%v", err)
		}
	}
	disk.Fault = nil
	equal(t, "replayed", open(t, Config{FS: disk}).bodies(), []string{"one"})
}

func TestOneProcessADirectory(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk, Owner: "rescind fra1-a, process 4711"})
	_, err := Open(Config{FS: disk})
	var locked *vfs.LockedError
	if !errors.As(err, &locked) || !strings.Contains(err.Error(), "fra1-a, process 4711") {
		t.Errorf("%v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Config{FS: disk})
}

func TestReceiveIsIdempotentAndInOrder(t *testing.T) {
	a, b := open(t, Config{}), open(t, Config{FS: vfs.NewMemory()})
	for _, body := range []string{"1", "2", "3"} {
		a.must(t, body)
	}
	entries := a.Supply(journal.Request{Ranges: b.Compare(a.Known(), ^journal.BucketSet(0)).Want}).Entries
	got, ticket, err := b.Receive([]journal.Entry{entries[2], entries[0], entries[2]})
	if err != nil || got.New != 2 || got.Outcomes[2] != journal.Known {
		t.Fatalf("%+v, %v", got, err)
	}
	again, ticket2, _ := b.Receive(entries[:1])
	if again.New != 0 || ticket2 != ticket {
		t.Errorf("%+v: what is known and not on disk yet must be waited for", again)
	}
	equal(t, "applied", b.bodies(), []string{"3", "1"})
	increasing(t, b.steps)
}

func TestGapIsAStepThatOutlastsARestart(t *testing.T) {
	disk := vfs.NewMemory()
	clk := newClock()
	a := open(t, Config{Now: clk.Now, Limits: journal.Limits{Retention: time.Minute}})
	b := open(t, Config{FS: disk, Now: clk.Now})
	a.must(t, "lost")
	clk.now = clk.now.Add(time.Hour)
	if err := a.Maintain(); err != nil {
		t.Fatal(err)
	}
	a.must(t, "kept")
	plan := b.Plan([]journal.Vector{a.Known()})
	if journal.CountOf(plan.Gap) != 1 {
		t.Fatalf("%+v", plan)
	}
	if done, ticket, err := b.Concede(plan.Gap, a.Known()); err != nil || len(done) != 1 || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	exchange(t, b, a)
	equal(t, "applied", b.bodies(), []string{"gap", "kept"})
	if d := b.Compare(a.Known(), ^journal.BucketSet(0)); !d.Equal() {
		t.Errorf("%+v", d)
	}
	disk.Crash(seed.Rand(t))
	equal(t, "replayed", open(t, Config{FS: disk, Now: clk.Now}).bodies(), []string{"gap", "kept"})
}

func TestANodeWithoutStorageAdopts(t *testing.T) {
	a, b := open(t, Config{}), open(t, Config{FS: vfs.NewMemory()})
	a.must(t, "old")
	ticket, err := b.Adopt(a.Known())
	if err != nil || ticket.Wait(context.Background()) != nil {
		t.Fatal(err)
	}
	a.must(t, "new")
	if _, err := b.Adopt(a.Known()); err != nil { // of what is known by now, only the new is
		t.Fatal(err)
	}
	if _, err := b.Adopt(a.Known()); err != nil {
		t.Fatal(err)
	}
	a.must(t, "newer")
	exchange(t, b, a)
	equal(t, "applied", b.bodies(), []string{"gap", "gap", "newer"})
	if !b.steps[1].Adopted || b.steps[1].Position <= b.steps[0].Position {
		t.Errorf("%+v", b.steps)
	}
	if row := b.Durable()[a.steps[0].Entry.Incarnation]; row.Floor != 2 || row.Head != 3 {
		t.Errorf("%+v", row)
	}
}

func TestACopiedDirectoryIsTwoIssuers(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	a.must(t, "common")
	b := open(t, Config{FS: disk.Clone()})
	a.must(t, "a")
	b.must(t, "b")
	exchange(t, a, b)
	exchange(t, b, a)
	equal(t, "a applied", a.bodies(), []string{"common", "a", "b"})
	equal(t, "b applied", b.bodies(), []string{"common", "b", "a"})
	if a.Recovered().Node != b.Recovered().Node {
		t.Error("a copy shows in the identity of the directory")
	}
}

func TestAClonedProcessRetires(t *testing.T) {
	a, b, c := open(t, Config{}), open(t, Config{}), open(t, Config{})
	own, _ := a.Own()
	b.mu.set = journal.NewSet(own, journal.Limits{}) // as if its memory were a copy
	for _, body := range []string{"a1", "a2"} {
		a.must(t, body)
	}
	b.must(t, "b1")
	for range 3 {
		exchange(t, b, a)
		exchange(t, a, b)
		exchange(t, c, a)
		exchange(t, c, b)
	}
	for _, n := range []*node{a, b, c} {
		have := strings.Join(n.bodies(), " ")
		for _, body := range []string{"a1", "a2", "b1"} {
			if !strings.Contains(have, body) {
				t.Errorf("%s is missing in %s", body, have)
			}
		}
		if now, _ := n.Own(); now == own {
			t.Error("still the shared incarnation")
		}
	}
}

func TestRetireOnSight(t *testing.T) {
	a := open(t, Config{FS: vfs.NewMemory()})
	s := a.must(t, "one")
	again, ticket, err := a.Retire(s.Entry.Incarnation)
	if err != nil || ticket.Wait(context.Background()) != nil || len(again) != 2 || again[0].Kind != journal.KindRetire {
		t.Fatalf("%v, %v", again, err)
	}
	if again, _, _ := a.Retire(s.Entry.Incarnation); len(again) != 0 {
		t.Error("retired twice")
	}
}

func TestAdvanceUsesAPosition(t *testing.T) {
	a := open(t, Config{})
	first := a.must(t, "one")
	var at field.Position
	if err := a.Advance(func(p field.Position) { at = p }); err != nil || at != first.Position+1 {
		t.Errorf("%d, %v", at, err)
	}
	if s := a.must(t, "two"); s.Position != at+1 || a.Position() != s.Position {
		t.Errorf("%d", s.Position)
	}
}

func TestPositionsRunOutOnlyWithoutADisk(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk})
	use := func(n field.Position) {
		a.mu.Lock()
		a.mu.position += n
		a.mu.Unlock()
	}
	for range 5 {
		use(Reserve / 2)
		a.must(t, "x")
	}
	disk.Fault = failing(vfs.OpSync)
	use(Reserve)
	_, _, err := a.Append(draft("y"))
	if err == nil { // it still fitted; the next does not
		use(Reserve)
		_, _, err = a.Append(draft("z"))
	}
	if !errors.Is(err, ErrPositions) {
		t.Errorf("%v", err)
	}
	disk.Fault = nil
	if err := a.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	a.must(t, "z")
}

func TestABatchIsNotKept(t *testing.T) {
	a, b := open(t, Config{Items: tokens}), open(t, Config{Items: tokens})
	if _, _, err := a.Append(journal.Draft{Kind: journal.KindTokenCreate, Body: []byte("+t")}); err != nil {
		t.Fatal(err)
	}
	batch, _ := wire.AppendBatch(nil, a.Supply(journal.Request{Ranges: b.Compare(a.Known(), ^journal.BucketSet(0)).Want}).Entries, 1200)
	entries, err := wire.ParseBatch(batch)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Receive(entries); err != nil {
		t.Fatal(err)
	}
	clear(batch) // the buffer is used again
	equal(t, "applied", b.bodies(), []string{"+t"})
	if got := b.Supply(journal.Request{Ranges: a.Plan(nil).Gap, Entries: 1}); len(got.Entries) != 0 {
		t.Error("supplies what was not asked for")
	}
	exchange(t, open(t, Config{}), b)
	if b.State().Digest() != a.State().Digest() {
		t.Error("the state lies in the buffer")
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	disk := vfs.NewMemory()
	a, b := open(t, Config{FS: disk, Items: tokens}), open(t, Config{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 200 {
				if _, ticket, err := a.Append(draft("a")); err != nil || ticket.Wait(t.Context()) != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 100 {
			exchange(t, a, b)
			exchange(t, b, a)
		}
	})
	all.Go(func() {
		for range 100 {
			b.must(t, "b")
		}
	})
	all.Go(func() {
		for range 50 {
			err := errors.Join(a.Maintain(), a.SaveSnapshot(func() []byte { return nil }))
			if err != nil {
				t.Error(err)
			}
			_, _, _ = a.Durable(), a.Stats(), a.State().Digest()
		}
	})
	all.Wait()
	exchange(t, b, a)
	exchange(t, a, b)
	if a.Known().Digests().Whole != b.Known().Digests().Whole {
		t.Error("they know different things")
	}
	increasing(t, a.steps)
}
