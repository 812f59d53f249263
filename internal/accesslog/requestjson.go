package accesslog

import (
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// appendJSON writes a line of the busiest log there is: one for each hit. So
// names are constants with all that stands around them, and the time, which is
// always there, comes first: no name has to ask whether a comma is due.
func (f *Format) appendJSON(b []byte, e *event.Request) []byte {
	b = append(b, `{"time":"`...)
	b = appendTimestamp(b, e.Time)
	b = append(b, `","event":"request"`...)
	b = appendText(b, `,"outcome":`, string(e.Outcome))
	b = appendText(b, `,"reason":`, e.Reason)
	b = appendNumber(b, `,"status":`, int64(e.Status))
	b = appendNumber(b, `,"bytes":`, e.Bytes)
	b = appendSome(b, `,"received":`, e.Received)
	b = appendNumber(b, `,"duration_us":`, e.Duration.Microseconds())
	b = appendSome(b, `,"first_byte_us":`, e.FirstByte.Microseconds())
	b = appendFlag(b, `,"cut":true`, e.Cut)
	b = appendSubject(b, e)
	b = appendSource(b, e)
	usual := findUsual(e.RequestFields)
	b = appendText(b, `,"referer":`, usual.referer)
	b = appendText(b, `,"user_agent":`, usual.userAgent)
	if len(f.request) > 0 {
		b = appendFields(b, `,"request_headers":{`, f.request, e.RequestField)
	}
	if len(f.response) > 0 {
		b = appendFields(b, `,"response_headers":{`, f.response, e.ResponseField)
	}
	return append(b, '}')
}

// appendSubject writes who asked whom for what.
func appendSubject(b []byte, e *event.Request) []byte {
	b = appendText(b, `,"id":`, e.ID)
	b = appendText(b, `,"service":`, e.Service)
	b = appendText(b, `,"node":`, e.Node)
	if e.Client.IsValid() {
		b = append(b, `,"client":"`...)
		b = append(appendAddr(b, e.Client), '"')
	}
	b = appendText(b, `,"edge":`, e.Edge)
	b = appendText(b, `,"edge_pop":`, e.EdgePOP)
	b = appendText(b, `,"peer":`, e.Remote)
	b = appendText(b, `,"tls":`, e.TLS)
	b = appendText(b, `,"method":`, e.Method)
	b = appendText(b, `,"scheme":`, e.Scheme)
	b = appendText(b, `,"host":`, e.Host)
	b = appendText(b, `,"target":`, e.Target)
	return appendText(b, `,"proto":`, e.Proto)
}

// appendSource writes where the answer came from.
func appendSource(b []byte, e *event.Request) []byte {
	b = appendText(b, `,"origin":`, e.Origin)
	b = appendSome(b, `,"origin_status":`, int64(e.OriginStatus))
	if fromStore(e) {
		b = appendNumber(b, `,"age":`, int64(e.Age/time.Second))
		b = appendNumber(b, `,"hits":`, int64(e.Hits))
	}
	return appendFlag(b, `,"collapsed":true`, e.Collapsed)
}

// appendFields writes an object of fields, unless none of them is there. start
// ends in the brace that opens it.
func appendFields(b []byte, start string, list []named, value func(name string) string) []byte {
	before := len(b)
	for i := range list {
		v := value(list[i].name)
		if v == "" {
			continue
		}
		separator := ","
		if len(b) == before {
			separator = start
		}
		b = append(append(b, separator...), '"')
		b = append(append(b, list[i].key...), '"', ':')
		b = appendJSON(b, v)
	}
	if len(b) != before {
		b = append(b, '}')
	}
	return b
}

// appendText writes a string behind its name, unless it is empty.
func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendJSON(append(b, name...), value)
}

// appendNumber writes a number behind its name, also where it is zero.
func appendNumber(b []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(b, name...), n, 10)
}

// appendSome writes a number behind its name, unless it is zero.
func appendSome(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendNumber(b, name, n)
}

// appendFlag writes what says that something is true, unless it is false.
func appendFlag(b []byte, text string, on bool) []byte {
	if on {
		b = append(b, text...)
	}
	return b
}

// usual are the fields that every line holds, where the request has them.
type usual struct{ referer, userAgent string }

// findUsual finds them in one pass: most requests have a dozen fields, of which
// few have names of these lengths.
func findUsual(fields field.Fields) (u usual) {
	var referers, agents int
	for i := range fields {
		switch f := &fields[i]; len(f.Name) {
		case len("Referer"):
			if field.EqualFold(f.Name, "Referer") {
				u.referer = f.Value
				referers++
			}
		case len("User-Agent"):
			if field.EqualFold(f.Name, "User-Agent") {
				u.userAgent = f.Value
				agents++
			}
		}
	}
	if referers > 1 {
		u.referer, _ = fields.Joined("Referer")
	}
	if agents > 1 {
		u.userAgent, _ = fields.Joined("User-Agent")
	}
	return u
}
