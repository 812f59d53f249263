package shield

import (
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// How says how a shield came by its answer. The set is fixed: it labels metrics.
type How string

// How a shield answers.
const (
	Hit     How = "hit"     // from its store
	Stale   How = "stale"   // from its store, stale, because the origin fails
	Filled  How = "filled"  // by a fetch whose answer it may have stored
	Passed  How = "passed"  // by the origin, past its store
	Behind  How = "behind"  // by the origin, past its store, because it did not know in time what the edge knew
	Failed  How = "failed"  // in its own words: the request is wrong, or the origin gave no answer
	Refused How = "refused" // not at all: another may be asked
)

// Hows are all of them.
var Hows = [...]How{Hit, Stale, Filled, Passed, Behind, Failed, Refused}

// Kept tells whether the answer may have been there, or asked for, before the request
// came.
func (h How) Kept() bool { return h == Hit || h == Stale || h == Filled }

// Word is what a shield says of its answer.
type Word struct {
	How     How
	Session Session // the shield's
	// Confirmed is the position of the edge up to which the shield knows every purge
	// of the service that the edge had applied; where Confirms is not set, it says
	// nothing of it.
	Confirmed field.Position
	Confirms  bool
	// Left is for how long the response may be used, with all purges that the shield
	// knows of considered. It counts from a moment between the arrival of the
	// request at the shield and of the response at the edge.
	Left    Left
	HasLeft bool   // it may be stored
	Reason  string // of Failed and Refused, in one token
	// Undone are purges of the service that were taken back at the shield lately, at
	// most MaxUndone. Where one of them is in force at the edge, the response may be
	// what it withdrew.
	Undone []Purge
}

// Purge is the id of a purge.
type Purge [16]byte

// MaxUndone is the most purges in a Word's Undone: so many that it stays below what
// earlier versions read.
const MaxUndone = 6

// Left are field.Times as durations from a moment on; negative ones are past.
type Left struct{ Fresh, SWR, SIE, Keep time.Duration }

// LeftAt returns what is left of some times, in whole milliseconds and never too
// much.
func LeftAt(t field.Times, now int64) Left {
	left := func(ns int64) time.Duration {
		switch {
		case ns > now+int64(longest):
			return longest
		case ns < now-int64(longest):
			return -longest
		}
		d := time.Duration(ns - now)
		floor := d.Truncate(time.Millisecond)
		if floor > d {
			floor -= time.Millisecond
		}
		return floor
	}
	return Left{Fresh: left(t.Fresh), SWR: left(t.SWR), SIE: left(t.SIE), Keep: left(t.Keep)}
}

// From returns the times that are left from a moment on.
func (l Left) From(now int64) field.Times {
	return field.Times{
		Fresh: now + int64(l.Fresh), SWR: now + int64(l.SWR), SIE: now + int64(l.SIE), Keep: now + int64(l.Keep),
	}
}

// Append appends the field's value.
func (w *Word) Append(to []byte) []byte {
	to = append(to, version+" "...)
	to = append(to, w.How...)
	to = appendSession(append(to, ' '), w.Session)
	if to = append(to, ' '); w.Confirms {
		to = strconv.AppendUint(to, uint64(w.Confirmed), 10)
	} else {
		to = append(to, '-')
	}
	to = append(to, ' ')
	if w.HasLeft {
		for i, d := range [...]time.Duration{w.Left.Fresh, w.Left.SWR, w.Left.SIE, w.Left.Keep} {
			if i > 0 {
				to = append(to, '/')
			}
			to = strconv.AppendInt(to, d.Milliseconds(), 10)
		}
	} else {
		to = append(to, '-')
	}
	switch {
	case w.Reason != "":
		to = append(append(to, ' '), w.Reason...)
	case len(w.Undone) > 0:
		to = append(to, " -"...)
	}
	if len(w.Undone) > 0 {
		var all []byte
		for _, id := range w.Undone[max(0, len(w.Undone)-MaxUndone):] {
			all = append(all, id[:]...)
		}
		to = encoding.AppendEncode(append(to, ' '), all)
	}
	return to
}

// Limits of a Word.
const (
	maxWord   = 256
	maxReason = 64
)

// ParseWord reads the value of a WordField. The error wraps ErrMalformed.
func ParseWord(text string) (Word, error) {
	if len(text) > maxWord {
		return Word{}, malformed(WordField, "it is too long")
	}
	parts := strings.Split(text, " ")
	if len(parts) < 5 || parts[0] != version {
		return Word{}, malformed(WordField, "not of a version that is known here")
	}
	w := Word{}
	for _, how := range Hows {
		if string(how) == parts[1] {
			w.How = how
		}
	}
	if w.How == "" {
		return Word{}, malformed(WordField, "an unknown outcome")
	}
	var err error
	if w.Session, err = parseSession(parts[2]); err != nil {
		return Word{}, err
	}
	if w.Confirms = parts[3] != "-"; w.Confirms {
		if w.Confirmed, err = parsePosition(parts[3]); err != nil {
			return Word{}, err
		}
	}
	if parts[4] != "-" {
		if w.Left, err = parseLeft(parts[4]); err != nil {
			return Word{}, err
		}
		w.HasLeft = true
	}
	if len(parts) > 5 && parts[5] != "-" {
		if w.Reason = parts[5]; len(w.Reason) > maxReason || !field.ValidName(w.Reason) {
			return Word{}, malformed(WordField, "a reason that is none")
		}
	}
	if len(parts) > 6 {
		if w.Undone, err = parsePurges(parts[6]); err != nil {
			return Word{}, err
		}
	}
	return w, nil
}

func parsePurges(text string) (list []Purge, err error) {
	all, err := encoding.DecodeString(text)
	if err != nil || len(all) == 0 || len(all)%len(Purge{}) != 0 || len(all) > MaxUndone*len(Purge{}) {
		return nil, malformed(WordField, "purges that are none")
	}
	for ; len(all) > 0; all = all[len(Purge{}):] {
		list = append(list, Purge(all[:len(Purge{})]))
	}
	return list, nil
}

func parseLeft(text string) (Left, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return Left{}, malformed(WordField, "times that are not four")
	}
	var all [4]time.Duration
	for i, part := range parts {
		ms, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return Left{}, malformed(WordField, "a time that is no number")
		}
		all[i] = clamp(ms)
	}
	return Left{Fresh: all[0], SWR: all[1], SIE: all[2], Keep: all[3]}, nil
}

// longest is as far from now as a time may be: nobody lives to see it, and added
// to the present it does not overflow.
const longest = 100 * 365 * 24 * time.Hour

func clamp(ms int64) time.Duration {
	most := longest.Milliseconds()
	return time.Duration(min(max(ms, -most), most)) * time.Millisecond
}
