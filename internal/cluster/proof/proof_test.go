package proof

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

var inc = journal.Incarnation{1}

func roster(n int) *Roster {
	var members []Member
	for i := range n {
		members = append(members, Member{
			ID: wire.ID(i), Name: fmt.Sprintf("n%d", i), POP: fmt.Sprintf("pop%d", i%2),
			Policy: wire.PolicyServe, After: 30 * time.Second, Disk: true,
		})
	}
	return NewRoster(0, members)
}

func id(seq uint64) journal.ID { return journal.ID{Incarnation: inc, Seq: seq} }

func ack(l *Ledger, now time.Duration, from wire.ID, head uint64) (took []time.Duration) {
	l.Acked(now, Ack{From: from, Incarnation: inc, Row: journal.Row{Head: head}}, func(d time.Duration) { took = append(took, d) })
	return took
}

func done(w *Waiter) bool {
	select {
	case <-w.Done():
		return true
	default:
		return false
	}
}

func TestProgress(t *testing.T) {
	l, r := NewLedger(), roster(4)
	l.Issued(time.Second, id(1), r)
	l.Issued(2*time.Second, id(2), r)
	if took := ack(l, 3*time.Second, 1, 2); !slices.Equal(took, []time.Duration{2 * time.Second, time.Second}) {
		t.Errorf("%v", took)
	}
	if took := ack(l, 4*time.Second, 1, 2); len(took) > 0 {
		t.Errorf("counted twice: %v", took)
	}
	l.Acked(5*time.Second, Ack{From: 2, Incarnation: inc, Row: journal.Row{Head: 1}, Before: time.Second}, func(time.Duration) {})
	p := l.Progress(id(1), r)
	if !p.Remembered || p.Count != 2 || p.Slowest != 3*time.Second || p.SlowestOf != "n2" || len(p.Members) != 3 {
		t.Errorf("%+v", p)
	}
	if m := p.Members[0]; !m.Applied || m.Took != 2*time.Second {
		t.Errorf("%+v", m)
	}
	if m := p.Members[2]; m.Applied || m.Took >= 0 {
		t.Errorf("%+v", m)
	}
	// An entry of an earlier start: who has it is known, when is not.
	old := journal.Incarnation{9}
	l.Acked(0, Ack{From: 3, Incarnation: old, Row: journal.Row{Head: 7}}, func(time.Duration) {})
	p = l.Progress(journal.ID{Incarnation: old, Seq: 7}, r)
	if p.Remembered || p.Count != 1 || p.Members[2].Took >= 0 {
		t.Errorf("%+v", p)
	}
}

// TestPeersHaveDisks waits for a second disk: who has none does not count, and where
// nobody has one nobody is waited for.
func TestPeersHaveDisks(t *testing.T) {
	l, r := NewLedger(), roster(4)
	r.Members[1].Disk = false
	l.Issued(0, id(1), r)
	w, _ := l.Wait(0, id(1), Peer, r)
	if ack(l, 1, 1, 1); done(w) {
		t.Error("a member without a disk was one")
	}
	if missing := l.End(w); !slices.Equal(missing, []string{"n2", "n3"}) {
		t.Errorf("missing %v", missing)
	}
	w, _ = l.Wait(0, id(1), Peer, r)
	if ack(l, 1, 3, 1); !done(w) {
		t.Error("a disk was none")
	}
	for i := range r.Members {
		r.Members[i].Disk = false
	}
	w, _ = l.Wait(0, id(1), Peer, r)
	if missing := l.End(w); !done(w) || !slices.Equal(missing, []string{"n1", "n2", "n3"}) {
		t.Errorf("without disks: done %v, missing %v", done(w), missing)
	}
	l.Issued(0, id(2), roster(1))
	if w, _ = l.Wait(0, id(2), Peer, roster(1)); !done(w) || len(l.End(w)) > 0 {
		t.Error("alone, somebody was waited for")
	}
}

// TestInForceIsTold has three entries durable at once that were in force one after the
// other, and one of which only that is known.
func TestInForceIsTold(t *testing.T) {
	const ms = time.Millisecond
	l, r := NewLedger(), roster(2)
	for i := range uint64(4) {
		l.Issued(time.Duration(i)*10*ms, id(i+1), r)
	}
	a := Ack{From: 1, Incarnation: inc, Row: journal.Row{Head: 4}, Runs: []wire.Run{{First: 1, Last: 3, Delay: 5 * ms}, {First: 1, Last: 1, Delay: 25 * ms}, {First: 3, Last: 3, Delay: time.Hour}}}
	l.Acked(40*ms, a, func(time.Duration) {})
	for i, want := range []time.Duration{15 * ms, 25 * ms, -1, -1} {
		m := l.Progress(id(uint64(i+1)), r).Members[0]
		if m.InForce != want || m.Took != time.Duration(40-10*i)*ms {
			t.Errorf("entry %d was in force after %v, want %v, and durable after %v", i+1, m.InForce, want, m.Took)
		}
	}
}

