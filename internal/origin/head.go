package origin

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// Ambiguity is a doubt about where a response's body ends, or about its head's
// lines. It is settled as most do; another recipient may settle it otherwise, so
// such a response can be passed on but must not be stored.
type Ambiguity uint8

const (
	Unambiguous    Ambiguity = iota
	BothLengths              // Content-Length with Transfer-Encoding (RFC 9112 section 6.3)
	RepeatedLength           // several Content-Length lines, all of one value
	BareLF                   // a line of the head ends without CR (RFC 9112 section 2.2)
)

// String returns the doubt in lower case with underscores.
func (a Ambiguity) String() string {
	return [...]string{"unambiguous", "both_lengths", "repeated_length", "bare_lf"}[a&3]
}

// maxFieldLines bounds the lines of one head. Real responses have fewer than a
// hundred; without it a head of empty fields would grow to ten times its size
// on the wire once parsed.
const maxFieldLines = 2000

// head is one HTTP/1 response head, its fields as they were received.
type head struct {
	minor     byte // of the version HTTP/1.minor
	status    int
	fields    field.Fields
	ambiguity Ambiguity
}

var (
	errStatusLine   = errors.New("malformed status line")
	errFieldLine    = errors.New("malformed field line")
	errFolded       = errors.New("field line folded over several lines")
	errOldEncoding  = errors.New("Transfer-Encoding in an HTTP/1.0 response")
	errHeadTooLarge = errors.New("the response's head is too large")
	errManyFields   = fmt.Errorf("%w: more than %d field lines", errHeadTooLarge, maxFieldLines)
)

// parseHead parses a response head, from the status line to the empty line
// inclusive. It is stricter than net/http: what it accepts has one reading,
// apart from what head.ambiguity names.
func parseHead(raw []byte) (head, error) {
	text := string(raw) // the only copy; lines are parts of it
	line, rest, bare := cutLine(text)
	h, err := parseStatusLine(line)
	if err != nil {
		return head{}, err
	}
	h.fields = make(field.Fields, 0, min(bytes.Count(raw, []byte{'\n'}), maxFieldLines))
	for {
		var lf bool
		line, rest, lf = cutLine(rest)
		bare = bare || lf
		if line == "" {
			break
		}
		if len(h.fields) == maxFieldLines {
			return head{}, errManyFields
		}
		f, err := parseFieldLine(line)
		if err != nil {
			return head{}, err
		}
		h.fields = append(h.fields, f)
	}
	return h, h.judge(bare)
}

// cutLine returns the first line without its end, and whether that was LF only.
func cutLine(s string) (line, rest string, bare bool) {
	line, rest, _ = strings.Cut(s, "\n")
	line, crlf := strings.CutSuffix(line, "\r")
	return line, rest, !crlf
}

// versionPrefix begins every response of a version that a request of HTTP/1.1
// can be answered with (RFC 9110 section 2.5).
const versionPrefix = "HTTP/1."

// parseStatusLine accepts a missing reason phrase even without the space
// before it, which several servers omit (RFC 9112 section 4).
func parseStatusLine(line string) (head, error) {
	after, ok := strings.CutPrefix(line, versionPrefix)
	if !ok || len(after) < 5 || after[1] != ' ' || after[0] < '0' || after[0] > '9' {
		return head{}, errStatusLine
	}
	h := head{minor: after[0] - '0'}
	code, reason := after[2:5], after[5:]
	for i := range len(code) {
		if code[i] < '0' || code[i] > '9' {
			return head{}, errStatusLine
		}
		h.status = h.status*10 + int(code[i]-'0')
	}
	if h.status < 100 || (reason != "" && reason[0] != ' ') || !field.ValidValue(reason) {
		return head{}, errStatusLine
	}
	return h, nil
}

// parseFieldLine refuses a folded line, as RFC 9112 section 5.2 permits a
// proxy to, and white space before the colon.
func parseFieldLine(line string) (field.Field, error) {
	name, value, fault := http1.CutField(line)
	switch fault {
	case http1.NoFault:
		return field.Field{Name: name, Value: value}, nil
	case http1.Folding:
		return field.Field{}, errFolded
	}
	return field.Field{}, fmt.Errorf("%w: %.64q", errFieldLine, line)
}

func (h *head) judge(bare bool) error {
	encoded, lengths := h.fields.Has("Transfer-Encoding"), h.fields.Count("Content-Length")
	switch {
	case encoded && h.minor == 0:
		// RFC 9112 section 6.1: such framing is faulty whatever else is said.
		return errOldEncoding
	case encoded && lengths > 0:
		h.ambiguity = BothLengths
	case lengths > 1:
		h.ambiguity = RepeatedLength
	case bare:
		h.ambiguity = BareLF
	}
	return nil
}

// interim tells whether another head follows on the same exchange
// (RFC 9110 section 15.2); 101 ends HTTP instead.
func (h *head) interim() bool { return h.status < 200 && h.status != 101 }
