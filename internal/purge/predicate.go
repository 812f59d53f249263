package purge

import "github.com/rescind-edge/rescind/internal/field"

// Predicate is a selector that no tag stands for, compiled: a header or a ban.
// It is immutable. Build it by Selector.Predicate.
type Predicate struct {
	scope      field.Tag // the objects it is about carry this
	everywhere bool      // scope is the tag of the whole service
	header     *header   // one of the two
	conditions []condition
	readsHead  bool // looks at more than the URL
	weight     int
	bytes      int64
}

// Predicate returns what a selector ByHeader or ByBan tests. rule is the
// service's treatment of queries.
func (s Selector) Predicate(h *field.Hasher, service string, rule field.QueryRule) (*Predicate, error) {
	p := &Predicate{scope: s.Tag(h, service, rule)}
	p.everywhere = p.scope == h.All(service)
	switch s.Kind {
	case ByHeader:
		compiled, err := compileHeader(s.Header)
		if err != nil {
			return nil, err
		}
		p.header, p.readsHead, p.weight = compiled, true, compiled.weight()
	case ByBan:
		conditions, err := parseConditions(s.Ban)
		if err != nil {
			return nil, err
		}
		for _, c := range conditions {
			compiled, err := c.compile(rule)
			if err != nil {
				return nil, err
			}
			p.conditions = append(p.conditions, compiled)
			p.readsHead = p.readsHead || c.Part == PartHeader || c.Part == PartStatus
			p.weight += compiled.weight
		}
	default:
		return nil, badSelector("a selector by %s has a tag", s.Kind)
	}
	p.bytes = predicateBytes + instructionBytes*int64(p.weight)
	return p, nil
}

// Estimates of what a predicate takes on the heap: itself, its place in the
// list, and a compiled expression by its instructions.
const (
	predicateBytes   = 400
	instructionBytes = 120
)

// matches tells whether a purge by the predicate is about a response.
func (p *Predicate) matches(o Subject) bool {
	if p.readsHead && o.Status() == 0 || !p.inScope(o) {
		return false
	}
	if p.header != nil {
		return p.header.matches(o)
	}
	for i := range p.conditions {
		if !p.conditions[i].holds(o) {
			return false
		}
	}
	return true
}

func (p *Predicate) inScope(o Subject) bool { return p.everywhere || carries(o, p.scope) }
