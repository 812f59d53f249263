package purge

import (
	"crypto/rand"
	"errors"

	"github.com/oklog/ulid/v2"
)

// ID names one purge, everywhere and for ever. IDs sort by the time at which
// they were made.
type ID [16]byte

// ErrBadID is returned by ParseID for a text that is not an ID.
var ErrBadID = errors.New("not a purge id: want 26 characters, as a purge's answer gives it")

// NewID returns a fresh ID for a purge made at the given Unix milliseconds.
// Nobody can guess it.
func NewID(ms int64) ID {
	return ID(ulid.MustNew(uint64(max(ms, 0)), rand.Reader))
}

// ParseID reads what String wrote.
func ParseID(s string) (ID, error) {
	id, err := ulid.ParseStrict(s)
	if err != nil {
		return ID{}, ErrBadID
	}
	return ID(id), nil
}

// String returns the ID as 26 characters of Crockford's base 32.
func (id ID) String() string { return ulid.ULID(id).String() }

// IsZero tells whether id names nothing.
func (id ID) IsZero() bool { return id == ID{} }
