package durable

import "github.com/rescind-edge/rescind/internal/journal"

// Adopt takes over a peer's heads as known, for a node that had nothing stored
// when it started: see journal.Set.Adopt. What it has stored since may be older
// than what the heads stand for, so if anything becomes known, Apply gets a step
// that is a gap. The error wraps ErrPositions or is ErrClosed.
func (j *Journal) Adopt(peer journal.Vector) (Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.readyLocked()
	if err == nil {
		err = j.roomLocked(1)
	}
	if err != nil {
		return Ticket{}, err
	}
	now, before := j.now(), j.mu.set.Vector()
	j.mu.set.Adopt(now, peer)
	rows := journal.Vector{}
	own, _ := j.mu.set.Own()
	fresh := false
	for inc := range peer {
		if row, ok := j.mu.set.Row(inc); ok && inc != own {
			rows[inc] = row
			fresh = fresh || len(row.Known().Minus(before[inc].Known())) > 0
		}
	}
	if fresh {
		j.gapLocked(now, true)
	}
	j.mu.next.rows(rows)
	return j.ticketLocked(), nil
}

// gapLocked has whatever was stored until now dropped.
func (j *Journal) gapLocked(now int64, adopted bool) {
	j.mu.position++
	j.mu.next.number(recGap, uint64(j.mu.position))
	j.mu.apply([]Step{{Position: j.mu.position, Gap: true, Adopted: adopted, Arrived: now}})
}

// Concede gives up entries that nobody can supply: Apply gets a step that is a
// gap, and then they count as known. peers are the vectors that know them. It
// returns what was conceded: see journal.Set.Concede.
func (j *Journal) Concede(gap []journal.Range, peers ...journal.Vector) ([]journal.Range, Ticket, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.readyLocked()
	if err == nil {
		err = j.roomLocked(1)
	}
	if err != nil {
		return nil, Ticket{}, err
	}
	now := j.now()
	done := j.mu.set.Concede(now, gap, func(inc journal.Incarnation) int64 {
		var newest int64
		for _, v := range peers {
			newest = max(newest, v[inc].Newest)
		}
		return newest
	})
	if len(done) == 0 {
		return nil, Ticket{}, nil
	}
	rows := journal.Vector{}
	for _, r := range done {
		rows[r.Incarnation], _ = j.mu.set.Row(r.Incarnation)
	}
	j.mu.next.rows(rows)
	j.gapLocked(now, false)
	return done, j.ticketLocked(), nil
}
