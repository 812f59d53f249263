package durable

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/journal/vfs"
	"github.com/rescind-edge/rescind/internal/seed"
)

// victim is a node whose disk fails and whose power goes, beside a record of
// what it has promised.
type victim struct {
	*node
	t    *testing.T
	r    *rand.Rand
	disk *vfs.Memory
	clk  *clock
	cfg  Config

	identity journal.Incarnation
	highest  field.Position
	waiting  []promise // appended and not yet known to be on disk
	promised []promise // must survive whatever comes
	count    int
}

type promise struct {
	id      journal.ID
	body    string
	arrived time.Time
	token   bool
}

func newVictim(t *testing.T, r *rand.Rand) *victim {
	v := &victim{t: t, r: r, disk: vfs.NewMemory(), clk: newClock()}
	v.cfg = Config{
		FS: v.disk, Now: v.clk.Now, Random: bytesOf{r}, Items: tokens,
		Limits: journal.Limits{Retention: time.Hour}, Snapshots: r.IntN(2) == 0,
	}
	v.start()
	v.identity = v.Recovered().Node
	return v
}

func (v *victim) start() {
	v.disk.Fault = nil
	n, err := tryOpenWith(v.cfg)
	if err != nil {
		v.t.Fatalf("%v\n%v", err, v.disk)
	}
	n.w.limit = 200 + v.r.IntN(2000)
	n.maxPending = 300 + v.r.IntN(3000)
	v.node = n
}

// tryOpenWith is tryOpen, with the snapshot as the first step.
func tryOpenWith(cfg Config) (*node, error) {
	j, err := Open(cfg)
	if err != nil {
		return nil, err
	}
	n := &node{Journal: j}
	if data := j.Recovered().Snapshot; len(data) > 0 {
		for _, body := range strings.Split(string(data), "\n") {
			n.steps = append(n.steps, Step{Entry: journal.Entry{Body: []byte(body)}})
		}
	}
	j.Start(n.apply)
	return n, nil
}

func (v *victim) append() {
	v.count++
	p := promise{body: fmt.Sprintf("entry %d", v.count), arrived: v.clk.now}
	d := draft(p.body)
	if v.r.IntN(5) == 0 {
		p.token, p.body = true, fmt.Sprintf("+%d", v.count)
		d = journal.Draft{Kind: journal.KindTokenCreate, Body: []byte(p.body)}
	}
	s, ticket, err := v.Append(d)
	if err != nil {
		v.t.Fatal(err)
	}
	if s.Position <= v.highest {
		v.t.Fatalf("position %d was used before", s.Position)
	}
	v.highest, p.id = s.Position, s.Entry.ID
	v.waiting = append(v.waiting, p)
	if v.r.IntN(2) == 0 && ticket.Wait(context.Background()) == nil {
		v.keepPromises()
	}
}

// keepPromises notes that all that waited is on disk.
func (v *victim) keepPromises() {
	v.promised = append(v.promised, v.waiting...)
	v.waiting = nil
}

func (v *victim) step() {
	switch k := v.r.IntN(100); {
	case k < 60:
		v.append()
	case k < 65:
		if v.Sync(context.Background()) == nil {
			v.keepPromises()
		}
	case k < 75:
		v.clk.now = v.clk.now.Add(time.Duration(v.r.IntN(15)) * time.Minute)
		if v.Maintain() == nil {
			v.keepPromises()
		}
	case k < 78:
		v.save()
	case k < 88:
		chance := v.r.Float64() / 2
		v.disk.Fault = func(op vfs.Op, _ string) error {
			if v.r.Float64() < chance {
				return syscall.EIO
			}
			return nil
		}
	case k < 93:
		v.disk.Fault = nil
	default:
		v.end()
	}
}

func (v *victim) save() {
	err := v.SaveSnapshot(func() []byte { return []byte(strings.Join(v.bodies(), "\n")) })
	if err == nil {
		v.keepPromises()
	}
}

// end takes the node down in one of several ways, and looks at what comes back.
func (v *victim) end() {
	switch v.r.IntN(3) {
	case 0:
		if v.Close() == nil {
			v.keepPromises()
		}
		v.disk.Kill()
	case 1:
		v.disk.Kill()
	default:
		v.disk.Crash(v.r)
	}
	before := v.node
	v.start()
	v.check(before)
}

func (v *victim) check(before *node) {
	if v.Recovered().Node != v.identity {
		v.t.Fatal("the directory changed its identity")
	}
	if v.Recovered().Start < v.highest {
		v.t.Fatalf("starts at %d, below %d", v.Recovered().Start, v.highest)
	}
	bodies := v.bodies()
	horizon := v.clk.now.Add(-time.Hour)
	for _, p := range v.promised {
		if !v.Knows(p.id) {
			v.t.Fatalf("%s was on disk and is not known any more\n%v", p.body, v.disk)
		}
		if _, ok := v.Item(state.Key{Kind: state.KindToken, ID: p.body[1:]}); p.token && !ok {
			v.t.Fatalf("token %s is lost", p.body)
		}
		needed := p.arrived.After(horizon) || v.cfg.Snapshots && !slices.Contains(bodies, "gap")
		if needed && !slices.Contains(bodies, p.body) {
			v.t.Fatalf("%s is neither in the snapshot nor replayed\n%v", p.body, v.disk)
		}
	}
	for inc, row := range before.mu.durable {
		if extra := row.Known().Minus(v.Known()[inc].Known()); len(extra) > 0 {
			v.t.Fatalf("%v of %v counted as durable and is lost", extra, inc)
		}
	}
	// What else had been issued may be there or not; from here on that is so.
	for _, p := range v.waiting {
		if v.Knows(p.id) {
			v.promised = append(v.promised, p)
		}
	}
	v.waiting = nil
	kept := v.promised[:0]
	for _, p := range v.promised { // rows live for a month, far longer than a run
		if p.token || v.cfg.Snapshots || p.arrived.After(horizon) || v.r.IntN(2) == 0 {
			kept = append(kept, p)
		}
	}
	v.promised = kept
}

func TestNothingOnDiskIsLost(t *testing.T) {
	r := seed.Rand(t)
	for range 40 {
		v := newVictim(t, r)
		for range 200 {
			v.step()
		}
		v.end()
	}
}
