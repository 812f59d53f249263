package accesslog

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// The formats that have a name.
const (
	JSON     = "json"
	Common   = "common"
	Combined = "combined"
)

var presets = map[string]string{
	Common:   `%h %l %u %t "%r" %s %b`,
	Combined: `%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i"`,
}

// Limits of a configuration: far above what anybody reads, and low enough that
// a line stays short of what sinks take.
const (
	maxFormatBytes = 4096
	maxFields      = 32 // of each message
)

// Config says how requests are written.
type Config struct {
	// Format is JSON, Common, Combined or a format string. Empty: JSON.
	Format string
	// RequestFields and ResponseFields name the fields that JSON lines hold
	// besides the usual ones. Format strings name their own. Empty: none.
	RequestFields, ResponseFields []string
}

// Format is a compiled configuration. It is immutable.
type Format struct {
	pieces            []piece // of a format string; empty for JSON
	request, response []named
}

// named is a field in JSON lines.
type named struct {
	key  string // lower-case, as it is written
	name string // canonical, as it is looked up
}

// ErrCredential is wrapped by Compile's errors where the value of a field that
// carries credentials is asked for: a log is read by more people than may act
// in a client's name.
var ErrCredential = errors.New("carries credentials and is never logged")

// Compile checks a configuration. What is wrong with a format string is a
// *SyntaxError.
func Compile(cfg Config) (*Format, error) {
	if cfg.Format == "" || cfg.Format == JSON {
		return compileJSON(cfg)
	}
	if len(cfg.RequestFields)+len(cfg.ResponseFields) > 0 {
		return nil, errors.New("only the format json takes lists of fields; in a format string write %{Name}i and %{Name}o")
	}
	text, ok := presets[cfg.Format]
	if !ok {
		text = cfg.Format
	}
	pieces, err := parse(text)
	if err != nil {
		return nil, err
	}
	return &Format{pieces: pieces}, nil
}

func compileJSON(cfg Config) (*Format, error) {
	f := &Format{}
	var err error
	if f.request, err = nameFields(cfg.RequestFields); err != nil {
		return nil, fmt.Errorf("request fields: %w", err)
	}
	if f.response, err = nameFields(cfg.ResponseFields); err != nil {
		return nil, fmt.Errorf("response fields: %w", err)
	}
	return f, nil
}

func nameFields(names []string) ([]named, error) {
	if len(names) > maxFields {
		return nil, fmt.Errorf("%d names; %d are the most", len(names), maxFields)
	}
	var list []named
	seen := map[string]bool{}
	for _, name := range names {
		canonical, err := canonicalField(name)
		if err != nil {
			return nil, err
		}
		if seen[canonical] {
			return nil, fmt.Errorf("%q is named twice", name)
		}
		seen[canonical] = true
		list = append(list, named{key: strings.ToLower(name), name: canonical})
	}
	return list, nil
}

func canonicalField(name string) (string, error) {
	if !field.ValidName(name) {
		return "", fmt.Errorf("%q is not a field name", name)
	}
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); canonical {
	case "Authorization", "Proxy-Authorization", "Fastly-Key":
		return "", fmt.Errorf("%s %w", canonical, ErrCredential)
	default:
		return canonical, nil
	}
}

// Append appends the line of a request, without a line end. It is safe for
// concurrent use and does not allocate where dst has room and no field that the
// line holds has more than one line.
func (f *Format) Append(dst []byte, e *event.Request) []byte {
	if f.pieces == nil {
		return f.appendJSON(dst, e)
	}
	for i := range f.pieces {
		dst = f.pieces[i].append(dst, e)
	}
	return dst
}
