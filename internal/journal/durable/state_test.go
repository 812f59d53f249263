package durable

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/seed"
)

func member(id string, at int64) state.Item {
	return state.Item{Key: state.Key{Kind: state.KindMember, ID: id}, Time: at, Value: []byte("at " + id)}
}

func TestStateOutlastsAPowerFailure(t *testing.T) {
	disk := vfs.NewMemory()
	a, b := open(t, Config{FS: disk, Items: tokens}), open(t, Config{Items: tokens})
	if a.Complete() {
		t.Error("complete before anybody said so")
	}
	if _, err := b.Found(); err != nil || !b.Complete() {
		t.Fatal(err)
	}
	if changed, _, err := b.PutItems(member("fra1", 5), member("lhr1", 6)); err != nil || len(changed) != 2 {
		t.Fatalf("%v, %v", changed, err)
	}
	changed, ticket, err := a.MergeState(b.State(), b.Complete())
	if err != nil || len(changed) != 2 || ticket.Wait(context.Background()) != nil {
		t.Fatalf("%v, %v", changed, err)
	}
	if n := len(a.steps); n != 1 || len(a.steps[0].Changed) != 2 || a.steps[0].Gap || a.steps[0].Entry.Kind != 0 {
		t.Errorf("what a peer's state changed was told as %+v", a.steps)
	}
	if again, _, _ := a.MergeState(b.State(), true); len(again) != 0 {
		t.Errorf("changed again: %v", again)
	}
	disk.Crash(seed.Rand(t))
	c := open(t, Config{FS: disk, Items: tokens})
	if !c.Complete() || c.State().Digest() != b.State().Digest() {
		t.Errorf("%+v", c.State().All())
	}
}

func TestARevocationThatComesFirst(t *testing.T) {
	a, b := open(t, Config{Items: tokens}), open(t, Config{Items: tokens})
	for kind, body := range map[journal.Kind]string{journal.KindTokenCreate: "+t", journal.KindTokenRevoke: "-t"} {
		if _, _, err := a.Append(journal.Draft{Kind: kind, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	entries := a.Supply(journal.Request{Ranges: b.Compare(a.Known(), ^journal.BucketSet(0)).Want}).Entries
	for _, e := range []journal.Entry{entries[1], entries[0]} {
		if _, _, err := b.Receive([]journal.Entry{e}); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []*node{a, b} {
		if live := n.State().Live(state.KindToken); len(live) != 0 {
			t.Errorf("a revoked token is good: %v", live)
		}
	}
	if len(b.steps) != 2 || len(b.steps[1].Changed) > 1 {
		t.Errorf("%+v", b.steps)
	}
}

func TestAForgottenRemovalOutlastsARestart(t *testing.T) {
	disk, clk := vfs.NewMemory(), newClock()
	cfg := Config{FS: disk, Now: clk.Now}
	a := open(t, cfg)
	live := member("fra1", clk.now.UnixMilli())
	if _, _, err := a.PutItems(live, live.Removal(live.Time)); err != nil {
		t.Fatal(err)
	}
	clk.now = clk.now.Add(state.TombstoneLife + time.Hour)
	if err := a.Maintain(); err != nil || a.Stats().Items != 0 {
		t.Fatalf("%v, %+v", err, a.Stats())
	}
	disk.Crash(seed.Rand(t))
	b := open(t, cfg)
	if changed, _, _ := b.PutItems(live); len(changed) != 0 {
		t.Error("what was removed is back")
	}
}

func TestWhatIsNotValidIsNotKept(t *testing.T) {
	disk := vfs.NewMemory()
	a := open(t, Config{FS: disk, Items: func(*journal.Entry) []state.Item { return []state.Item{{}} }})
	a.must(t, "with an item that is none")
	if _, _, err := a.PutItems(state.Item{}); !errors.Is(err, state.ErrBadItem) {
		t.Errorf("%v", err)
	}
	got, _, err := a.Receive([]journal.Entry{{}})
	if err != nil || got.Outcomes[0] != journal.RefusedInvalid {
		t.Errorf("%+v, %v", got, err)
	}
	disk.Crash(seed.Rand(t))
	if b := open(t, a.cfg); b.Stats().Items != 0 {
		t.Error("an item that is none is in the state")
	}
}
