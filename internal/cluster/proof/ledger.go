package proof

import (
	"time"

	"github.com/rescind-edge/rescind/internal/cluster/wire"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Limits of a ledger.
const (
	// maxCells is how many times of members are kept, six bytes each: a quarter
	// of a million entries for 16 members, four thousand for a thousand. Older
	// entries keep their count and their slowest member.
	maxCells = 4 << 20
	// maxRecords is how many entries are remembered at all, some hundred bytes
	// each. Of those before, who is missing is still known, by rows.
	maxRecords = 256 << 10
	// maxIncarnations is for how many of the own incarnations rows are kept:
	// those of the last starts.
	maxIncarnations = wire.MaxIssuers
)

// record is one own entry.
type record struct {
	at      time.Duration // issued
	roster  *Roster
	took    []uint32 // by roster index, in tenths of milliseconds plus one; nil once summarized
	sooner  []uint16 // likewise, how much earlier they were in force, without the one; notKnown
	count   int      // other members of the roster that have applied it
	slowest time.Duration
	slowIdx int
	early   bool // issued before the roster was known
}

const unit = 100 * time.Microsecond

// notKnown stands for when an entry came into force where that is not known, or was
// more than 6.5 s before it was durable.
const notKnown = 1<<16 - 1

// Ledger is the record of own entries.
//
// Invariant: log.records holds consecutive entries of each incarnation, oldest
// first, and order names the incarnations by the time of their first entry.
type Ledger struct {
	rows    map[journal.Incarnation]map[wire.ID]journal.Row
	logs    map[journal.Incarnation]*log
	order   []journal.Incarnation
	cells   int
	records int
	waiters map[*Waiter]struct{}
	// compared is when members were asked last who gave all that they knew of the
	// roster, on the clock of the others.
	compared map[wire.ID]time.Duration
}

type log struct {
	first   uint64
	records []record
	summed  int // records[:summed] have no cells
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		rows:    make(map[journal.Incarnation]map[wire.ID]journal.Row),
		logs:    make(map[journal.Incarnation]*log),
		waiters: make(map[*Waiter]struct{}), compared: make(map[wire.ID]time.Duration),
	}
}

// Issued records that an entry was issued while the roster was this.
func (l *Ledger) Issued(now time.Duration, id journal.ID, roster *Roster) {
	g := l.logs[id.Incarnation]
	if g == nil || len(g.records) > 0 && id.Seq != g.first+uint64(len(g.records)) {
		if g != nil {
			l.dropLog(id.Incarnation)
		}
		g = &log{first: id.Seq}
		l.logs[id.Incarnation] = g
		l.order = append(l.order, id.Incarnation)
	}
	if len(g.records) == 0 {
		g.first = id.Seq
	}
	n := len(roster.Members)
	r := record{at: now, roster: roster, took: make([]uint32, n), sooner: make([]uint16, n), slowIdx: -1}
	g.records = append(g.records, r)
	l.records++
	l.cells += len(r.took)
	l.shrink()
}

// Early says that an entry was issued before the roster was known: that of when it
// is known counts, see Settle.
func (l *Ledger) Early(id journal.ID) {
	if r := l.find(id); r != nil {
		r.early = true
	}
}

// Settle gives an early entry the roster that is known by now. Times of members
// that were not in the roster of its issue stay unknown.
func (l *Ledger) Settle(id journal.ID, roster *Roster) {
	r := l.find(id)
	if r == nil || !r.early {
		return
	}
	r.early = false
	if r.took == nil {
		r.roster, r.slowIdx = roster, -1 // summarized: who was the slowest cannot be told
		return
	}
	took, sooner, slowest := make([]uint32, len(roster.Members)), make([]uint16, len(roster.Members)), -1
	for i, m := range r.roster.Members {
		if at, in := roster.index[m.ID]; in {
			took[at], sooner[at] = r.took[i], r.sooner[i]
			if i == r.slowIdx {
				slowest = at
			}
		}
	}
	l.cells += len(took) - len(r.took)
	r.roster, r.took, r.sooner, r.slowIdx = roster, took, sooner, slowest
}

// shrink summarizes, then forgets the oldest records beyond the limits.
func (l *Ledger) shrink() {
	for i := 0; l.cells > maxCells && i < len(l.order); i++ {
		g := l.logs[l.order[i]]
		for g.summed < len(g.records) && l.cells > maxCells {
			r := &g.records[g.summed]
			l.cells -= len(r.took)
			r.took, r.sooner = nil, nil
			g.summed++
		}
	}
	for l.records > maxRecords {
		g := l.logs[l.order[0]]
		if len(g.records) == 0 {
			l.dropLog(l.order[0])
			continue
		}
		l.cells -= len(g.records[0].took)
		g.records[0] = record{}
		g.records, g.first, g.summed = g.records[1:], g.first+1, max(0, g.summed-1)
		l.records--
	}
}