func TestWait(t *testing.T) {
	l, r := NewLedger(), roster(4)
	l.Issued(0, id(1), r)
	l.Issued(0, id(2), r)
	levels := map[Level]*Waiter{}
	for _, level := range []Level{None, Peer, POP, All} {
		w, err := l.Wait(0, id(2), level, r)
		if err != nil {
			t.Fatal(err)
		}
		levels[level] = w
	}
	expect := func(when string, want ...Level) {
		t.Helper()
		for level, w := range levels {
			if done(w) != slices.Contains(want, level) {
				t.Errorf("%s: level %d done: %v", when, level, done(w))
			}
		}
	}
	expect("at first", None)
	ack(l, 1, 1, 1)
	expect("another entry", None)
	ack(l, 1, 1, 2)
	expect("one of another POP", None, Peer)
	ack(l, 1, 2, 2)
	expect("all of the POP", None, Peer, POP)
	if missing := l.End(levels[All]); !slices.Equal(missing, []string{"n3"}) {
		t.Errorf("missing %v", missing)
	}
	w, _ := l.Wait(0, id(2), All, r)
	l.Review(time.Hour, r)
	if done(w) {
		t.Error("a member that serves on was given up")
	}
	l.Review(0, roster(3))
	if !done(w) {
		t.Error("still waits for who has left")
	}
	for range maxWaiters {
		if _, err := l.Wait(0, id(1), All, r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Wait(0, id(1), All, r); !errors.Is(err, ErrTooManyWait) {
		t.Error(err)
	}
}

func TestFenced(t *testing.T) {
	r := roster(5)
	r.Members[4].Policy = wire.PolicyRefuse
	l := NewLedger()
	l.Issued(0, id(1), r)
	w, _ := l.Wait(0, id(1), All, r)
	ack(l, time.Second, 1, 1)
	l.Review(time.Hour, r)
	if len(w.missing) != 3 {
		t.Fatalf("given up though a minority knows the entry: %v", w.missing)
	}
	ack(l, time.Second, 2, 1) // a majority has it at one second
	ack(l, time.Second, 3, 1)
	l.Review(32*time.Second, r)
	if done(w) {
		t.Error("given up before it must be isolated")
	}
	l.Review(34*time.Second, r)
	if !done(w) {
		t.Error("a member that refuses while isolated must be by now")
	}
	// A majority that came about because the roster has grown or shrunk since must
	// have had the entry for as long.
	l.Issued(0, id(3), roster(1))
	grown := roster(4)
	grown.Members[3].Policy = wire.PolicyRefuse
	ack(l, time.Hour, 1, 3)
	ack(l, time.Hour, 2, 3)
	if l.Fenced(time.Hour+time.Second, id(3), grown.Members[3], grown) {
		t.Error("fenced though most members learned of the entry a second ago")
	}
	// Without a majority nothing is proven.
	l.Issued(0, id(4), r)
	ack(l, time.Second, 1, 4)
	if l.Fenced(time.Hour, id(4), r.Members[4], r) {
		t.Error("fenced though a minority knows the entry")
	}
}

// guests returns a roster of which the last n are guests.
func guests(all, n int) *Roster {
	r := roster(all)
	for i := all - n; i < all; i++ {
		r.Members[i].Guest = true
	}
	return NewRoster(0, r.Members)
}

// What was issued before the roster was known waits for the roster that is known
// later, and keeps the times of those that were known then.
func TestSettle(t *testing.T) {
	l := NewLedger()
	l.Issued(time.Second, id(1), roster(2))
	l.Early(id(1))
	l.Issued(time.Second, id(2), roster(2))
	ack(l, 3*time.Second, 1, 2)
	l.Settle(id(1), roster(4))
	l.Settle(id(2), roster(4))
	p := l.Progress(id(1), roster(9))
	if len(p.Members) != 3 || !p.Remembered || !p.Members[0].Applied || p.Members[0].Took != 2*time.Second || p.Members[1].Applied || p.SlowestOf != "n1" {
		t.Errorf("%+v", p)
	}
	w, err := l.Wait(0, id(1), All, roster(4))
	if err != nil || done(w) {
		t.Errorf("the others are not waited for: %v", err)
	}
	ack(l, 4*time.Second, 2, 1)
	ack(l, 5*time.Second, 3, 1)
	if p = l.Progress(id(1), roster(9)); !done(w) || p.Members[2].Took != 4*time.Second || p.SlowestOf != "n3" {
		t.Errorf("%+v", p)
	}
	if p := l.Progress(id(2), roster(9)); len(p.Members) != 1 {
		t.Errorf("an entry with a known roster got another one: %+v", p)
	}
	for seq := uint64(3); seq < maxCells/2+10; seq++ {
		l.Issued(time.Second, id(seq), roster(4))
	}
	if l.cells > maxCells {
		t.Errorf("%d cells", l.cells)
	}
}

func TestGuests(t *testing.T) {
	l, r := NewLedger(), guests(3, 2)
	if r.Majority() != 1 || !r.Has(2) || r.Enlisted(2) || !r.Enlisted(0) {
		t.Errorf("majority %d", r.Majority())
	}
	l.Issued(0, id(1), r)
	w, err := l.Wait(0, id(1), All, r)
	if err != nil || done(w) {
		t.Fatalf("guests are not waited for: %v", err)
	}
	ack(l, time.Second, 1, 1)
	// Nobody knows by which roster a guest goes.
	refusing := r.Members[2]
	refusing.Policy = wire.PolicyRefuse
	if l.Fenced(time.Hour, id(1), refusing, r) {
		t.Error("a guest is taken for fenced")
	}
	// It goes without a word: no record says that it has left.
	l.Review(time.Hour, guests(2, 1))
	if done(w) {
		t.Error("a guest that has gone without a word is not waited for")
	}
	// It is enlisted, and leaves.
	l.Review(time.Hour, guests(3, 0))
	if done(w) {
		t.Error("a member that is enlisted by now is not waited for")
	}
	l.Review(time.Hour, guests(2, 0))
	if !done(w) {
		t.Error("who has left is still waited for")
	}
	// Who leaves is alive for a moment longer.
	l.Issued(0, id(2), guests(2, 0))
	w, _ = l.Wait(0, id(2), All, guests(2, 0))
	l.Review(time.Second, guests(2, 1))
	if !done(w) {
		t.Error("who has left is waited for because it is still there")
	}
}

func TestLedgerIsBounded(t *testing.T) {
	l, r := NewLedger(), roster(1000)
	for seq := uint64(1); seq <= 10_000; seq++ {
		l.Issued(time.Duration(seq), id(seq), r)
	}
	if l.cells > maxCells {
		t.Errorf("%d cells", l.cells)
	}
	ack(l, time.Second, 7, 10_000)
	if p := l.Progress(id(1), r); p.Count != 1 || p.SlowestOf != "n7" || !p.Members[6].Applied {
		t.Errorf("an old entry: %d, %s", p.Count, p.SlowestOf)
	}
	small := roster(2)
	for seq := uint64(10_001); seq < maxRecords+30_000; seq++ {
		l.Issued(0, id(seq), small)
	}
	if l.records > maxRecords || len(l.logs) != 1 {
		t.Errorf("%d records", l.records)
	}
	for i := range 100 {
		l.Acked(0, Ack{From: 1, Incarnation: journal.Incarnation{2, byte(i)}, Row: journal.Row{Head: 1}}, func(time.Duration) {})
	}
	if len(l.rows) > maxIncarnations {
		t.Errorf("rows of %d incarnations", len(l.rows))
	}
}

// Random acknowledgements are compared with a set of who has what.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	l, r := NewLedger(), roster(6)
	has := map[string]bool{}
	for seq := uint64(1); seq <= 200; seq++ {
		l.Issued(time.Duration(seq), id(seq), r)
		from := wire.ID(1 + rng.IntN(5))
		first := 1 + uint64(rng.IntN(int(seq)))
		last := first + uint64(rng.IntN(int(seq-first)+1))
		row := journal.Row{Above: journal.Spans{{First: first, Last: last}}}
		if first == 1 {
			row = journal.Row{Head: last}
		}
		l.Acked(time.Duration(seq), Ack{From: from, Incarnation: inc, Row: row}, func(time.Duration) {})
		for s := first; s <= last; s++ {
			has[fmt.Sprint(from, s)] = true
		}
	}
	for seq := uint64(1); seq <= 200; seq++ {
		p, count := l.Progress(id(seq), r), 0
		for _, m := range p.Members {
			if m.Applied != has[fmt.Sprint(m.Member.ID, seq)] || m.Applied != (m.Took >= 0) {
				t.Fatalf("entry %d, member %s: %+v", seq, m.Member.Name, m)
			}
			if m.Applied {
				count++
			}
		}
		if p.Count != count || l.find(id(seq)).count != count {
			t.Fatalf("entry %d: %d and %d, want %d", seq, p.Count, l.find(id(seq)).count, count)
		}
	}
}
