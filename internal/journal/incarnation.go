package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
)

// Incarnation names one start of one node: 128 random bits. It enters vectors
// when it issues its first entry, so restarts that issue nothing cost nothing.
type Incarnation [16]byte

// NewIncarnation draws an incarnation from a source of random bytes, which must
// be cryptographic outside of tests: two nodes with one incarnation lose
// entries. The error is the source's.
func NewIncarnation(random io.Reader) (Incarnation, error) {
	var inc Incarnation
	for inc.IsZero() {
		if _, err := io.ReadFull(random, inc[:]); err != nil {
			return Incarnation{}, fmt.Errorf("journal: draw an incarnation: %w", err)
		}
	}
	return inc, nil
}

// String returns 32 hexadecimal digits.
func (i Incarnation) String() string { return hex.EncodeToString(i[:]) }

// IsZero tells whether i names nothing.
func (i Incarnation) IsZero() bool { return i == Incarnation{} }

// Compare orders incarnations by their bytes, for canonical encodings.
func (i Incarnation) Compare(o Incarnation) int { return bytes.Compare(i[:], o[:]) }
