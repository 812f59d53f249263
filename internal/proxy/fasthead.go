package proxy

import (
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
)

// compose writes the head of the answer, as net/http would, and returns the
// content behind it.
func (x *exchange) compose() [][]byte {
	if x.status == http.StatusNotModified {
		x.out = httpcache.NotModifiedFields(x.out)
	}
	x.finish()
	switch x.status {
	case http.StatusNotModified:
		x.out = without(x.out, "Content-Type") // as net/http does
	case http.StatusPartialContent:
		x.out = x.out.Set("Content-Range", x.contentRange()).Set("Content-Length", x.number(x.piece.Length))
	default:
		x.out = x.out.Set("Content-Length", x.number(x.length))
	}
	for i := range x.out {
		x.out[i].Name = canonical(x.out[i].Name)
	}
	sortByName(x.out)
	x.head = appendStatusLine(x.head[:0], x.status)
	for i := range x.out {
		x.head = appendLine(x.head, x.out[i].Name, x.out[i].Value)
	}
	if !x.out.Has("Date") {
		x.head = append(x.head, "Date: "...)
		x.head = x.start.UTC().AppendFormat(x.head, http.TimeFormat)
		x.head = append(x.head, "\r\n"...)
	}
	x.head = append(x.head, "\r\n"...)
	if x.ask.method == http.MethodHead || x.status == http.StatusNotModified {
		return nil
	}
	body := x.object.Body
	if x.form != nil {
		body = x.form.Body
	}
	x.content = body.AppendParts(x.content[:0], x.piece.Start, x.piece.Length)
	return x.content
}

// sortByName puts lines in the order in which net/http sends them, those of one
// name in theirs. Few are out of place, so that they are put in one by one.
func sortByName(f field.Fields) {
	for i := 1; i < len(f); i++ {
		for j := i; j > 0 && f[j].Name < f[j-1].Name; j-- {
			f[j], f[j-1] = f[j-1], f[j]
		}
	}
}

func appendStatusLine(b []byte, status int) []byte {
	if status == http.StatusOK {
		return append(b, "HTTP/1.1 200 OK\r\n"...)
	}
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	return append(b, "\r\n"...)
}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

func (x *exchange) contentRange() string {
	from := len(x.text)
	x.text = httpcache.AppendContentRange(x.text, x.piece, x.length)
	return x.since(from)
}
