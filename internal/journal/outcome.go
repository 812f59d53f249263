package journal

// Outcome is what became of an entry that was offered to a Set.
type Outcome uint8

const (
	// Accepted: it was not known. It is to be applied.
	Accepted Outcome = iota + 1
	// Covered: it was not known, and has no effect of its own: a later entry
	// that is known does what it asked for. It counts as applied.
	Covered
	// Known: it had been accepted before. Nothing changes.
	Known
	// Conflict: an entry of this ID had been accepted, and was another one: its
	// issuer was cloned. It is to be applied, since its effect is new, and is
	// not kept; the issuer, when it sees this, issues anew what it has issued.
	Conflict
	// OwnAhead: it is of the node's own incarnation and the node has not issued
	// it: the node was cloned. Nothing changes until Set.Retire; offer it again
	// then.
	OwnAhead
	// RefusedAncient: its incarnation is not known and it is older than Life.
	// Whoever would apply it may have applied and forgotten it.
	RefusedAncient
	// RefusedScattered: it would be the start of one span more than MaxAbove
	// above its row's head. Ask for the entries between first.
	RefusedScattered
	// RefusedUncovered: the entry that covers it is not known. Ask for that one.
	RefusedUncovered
	// RefusedFull: its incarnation would need one row more than MaxRows, and
	// every row still has entries.
	RefusedFull
	// RefusedInvalid: it is not what Entry.Validate allows. No parser of package
	// wire returns such an entry.
	RefusedInvalid
)

func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Covered:
		return "covered"
	case Known:
		return "known"
	case Conflict:
		return "conflict"
	case OwnAhead:
		return "own incarnation ahead"
	case RefusedAncient:
		return "refused: older than what is remembered"
	case RefusedScattered:
		return "refused: too many gaps before it"
	case RefusedUncovered:
		return "refused: what covers it is missing"
	case RefusedFull:
		return "refused: too many incarnations"
	case RefusedInvalid:
		return "refused: not valid"
	}
	return "unknown"
}

// New tells whether the entry was recorded for the first time.
func (o Outcome) New() bool { return o == Accepted || o == Covered }

// Apply tells whether the entry's effect is to be carried out.
func (o Outcome) Apply() bool { return o == Accepted || o == Conflict }

// Refused tells whether the entry was not taken, and why is in the name.
func (o Outcome) Refused() bool { return o >= RefusedAncient }
