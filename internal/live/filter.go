package live

import (
	"fmt"

	"github.com/rescind-edge/rescind/internal/event"
)

// Limits of a filter: a line that somebody types, and tests that each request
// has to pass while somebody listens.
const (
	MaxFilterBytes = 1024
	MaxTerms       = 16
)

// Filter selects requests; the package comment has its grammar. It is immutable
// and safe for concurrent use. A nil Filter takes everything.
type Filter struct {
	text  string
	terms []test
}

// test is one term.
type test interface {
	match(r *event.Request) bool
}

// ParseFilter compiles a filter. The error is a *SyntaxError.
func ParseFilter(text string) (*Filter, error) {
	if len(text) > MaxFilterBytes {
		return nil, &SyntaxError{Offset: MaxFilterBytes, Problem: fmt.Sprintf("the filter has more than %d bytes", MaxFilterBytes)}
	}
	p := parser{text: text}
	f := &Filter{text: text}
	for p.skipSpace(); !p.done(); p.skipSpace() {
		if len(f.terms) == MaxTerms {
			return nil, p.errorf(p.at, "the filter has more than %d terms", MaxTerms)
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		f.terms = append(f.terms, t)
	}
	return f, nil
}

// Match tells whether the filter takes a request. It keeps nothing of it.
func (f *Filter) Match(r *event.Request) bool {
	if f == nil {
		return true
	}
	for _, t := range f.terms {
		if !t.match(r) {
			return false
		}
	}
	return true
}

// String returns the filter as it was given.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// SyntaxError says where a filter is wrong.
type SyntaxError struct {
	Offset  int    // in bytes, from 0
	Problem string // safe to print
}

// Error implements error. It counts columns from 1.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("filter, column %d: %s", e.Offset+1, e.Problem)
}
