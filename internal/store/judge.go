package store

import "github.com/rescind-edge/rescind/internal/field"

// Judge gives verdicts on stored objects. It is called on every look-up and by
// every walk, from many goroutines at once, so it takes no lock that a purge
// holds. It must not keep the Object. Judges are compared: those of one service
// are equal.
type Judge interface {
	// Judge tells whether o may be used now, and within which times.
	Judge(o Object) Verdict
}

// State is the gist of a Verdict.
type State uint8

const (
	Live  State = iota // no purge concerns the object
	Soft               // soft purges bound its times
	Dead               // a purge withdrew it; it must not be used in any way
	Spare              // Dead, but every purge that withdrew it can still be undone
)

// Verdict is what a Judge says of an object.
type Verdict struct {
	State State
	Times field.Times // bounds to keep to; meaningful unless the object is dead
}

// Usable tells whether the object may be used within the verdict's times.
func (v Verdict) Usable() bool { return v.State == Live || v.State == Soft }
