package journal

import "slices"

// Difference is what two nodes that compare vectors owe each other. Ranges are
// in order of incarnation.
type Difference struct {
	Want  []Range // the peer knows them and can supply them
	Gone  []Range // the peer knows them and cannot supply them: a gap, unless somebody else can
	Offer []Range // the peer lacks them and we can supply them
	Owed  []Range // the peer lacks them and we cannot supply them: its gap, unless somebody else can
	// Ancient are incarnations that one side does not know and whose entries
	// are all older than Life. Whatever they did has long been superseded; the
	// side that has forgotten them is right.
	Ancient []Incarnation
}

// Equal tells whether there is nothing to do.
func (d *Difference) Equal() bool {
	return len(d.Want)+len(d.Gone)+len(d.Offer)+len(d.Owed) == 0
}

// Compare says what each of two vectors lacks of the other. Both must be of
// the same parts, see Vector.In. Rows unknown to one side are ignored if their
// newest entry is older than horizon, in milliseconds of Unix time: see
// Set.Horizon.
func Compare(mine, theirs Vector, horizon int64) Difference {
	var d Difference
	for _, inc := range mine.Merge(theirs).Incarnations() {
		m, here := mine[inc]
		t, there := theirs[inc]
		if !here && t.Newest < horizon || !there && m.Newest < horizon {
			d.Ancient = append(d.Ancient, inc)
			continue
		}
		lacked, owed := t.Known().Minus(m.Known()), m.Known().Minus(t.Known())
		d.Want = appendRange(d.Want, inc, lacked.Above(t.Floor))
		d.Gone = appendRange(d.Gone, inc, lacked.UpTo(t.Floor))
		d.Offer = appendRange(d.Offer, inc, owed.Above(m.Floor))
		d.Owed = appendRange(d.Owed, inc, owed.UpTo(m.Floor))
	}
	return d
}

func appendRange(to []Range, inc Incarnation, spans Spans) []Range {
	if len(spans) == 0 {
		return to
	}
	return append(to, Range{inc, spans})
}

// Plan says from whom to fetch what a node lacks.
type Plan struct {
	Fetch [][]Range // by index of peer; each entry is asked of one peer only
	// Gap are entries that somebody knows and nobody who was asked can supply.
	// If these are all members that can be reached, the node must drop what it
	// had stored and concede them: see Set.Concede.
	Gap []Range
}

// NewPlan compares a node's vector with those of all peers at once. Peers that
// come earlier are asked first.
func NewPlan(mine Vector, peers []Vector, horizon int64) Plan {
	p := Plan{Fetch: make([][]Range, len(peers))}
	asked := map[Incarnation]Spans{}
	gone := map[Incarnation]Spans{}
	for i, theirs := range peers {
		d := Compare(mine, theirs, horizon)
		for _, r := range d.Want {
			spans := r.Spans.Minus(asked[r.Incarnation])
			p.Fetch[i] = appendRange(p.Fetch[i], r.Incarnation, spans)
			asked[r.Incarnation] = asked[r.Incarnation].Union(spans)
		}
		for _, r := range d.Gone {
			gone[r.Incarnation] = gone[r.Incarnation].Union(r.Spans)
		}
	}
	for inc, spans := range gone {
		p.Gap = appendRange(p.Gap, inc, spans.Minus(asked[inc]))
	}
	slices.SortFunc(p.Gap, func(a, b Range) int { return a.Incarnation.Compare(b.Incarnation) })
	return p
}