func (l *Ledger) dropLog(inc journal.Incarnation) {
	g := l.logs[inc]
	for i := range g.records {
		l.cells -= len(g.records[i].took)
	}
	l.records -= len(g.records)
	delete(l.logs, inc)
	for i := range l.order {
		if l.order[i] == inc {
			l.order = append(l.order[:i:i], l.order[i+1:]...)
			break
		}
	}
}

func (l *Ledger) find(id journal.ID) *record {
	g := l.logs[id.Incarnation]
	if g == nil || id.Seq < g.first || id.Seq-g.first >= uint64(len(g.records)) {
		return nil
	}
	return &g.records[id.Seq-g.first]
}

// Ack is an acknowledgement as it arrived.
type Ack struct {
	From        wire.ID
	Incarnation journal.Incarnation
	Row         journal.Row // head and spans that the member has applied and made durable
	// Before is how long before now the member had applied the newest entry of
	// the row: what it held the acknowledgement, and the way back.
	Before time.Duration
	Runs   []wire.Run // when entries came into force, as far as that is known
}

// Acked takes an acknowledgement, and tells observe for each entry it confirms
// for the first time how long it took from its issue until the member had
// applied it and made it durable. All that are confirmed at once get one instant,
// that of the member's sync.
func (l *Ledger) Acked(now time.Duration, a Ack, observe func(took time.Duration)) {
	rows := l.rows[a.Incarnation]
	if rows == nil {
		if len(l.rows) >= maxIncarnations {
			l.forgetRows()
		}
		rows = make(map[wire.ID]journal.Row)
		l.rows[a.Incarnation] = rows
	}
	old := rows[a.From]
	row := old.Merge(a.Row)
	if len(row.Above) > journal.MaxAbove || len(rows) >= wire.MaxBeats && !known(rows, a.From) {
		return
	}
	rows[a.From] = row
	applied := now - max(0, a.Before)
	for _, span := range row.Known().Minus(old.Known()) {
		l.confirm(&a, span, applied, observe)
		l.tell(a.From, a.Incarnation, span)
	}
}

func known(rows map[wire.ID]journal.Row, id wire.ID) bool {
	_, ok := rows[id]
	return ok
}

// forgetRows drops the rows of an incarnation that has no records.
func (l *Ledger) forgetRows() {
	for inc := range l.rows {
		if l.logs[inc] == nil {
			delete(l.rows, inc)
			return
		}
	}
	delete(l.rows, l.order[0])
	l.dropLog(l.order[0])
}

func (l *Ledger) confirm(a *Ack, span journal.Span, applied time.Duration, observe func(time.Duration)) {
	g := l.logs[a.Incarnation]
	if g == nil {
		return
	}
	last := g.first + uint64(len(g.records)) // one more
	for seq := max(span.First, g.first); seq <= span.Last && seq < last; seq++ {
		rec := &g.records[seq-g.first]
		i, member := rec.roster.index[a.From]
		if !member || a.From == rec.roster.Self {
			continue
		}
		took := max(0, applied-rec.at)
		rec.count++
		if took >= rec.slowest {
			rec.slowest, rec.slowIdx = took, i
		}
		if rec.took != nil {
			rec.took[i] = uint32(min(took/unit, 1<<32-2)) + 1
			rec.sooner[i] = a.sooner(seq, took)
		}
		observe(took)
	}
}

// sooner returns by how much an entry was in force before it was durable, after
// it had been issued for as long as that took.
func (a *Ack) sooner(seq uint64, took time.Duration) uint16 {
	best, width := time.Duration(-1), uint64(0)
	for _, r := range a.Runs { // of several, that which says it of the fewest
		if n := r.Last - r.First; r.First <= seq && seq <= r.Last && (best < 0 || n < width) {
			best, width = r.Delay, n
		}
	}
	if best < 0 || best/unit >= notKnown {
		return notKnown
	}
	return uint16(min(best, took) / unit)
}

// Has tells whether a member has acknowledged an entry.
func (l *Ledger) Has(id journal.ID, member wire.ID) bool {
	return l.rows[id.Incarnation][member].Knows(id.Seq)
}

// Row returns what a member has acknowledged of an incarnation.
func (l *Ledger) Row(inc journal.Incarnation, member wire.ID) journal.Row {
	return l.rows[inc][member]
}
