package purge

// maxReverted bounds the reverts remembered for purges that have not arrived,
// and those kept to answer a repeated revert. Past it the oldest is forgotten.
const maxReverted = 1 << 16

// Undo is the outcome of Revert.
type Undo uint8

const (
	Undone        Undo = iota // every effect of the purge is removed
	UndoneInPart              // some effects had merged with those of other purges and stand
	UndoneAhead               // the purge is not known, or long carried out; should it come, it will have no effect
	UndoneAlready             // it was reverted before
	UndoTooLate               // its effects have been carried out and cannot be removed
)

func (u Undo) String() string {
	return [...]string{"undone", "undone in part", "undone ahead", "undone already", "too late"}[u]
}

// Revert removes exactly one purge's effects. It is final, may be repeated,
// and may come before the purge does.
func (e *Engine) Revert(now int64, id ID) Undo {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, undo := e.foreseeLocked(now, id)
	if undo == UndoneAlready || undo == UndoTooLate {
		return undo
	}
	e.rememberLocked(id)
	e.mu.stats.Reverted++
	if r == nil {
		return undo
	}
	r.void = true
	for _, tag := range r.tags {
		if old := r.service.marks.get(tag); old != nil {
			e.setLocked(r.service, tag, old, old.without(func(x *entry) bool { return x.id == id }))
		}
	}
	e.dropPredicatesLocked(r)
	return undo
}

// Foresee returns what Revert would, and changes nothing.
func (e *Engine) Foresee(now int64, id ID) Undo {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, undo := e.foreseeLocked(now, id)
	return undo
}

func (e *Engine) foreseeLocked(now int64, id ID) (*record, Undo) {
	r := e.mu.byID[id]
	_, reverted := e.mu.reverted[id]
	switch {
	case reverted:
		return r, UndoneAlready
	case r == nil:
		return nil, UndoneAhead
	case r.until <= now || r.merged():
		return r, UndoTooLate
	case r.lost > 0:
		return r, UndoneInPart
	}
	return r, Undone
}

func (e *Engine) rememberLocked(id ID) {
	if len(e.mu.order) >= maxReverted {
		delete(e.mu.reverted, e.mu.order[0])
		e.mu.order = e.mu.order[1:]
	}
	e.mu.reverted[id] = struct{}{}
	e.mu.order = append(e.mu.order, id)
}
