package spread

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

var inc = journal.Incarnation{1}

func entries(first, n uint64, size int) []journal.Entry {
	var out []journal.Entry
	for seq := first; seq < first+n; seq++ {
		out = append(out, journal.Entry{
			ID: journal.ID{Incarnation: inc, Seq: seq}, Kind: journal.KindPurge, Time: 1, Body: make([]byte, size),
		})
	}
	return out
}

func core(members ...wire.ID) *Core {
	c := New(Config{Self: 1000, POP: "here"})
	var all []Member
	for _, id := range members {
		all = append(all, Member{ID: id, POP: "there"})
	}
	c.SetMembers(all)
	return c
}

// batchesIn returns the numbers of the batches in a packet.
func batchesIn(t *testing.T, content []byte) []uint64 {
	t.Helper()
	if len(content) > seal.MaxContent {
		t.Errorf("a packet of %d bytes", len(content))
	}
	var numbers []uint64
	for len(content) > 0 {
		f, rest, err := wire.NextFrame(content)
		if err != nil {
			t.Fatal(err)
		}
		content = rest
		if f.Type == wire.TypeBatch {
			n, data, err := wire.ParseBatch(f.Body)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := journalwire.ParseBatch(data); err != nil {
				t.Fatal(err)
			}
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// advance ticks until an instant and returns the batches of each packet sent.
func advance(t *testing.T, c *Core, to time.Duration) (sent []string) {
	t.Helper()
	for {
		at, ok := c.Next()
		if !ok || at > to {
			return sent
		}
		c.Tick(at)
		a := c.Take()
		for _, s := range a.Sends {
			sent = append(sent, fmt.Sprint(at, s.To, batchesIn(t, s.Content)))
		}
		for _, p := range a.Pushes {
			sent = append(sent, fmt.Sprint(at, p.To, p.Ranges[0].Spans))
		}
	}
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%q\nwant\n%q", got, want)
	}
}

func TestTheFirstLeavesAtOnceAndIsRepeated(t *testing.T) {
	c := core(1, 2)
	c.Publish(time.Second, entries(1, 1, 60))
	a := c.Take()
	if len(a.Sends) != 1 || len(a.Sends[0].To) != 2 {
		t.Fatalf("%+v", a)
	}
	expect(t, advance(t, c, 1100*time.Millisecond),
		"1.005s [{1 false} {2 false}] [1]",
		"1.015s [{1 false} {2 false}] [1]")
}

func TestAPacketRepeatsTheBatchBefore(t *testing.T) {
	c := core(1)
	c.Publish(time.Second, entries(1, 1, 60))
	c.Publish(1002*time.Millisecond, entries(2, 1, 60))
	c.Take()
	c.Publish(1002*time.Millisecond+minGather/2, entries(3, 2, 60))
	if a := c.Take(); len(a.Sends) > 0 {
		t.Error("entries did not wait for company")
	}
	got := advance(t, c, 1004*time.Millisecond)
	expect(t, got, "1.003s [{1 false}] [3 2]")
}

func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	c := core(1, 2)
	c.RoundTrip(1, 40*time.Millisecond)
	c.RoundTrip(2, 40*time.Millisecond)
	c.Publish(0, entries(1, 1, 60))
	c.Take()
	advance(t, c, 50*time.Millisecond)
	fresh := c.Acked(50*time.Millisecond, &wire.Ack{Receiver: 2, Incarnation: inc, Head: 1})
	if !slices.Equal(fresh, journal.Spans{{First: 1, Last: 1}}) {
		t.Errorf("%v", fresh)
	}
	got := advance(t, c, time.Minute)
	expect(t, got,
		"200ms [{1 false}] [1]", "205ms [{1 false}] [1]",
		"400ms [{1 false}] [1]", "405ms [{1 false}] [1]",
		"700ms {1 false} [{1 1}]",
		"1.15s {1 false} [{1 1}]")
	if n := c.Counters().Left; n != 1 {
		t.Errorf("left to the second phase %d times, want once", n)
	}
	if _, due := c.Next(); due {
		t.Error("still at it")
	}
	// When it is there again it is served again.
	c.Acked(time.Minute, &wire.Ack{Receiver: 1, Incarnation: inc, Head: 1})
	c.Publish(time.Minute, entries(2, 1, 60))
	c.Take()
	if got := advance(t, c, 2*time.Minute); len(got) < 5 {
		t.Errorf("sent %q", got)
	}
}

func TestOnlyWhatIsMissingIsSentAgain(t *testing.T) {
	c := core(1)
	c.RoundTrip(1, 10*time.Millisecond)
	for i := range uint64(4) {
		c.Publish(time.Duration(i)*20*time.Millisecond, entries(i+1, 1, 200))
	}
	c.Take()
	advance(t, c, 90*time.Millisecond)
	c.Acked(90*time.Millisecond, &wire.Ack{Receiver: 1, Incarnation: inc, Head: 1, Above: journal.Spans{{First: 3, Last: 4}}})
	got := advance(t, c, time.Second)
	if len(got) < 2 || got[0][len(got[0])-3:] != "[2]" {
		t.Errorf("sent %q, want batch 2 alone", got)
	}
}

func TestLargeEntriesAreStreamed(t *testing.T) {
	c := core(1, 2)
	c.Publish(0, append(entries(1, 1, 60), append(entries(2, 1, 5000), entries(3, 1, 60)...)...))
	a := c.Take()
	if len(a.Pushes) != 2 || !slices.Equal(a.Pushes[0].Ranges[0].Spans, journal.Spans{{First: 2, Last: 2}}) {
		t.Errorf("%+v", a.Pushes)
	}
	// One that fills a packet goes alone in it.
	c = core(1)
	c.Publish(0, entries(1, 1, 1080))
	if a := c.Take(); len(a.Sends) != 1 || len(a.Pushes) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestTheRateHolds(t *testing.T) {
	c := New(Config{Self: 1000, POP: "here", Rate: 1 << 20})
	var members []Member
	for id := range wire.ID(10) {
		members = append(members, Member{ID: id, POP: "here"})
	}
	c.SetMembers(members)
	bytes, seq := 0, uint64(1)
	for now := time.Duration(0); now < 3*time.Second; now += 5 * time.Millisecond {
		if !c.Full() {
			c.Publish(now, entries(seq, 64, 400))
			seq += 64
		}
		c.Tick(now)
		for _, s := range c.Take().Sends {
			if len(s.To) > 1 { // what is sent again to one is not held to it
				bytes += (len(s.Content) + seal.Overhead) * len(s.To)
			}
		}
	}
	if bytes < 3<<20 || bytes > 6<<20 {
		t.Errorf("%d bytes in three seconds at a rate of 1 MiB", bytes)
	}
	if c.Backlog() > maxPending || len(c.out.kept) > maxBatches {
		t.Errorf("backlog %d, batches %d", c.Backlog(), len(c.out.kept))
	}
	if c.Counters().Overflow > 0 {
		t.Error("the front door was not told to refuse in time")
	}
	c.Publish(3*time.Second, entries(seq, journal.MaxBatch, 2000))
	if c.Counters().Overflow == 0 || c.Backlog() > maxPending {
		t.Errorf("no bound: backlog %d", c.Backlog())
	}
}

func TestRelays(t *testing.T) {
	var members []wire.ID
	for i := range 40 {
		members = append(members, wire.IDOf(fmt.Sprint("n", i)))
	}
	if got := Relays(1, members[:3]); got != nil {
		t.Errorf("relays for three members: %v", got)
	}
	load := map[wire.ID]int{}
	moved := 0
	for issuer := range wire.ID(400) {
		chosen := Relays(issuer, members)
		if len(chosen) != relays || chosen[0] == chosen[1] {
			t.Fatalf("%v", chosen)
		}
		for _, id := range chosen {
			load[id]++
		}
		shuffled := slices.Clone(members)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if !slices.Equal(Relays(issuer, shuffled), chosen) {
			t.Fatal("the choice depends on the order")
		}
		if !slices.Equal(Relays(issuer, members[1:]), chosen) && !slices.Contains(chosen, members[0]) {
			moved++
		}
	}
	if moved > 0 {
		t.Errorf("%d choices changed because of a member that was none", moved)
	}
	for id, n := range load {
		if n < 5 || n > 45 {
			t.Errorf("%x relays for %d of 400 issuers, want some 20", id, n)
		}
	}
}

func TestAFailingRelayIsPassedBy(t *testing.T) {
	c := New(Config{Self: 1000, POP: "here", RelayFrom: 5})
	var members []Member
	for id := range wire.ID(6) {
		members = append(members, Member{ID: id, POP: "there"})
	}
	c.SetMembers(members)
	c.Publish(0, entries(1, 1, 60))
	to := slices.Clone(c.Take().Sends[0].To)
	if len(to) != 2 || !to[0].Hop || !to[1].Hop {
		t.Fatalf("%v", to)
	}
	advance(t, c, 5*time.Second)
	c.Publish(5*time.Second, entries(2, 1, 60))
	if to := c.Take().Sends[0].To; len(to) != 6 || to[0].Hop {
		t.Errorf("with relays that do not answer: %v", to)
	}
	for id := range wire.ID(6) {
		c.Acked(6*time.Second, &wire.Ack{Receiver: id, Incarnation: inc, Head: 2})
	}
	c.Publish(7*time.Second, entries(3, 1, 60))
	if to := c.Take().Sends[0].To; len(to) != 2 {
		t.Errorf("with relays that answer again: %v", to)
	}
}

func TestAcknowledgementsAreGathered(t *testing.T) {
	c := core(1, 2)
	acks := func() (n int) {
		for _, s := range c.Take().Sends {
			f, _, _ := wire.NextFrame(s.Content)
			got, err := wire.ParseAcks(f.Body)
			if err != nil || f.Type != wire.TypeAck {
				t.Fatal(err)
			}
			n += len(got)
		}
		return n
	}
	pay := func(now time.Duration) (paid int) {
		debts, _ := c.TakeDebts(now)
		for _, d := range debts {
			c.Acknowledge(now, d.To, wire.Ack{Receiver: 1000, Incarnation: d.Incarnation, Head: uint64(now)})
		}
		c.SendAcks(now)
		return acks()
	}
	owe := func(now time.Duration, to wire.ID) time.Duration {
		return c.Applied(now, Debt{To: to, Incarnation: inc, Came: now})
	}
	const ms = time.Millisecond
	if at := owe(ms, 1); at != ms || pay(at) != 1 {
		t.Errorf("the first after a pause is due at %v", at)
	}
	for i := range 20 {
		if at := owe(time.Duration(i+2)*ms, 1); at != ackGather {
			t.Fatalf("the others are due at %v, want the next of the instants in common", at)
		}
	}
	if pay(ackGather-1) != 0 {
		t.Error("acknowledgements were not gathered")
	}
	if n := pay(ackGather); n != 1 {
		t.Errorf("%d acknowledgements, want one for all", n)
	}
	// A member after a pause waits for a sync no longer than others allow.
	if at := owe(26*ms, 2); at != ackGather+syncGather {
		t.Errorf("due at %v, want %v after the last sync", at, syncGather)
	}
	if at := owe(27*ms, 1); at != ackGather+syncGather || pay(at) != 1 {
		t.Error("the first is not acknowledged by itself")
	}
	if at, due := c.SyncDue(); !due || at != 2*ackGather {
		t.Errorf("the other is due at %v", at)
	}
	owe(28*ms, 2)
	if n := pay(2 * ackGather); n != 2 {
		t.Errorf("%d acknowledgements at the instant in common, want two", n)
	}
	if at := owe(time.Second+ms, 77); at != time.Second+ackGather || pay(at) != 0 {
		t.Error("what came from a stranger is not made durable")
	}
	for i := range 5000 {
		c.Relay(time.Second, wire.Ack{Receiver: wire.ID(i), Incarnation: inc, Head: 1})
		c.Issued(inc, 1)
	}
	c.Tick(2 * time.Second)
	if n := acks(); n != maxOwed {
		t.Errorf("%d relayed, want the limit of %d", n, maxOwed)
	}
}

// TestAcknowledgementsSayWhenEntriesWereInForce has entries wait for a common sync,
// at which they are acknowledged, and then for a relay.
func TestAcknowledgementsSayWhenEntriesWereInForce(t *testing.T) {
	const ms = time.Millisecond
	inc := journal.Incarnation{1}
	c := New(Config{Self: 1000})
	c.SetMembers([]Member{{ID: 1}})
	add := func(at time.Duration, first, last uint64) {
		c.Applied(at, Debt{To: 1, Incarnation: inc, Came: at, New: journal.Span{First: first, Last: last}})
	}
	add(ms, 1, 1)
	add(ms+sameTime/2, 2, 3) // as good as at once
	add(5*ms, 4, 4)
	add(9*ms, 5, 6)
	debts, _ := c.TakeDebts(ackGather)
	if len(debts) != 1 {
		t.Fatalf("%+v", debts)
	}
	c.Applied(ackGather+ms, debts[0]) // the sync has failed
	debts, _ = c.TakeDebts(2 * ackGather)
	want := []InForce{
		{journal.Span{First: 1, Last: 3}, ms + sameTime/2}, {journal.Span{First: 4, Last: 4}, 5 * ms}, {journal.Span{First: 5, Last: 6}, 9 * ms},
	}
	if len(debts) != 1 || !slices.Equal(debts[0].Earlier, want) {
		t.Fatalf("%+v, want %+v", debts, want)
	}
	// Two of one member that a relay has not passed on yet: both count from the
	// instant of the later one.
	c.Issued(inc, 1)
	c.Relay(100*ms, wire.Ack{Receiver: 9, Incarnation: inc, Head: 1, Held: 10 * ms, Runs: []wire.Run{{First: 1, Last: 1, Delay: 3 * ms}}})
	c.Relay(102*ms, wire.Ack{Receiver: 9, Incarnation: inc, Head: 2, Held: 2 * ms, Runs: []wire.Run{{First: 2, Last: 2, Delay: ms}}})
	c.Tick(200 * ms)
	sends := c.Take().Sends
	if len(sends) == 0 {
		t.Fatal("nothing was passed on")
	}
	f, rest, _ := wire.NextFrame(sends[0].Content)
	got, err := wire.ParseTimes(f.Body)
	if err != nil || !slices.Equal(got.Runs, []wire.Run{{First: 1, Last: 1, Delay: 13 * ms}, {First: 2, Last: 2, Delay: ms}}) {
		t.Errorf("%+v, %v", got, err)
	}
	f, _, _ = wire.NextFrame(rest)
	if acks, err := wire.ParseAcks(f.Body); err != nil || len(acks) != 1 || acks[0].Head != 2 || acks[0].Held != 100*ms {
		t.Errorf("%+v, %v", acks, err)
	}
}

// TestTimesFitIntoThePacket has runs that are as long on the wire as any, and an
// acknowledgement that is.
func TestTimesFitIntoThePacket(t *testing.T) {
	inc := journal.Incarnation{1}
	c := New(Config{Self: 1000})
	c.SetMembers([]Member{{ID: 1}})
	a := wire.Ack{Receiver: 1 << 63, Incarnation: inc, Head: 1 << 60, Held: time.Hour, Delay: time.Hour}
	for i := range uint64(wire.MaxAckSpans) {
		first := 1<<61 + i<<58
		a.Above = append(a.Above, journal.Span{First: first, Last: first + 1<<57})
	}
	for i := range uint64(wire.MaxRuns) {
		first := (i % 2) << 62
		a.Runs = append(a.Runs, wire.Run{First: first, Last: first + 1<<61, Delay: time.Hour})
	}
	for i := range 3 {
		a.Receiver += wire.ID(i)
		c.Acknowledge(time.Hour, 1, a)
	}
	c.SendAcks(time.Hour)
	acks := 0
	for _, s := range c.Take().Sends {
		if len(s.Content) > seal.MaxContent {
			t.Errorf("%d bytes", len(s.Content))
		}
		for rest := s.Content; len(rest) > 0; {
			var f wire.Frame
			var err error
			if f, rest, err = wire.NextFrame(rest); err != nil {
				t.Fatal(err)
			}
			if f.Type == wire.TypeAck {
				got, err := wire.ParseAcks(f.Body)
				if acks += len(got); err != nil {
					t.Error(err)
				}
			} else if got, err := wire.ParseTimes(f.Body); err != nil || len(got.Runs) == 0 || got.Runs[len(got.Runs)-1] != a.Runs[wire.MaxRuns-1] {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
	if acks != 3 {
		t.Errorf("%d acknowledgements, want 3", acks)
	}
}

func TestInboxRemembers(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	c := core()
	seen, top := map[uint64]bool{}, uint64(0)
	for range 100_000 {
		n := top + uint64(rng.IntN(30)) - min(top, uint64(rng.IntN(30))) + 1
		if rng.IntN(2000) == 0 {
			n += uint64(rng.IntN(2 * batchWindow))
		}
		want := !seen[n] && n+batchWindow > top
		if got := c.First(0, seal.Session{1}, n); got != want {
			t.Fatalf("batch %d at %d: %v, want %v", n, top, got, want)
		}
		if top = max(top, n); want {
			seen[n] = true
		}
		if want && rng.IntN(10) == 0 {
			c.Unreceived(seal.Session{1}, n)
			delete(seen, n)
		}
	}
	for i := range maxSessions + 50 {
		c.First(time.Duration(i), seal.Session{2, byte(i), byte(i >> 8)}, 1)
	}
	if len(c.inbox.sessions) > maxSessions {
		t.Errorf("%d sessions", len(c.inbox.sessions))
	}
}

// Whatever the order of publishing, acknowledging and ticking, the core keeps
// its bounds and invariants, and ends up with nothing to do.
func TestRandomHistories(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 40 {
		c := core(1, 2, 3)
		now, seq := time.Duration(0), uint64(0)
		heads := map[wire.ID]uint64{}
		for range 300 {
			now += time.Duration(rng.IntN(40)) * time.Millisecond
			switch rng.IntN(4) {
			case 0:
				n := uint64(1 + rng.IntN(20))
				c.Publish(now, entries(seq+1, n, rng.IntN(1500)))
				seq += n
			case 1:
				id := wire.ID(1 + rng.IntN(2))
				heads[id] += uint64(rng.IntN(int(seq-heads[id]) + 1))
				c.Acked(now, &wire.Ack{Receiver: id, Incarnation: inc, Head: heads[id]})
			default:
				c.Tick(now)
			}
			for _, s := range c.Take().Sends {
				batchesIn(t, s.Content)
			}
			for id, p := range c.peers {
				if p.next > c.out.end() || c.Row(id, inc).Head != heads[id] {
					t.Fatalf("member %d: next %d of %d, head %d", id, p.next, c.out.end(), heads[id])
				}
			}
		}
		for id := range wire.ID(4) {
			c.Acked(now, &wire.Ack{Receiver: id, Incarnation: inc, Head: seq})
		}
		advance(t, c, now+time.Hour)
		if at, due := c.Next(); due {
			t.Fatalf("everything is acknowledged, and something is due at %v", at)
		}
	}
}

func BenchmarkPublishAndAck(b *testing.B) {
	for _, members := range []int{16, 63} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			var ids []wire.ID
			for id := range members {
				ids = append(ids, wire.ID(id))
			}
			c := core(ids...)
			now, seq := time.Duration(0), uint64(0)
			for b.Loop() {
				now += 3 * time.Millisecond
				seq++
				c.Publish(now, entries(seq, 1, 60))
				c.Tick(now)
				if seq%8 == 0 {
					for _, id := range ids {
						c.Acked(now, &wire.Ack{Receiver: id, Incarnation: inc, Head: seq})
					}
				}
				c.Take()
			}
		})
	}
}
