package accesslog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

// value yields one value of a line: text, which is escaped and is "-" where it
// is empty, or bytes that are safe as they are. One of the two is set.
type value struct {
	text func(*event.Request) string
	safe func([]byte, *event.Request) []byte
}

// plain are the directives without an argument, as Apache and varnishncsa have
// them.
//
//	%a %h  address of the client, by a trusted proxy's word, else the peer's
//	%b     bytes of the response's content, "-" for none
//	%B %O  the same, 0 for none; heads are not counted
//	%D     microseconds until the last byte was sent
//	%H     protocol
//	%I     bytes of the request's content that were read; heads are not counted
//	%l     "-"
//	%m     method
//	%q     query with its question mark; nothing where there is none
//	%r     request line
//	%s     status, three digits; 000 where the client was told nothing
//	%t     time, as [02/Jan/2006:15:04:05 +0000], UTC
//	%T     seconds until the last byte was sent
//	%u     user name of Basic credentials, which nobody has checked
//	%U     path
//	%v     host
var plain = map[rune]value{
	'a': {safe: appendClient},
	'h': {safe: appendClient},
	'b': {safe: appendBytesOrDash},
	'B': number(func(e *event.Request) int64 { return e.Bytes }),
	'O': number(func(e *event.Request) int64 { return e.Bytes }),
	'D': number(func(e *event.Request) int64 { return e.Duration.Microseconds() }),
	'H': {text: func(e *event.Request) string { return e.Proto }},
	'I': number(func(e *event.Request) int64 { return e.Received }),
	'l': {safe: func(dst []byte, _ *event.Request) []byte { return append(dst, '-') }},
	'm': {text: func(e *event.Request) string { return e.Method }},
	'q': {safe: appendQuery},
	'r': {safe: appendRequestLine},
	's': {safe: appendStatus},
	'T': number(func(e *event.Request) int64 { return int64(e.Duration / time.Second) }),
	'u': {text: user},
	'U': {text: func(e *event.Request) string { path, _ := splitTarget(e); return path }},
	'v': {text: func(e *event.Request) string { return e.Host }},
}

// durations are the arguments of %{…}T, times those of %{…}t.
var (
	durations = map[string]value{
		"s":  number(func(e *event.Request) int64 { return int64(e.Duration / time.Second) }),
		"ms": number(func(e *event.Request) int64 { return e.Duration.Milliseconds() }),
		"us": number(func(e *event.Request) int64 { return e.Duration.Microseconds() }),
	}
	times = map[string]value{
		"sec":     number(func(e *event.Request) int64 { return e.Time.Unix() }),
		"msec":    number(func(e *event.Request) int64 { return e.Time.UnixMilli() }),
		"usec":    number(func(e *event.Request) int64 { return e.Time.UnixMicro() }),
		"rfc3339": {safe: func(dst []byte, e *event.Request) []byte { return appendTimestamp(dst, e.Time) }},
	}
)

// extended are the arguments of %{…}x. Rescind's have the meaning of the JSON
// fields of the same name; Varnish's are there for formats that people have.
var extended = map[string]value{
	"Rescind:age":           number(func(e *event.Request) int64 { return int64(e.Age / time.Second) }),
	"Rescind:collapsed":     flag(func(e *event.Request) bool { return e.Collapsed }),
	"Rescind:cut":           flag(func(e *event.Request) bool { return e.Cut }),
	"Rescind:edge":          {text: func(e *event.Request) string { return e.Edge }},
	"Rescind:edge_pop":      {text: func(e *event.Request) string { return e.EdgePOP }},
	"Rescind:first_byte_us": number(func(e *event.Request) int64 { return e.FirstByte.Microseconds() }),
	"Rescind:hits":          number(func(e *event.Request) int64 { return int64(e.Hits) }),
	"Rescind:id":            {text: func(e *event.Request) string { return e.ID }},
	"Rescind:node":          {text: func(e *event.Request) string { return e.Node }},
	"Rescind:origin":        {text: func(e *event.Request) string { return e.Origin }},
	"Rescind:origin_status": {safe: appendOriginStatus},
	"Rescind:outcome":       {text: func(e *event.Request) string { return string(e.Outcome) }},
	"Rescind:peer":          {text: func(e *event.Request) string { return e.Remote }},
	"Rescind:reason":        {text: func(e *event.Request) string { return e.Reason }},
	"Rescind:scheme":        {text: func(e *event.Request) string { return e.Scheme }},
	"Rescind:service":       {text: func(e *event.Request) string { return e.Service }},
	"Rescind:tls":           {text: func(e *event.Request) string { return e.TLS }},

	"Varnish:handling":       {text: varnishHandling},
	"Varnish:hitmiss":        {text: varnishHitMiss},
	"Varnish:time_firstbyte": {safe: appendFirstByteSeconds},
}

// lookUp finds what a directive stands for.
func lookUp(directive rune, argument string, hasArgument bool) (value, error) {
	if !hasArgument {
		if directive == 't' {
			return value{safe: new(clock).append}, nil
		}
		if v, ok := plain[directive]; ok {
			return v, nil
		}
		if strings.ContainsRune("iox", directive) {
			return value{}, fmt.Errorf("%%%c needs a name, as in %%{name}%c", directive, directive)
		}
		return value{}, fmt.Errorf("unknown directive %q", "%"+string(directive))
	}
	switch directive {
	case 'i':
		return requestValue(argument)
	case 'o':
		return responseValue(argument)
	case 'x':
		return oneOf(extended, argument)
	case 't':
		return oneOf(times, argument)
	case 'T':
		return oneOf(durations, argument)
	}
	if _, ok := plain[directive]; ok {
		return value{}, fmt.Errorf("%%%c takes no name", directive)
	}
	return value{}, fmt.Errorf("unknown directive %q", "%{"+argument+"}"+string(directive))
}

func oneOf(known map[string]value, argument string) (value, error) {
	if v, ok := known[argument]; ok {
		return v, nil
	}
	names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	return value{}, fmt.Errorf("unknown name %q; there are %s", argument, names)
}

func requestValue(name string) (value, error) {
	name, err := canonicalField(name)
	if err != nil {
		return value{}, err
	}
	if name == "Host" { // the event has it for HTTP/2 as well
		return plain['v'], nil
	}
	return value{text: func(e *event.Request) string { return e.RequestField(name) }}, nil
}

func responseValue(name string) (value, error) {
	name, err := canonicalField(name)
	if err != nil {
		return value{}, err
	}
	return value{text: func(e *event.Request) string { return e.ResponseField(name) }}, nil
}

func number(of func(*event.Request) int64) value {
	return value{safe: func(dst []byte, e *event.Request) []byte { return strconv.AppendInt(dst, of(e), 10) }}
}

func flag(of func(*event.Request) bool) value {
	return value{safe: func(dst []byte, e *event.Request) []byte {
		if of(e) {
			return append(dst, '1')
		}
		return append(dst, '0')
	}}
}
