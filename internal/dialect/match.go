package dialect

import (
	"errors"

	"github.com/rescind-edge/rescind/internal/purge"
)

// Match names objects by what only a look at each of them can tell: patterns of
// fields, of the host, of the URL. All of its conditions must hold; empty ones do.
type Match struct {
	// Under is an URL whose host, path and what is below it the objects belong
	// to, as purge.Path reads it; "": any.
	Under string

	Header *HeaderGlob // one field of the response

	Host, URL string       // regular expressions of the host, and of path and query
	Fields    []FieldMatch // regular expressions of fields of the response
}

// HeaderGlob is a field by patterns, as purge by header has them.
type HeaderGlob struct {
	Name, Value string // globs; "(?i)" before either ignores the case of the value
	Separator   string // splits the value into elements that match by themselves; "": the value is one
}

// FieldMatch is a field by a regular expression of its value.
type FieldMatch struct{ Name, Regexp string }

// ErrNoMatch is returned by Match.Selector for what cannot be selected by.
var ErrNoMatch = errors.New("purging by patterns is not available")

// Selector returns the engine's selector for a match.
func (m Match) Selector() (purge.Selector, error) {
	return purge.Selector{}, ErrNoMatch
}
