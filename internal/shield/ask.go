package shield

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	journalwire "github.com/rescind-edge/rescind/internal/journal/wire"
)

// Names of the fields. What clients and origins send under them means nothing and
// is not passed on between edge and shield.
const (
	AskField  = "Rescind-Edge"
	WordField = "Rescind-Shield"
)

// Limits of an Ask.
const (
	// MaxSpans is the most runs of entries that an Ask names: the field then takes
	// some 3 KB in the worst case, that each is of another issuer.
	MaxSpans = 64
	// maxAsk bounds the field: MaxSpans of the longest kind fit.
	maxAsk  = 4096
	maxName = 64 // of a node
)

// Session names one start of a node.
type Session [16]byte

// Ask says what an answer must not be older than: every purge of the service that
// the edge had applied when it asked.
type Ask struct {
	From    string // the edge's name
	Session Session
	// Shield is the session of the shield that has confirmed Since; zero: none has,
	// and the shield has to know by itself that it has caught up with the edge that
	// far.
	Shield Session
	// Since and At are positions of the edge. The purges that it applied up to Since
	// are known to the shield; those after it, up to At, are Entries.
	Since, At field.Position
	Entries   []journal.Range
	// Fresh says that something is in force at the edge that no entry stands for
	// yet: the answer must come from the origin, whatever the shield knows.
	Fresh bool
}

// Confirmed tells whether a shield has confirmed Since.
func (a *Ask) Confirmed() bool { return a.Shield != Session{} }

const version = "1"

var encoding = base64.RawURLEncoding

// Append appends the field's value.
func (a *Ask) Append(to []byte) []byte {
	to = append(to, version+" "...)
	to = append(to, a.From...)
	to = appendSession(append(to, ' '), a.Session)
	to = appendSession(append(to, ' '), a.Shield)
	to = strconv.AppendUint(append(to, ' '), uint64(a.Since), 10)
	to = strconv.AppendUint(append(to, ' '), uint64(a.At), 10)
	to = append(to, ' ')
	if len(a.Entries) == 0 {
		to = append(to, '-')
	} else {
		to = encoding.AppendEncode(to, journalwire.AppendRanges(nil, a.Entries))
	}
	if a.Fresh {
		to = append(to, " fresh"...)
	}
	return to
}

func appendSession(to []byte, s Session) []byte {
	if s == (Session{}) {
		return append(to, '-')
	}
	return encoding.AppendEncode(to, s[:])
}

// ErrMalformed is wrapped by the errors of this package's parsers.
var ErrMalformed = errors.New("malformed")

func malformed(field, what string) error { return fmt.Errorf("%w %s: %s", ErrMalformed, field, what) }

// ParseAsk reads the value of an AskField. The error wraps ErrMalformed.
func ParseAsk(text string) (Ask, error) {
	if len(text) > maxAsk {
		return Ask{}, malformed(AskField, "it is too long")
	}
	parts := strings.Split(text, " ")
	if len(parts) < 7 || parts[0] != version {
		return Ask{}, malformed(AskField, "not of a version that is known here")
	}
	a := Ask{From: parts[1], Fresh: len(parts) > 7 && parts[7] == "fresh"}
	if a.From == "" || len(a.From) > maxName {
		return Ask{}, malformed(AskField, "no name")
	}
	var err error
	if a.Session, err = parseSession(parts[2]); err == nil && a.Session == (Session{}) {
		err = malformed(AskField, "no session")
	}
	if err == nil {
		a.Shield, err = parseSession(parts[3])
	}
	if err == nil {
		a.Since, err = parsePosition(parts[4])
	}
	if err == nil {
		a.At, err = parsePosition(parts[5])
	}
	if err == nil && parts[6] != "-" {
		a.Entries, err = parseEntries(parts[6])
	}
	if err == nil && a.Since > a.At {
		err = malformed(AskField, "positions the wrong way round")
	}
	if err != nil {
		return Ask{}, err
	}
	return a, nil
}

func parseSession(text string) (s Session, err error) {
	if text == "-" {
		return s, nil
	}
	if encoding.DecodedLen(len(text)) != len(s) {
		return s, malformed("session", "of another length")
	}
	if _, err := encoding.Strict().Decode(s[:], []byte(text)); err != nil {
		return Session{}, malformed("session", err.Error())
	}
	return s, nil
}

func parsePosition(text string) (field.Position, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, malformed("position", "not a number")
	}
	return field.Position(n), nil
}

func parseEntries(text string) ([]journal.Range, error) {
	data, err := encoding.Strict().DecodeString(text)
	if err != nil {
		return nil, malformed("entries", err.Error())
	}
	ranges, err := journalwire.ParseRanges(data)
	if err != nil {
		return nil, fmt.Errorf("%w entries: %w", ErrMalformed, err)
	}
	spans := 0
	for _, r := range ranges {
		spans += len(r.Spans)
	}
	if spans > MaxSpans {
		return nil, malformed("entries", "too many")
	}
	return ranges, nil
}
