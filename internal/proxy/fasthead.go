package proxy

import (
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/httpcache"
)

// compose writes the head of the answer, byte for byte as net/http would.
func (x *exchange) compose() {
	if x.status == http.StatusNotModified {
		x.out = httpcache.NotModifiedFields(x.out)
	}
	if cap(x.head) == 0 {
		x.head = make([]byte, 0, usualAnswer)
	}
	x.head = appendStatusLine(x.head[:0], x.status)
	if x.sorted && x.service.Response.none() {
		x.merge()
	} else {
		x.takeFields()
		x.gather()
		x.out.SortByName()
		for i := range x.out {
			x.line(i)
		}
		x.addDate()
	}
	x.head = append(x.head, "\r\n"...)
}

// usualAnswer has room for a head and a small content behind it, so that the
// server need not copy both to put them together.
const usualAnswer = 4 << 10

// composeFields puts the fields of the answer together for HTTP/2.
func (x *exchange) composeFields() {
	x.takeFields()
	if x.status == http.StatusNotModified {
		x.out = httpcache.NotModifiedFields(x.out)
	}
	x.gather()
	if !x.out.Has("Date") {
		from := len(x.text)
		x.text = x.start.UTC().AppendFormat(x.text, http.TimeFormat)
		x.out = x.out.Add("Date", x.since(from))
	}
}

// parts returns the content behind the head.
func (x *exchange) parts() [][]byte {
	if x.ask.method == http.MethodHead || x.status == http.StatusNotModified {
		return nil
	}
	o := x.object
	if x.form.Found() {
		o = x.form
	}
	x.content = o.Content().AppendParts(x.content[:0], x.piece.Start, x.piece.Length)
	return x.content
}

func appendStatusLine(b []byte, status int) []byte {
	if status == http.StatusOK {
		return append(b, "HTTP/1.1 200 OK\r\n"...)
	}
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = strconv.AppendInt(append(b, "status code "...), int64(status), 10)
	}
	return append(b, "\r\n"...)
}

// gather puts any set of fields together, as ServeHTTP does.
func (x *exchange) gather() {
	x.finish()
	switch x.status {
	case http.StatusNotModified:
		x.out = without(x.out, "Content-Type") // as net/http does
	case http.StatusPartialContent:
		from := len(x.text)
		x.text = httpcache.AppendContentRange(x.text, x.piece, x.length)
		x.out = x.out.Set("Content-Range", x.since(from)).Set("Content-Length", x.number(x.piece.Length))
	default:
		x.out = x.out.Set("Content-Length", x.number(x.length))
	}
	for i := range x.out {
		x.out[i].Name = canonical(x.out[i].Name)
	}
}

// addDate adds what no answer may lack, where net/http puts it.
func (x *exchange) addDate() {
	if !x.out.Has("Date") {
		x.head = append(x.head, "Date: "...)
		x.head = x.start.UTC().AppendFormat(x.head, http.TimeFormat)
		x.head = append(x.head, "\r\n"...)
	}
}

// merge writes fields that are in the order of their names already, with those
// of this node in their places. It comes to the same as gather, in a fraction of
// the time.
func (x *exchange) merge() {
	at := x.upTo(0, "Age")
	at = x.past(at, "Age")
	x.head = append(x.head, "Age: "...)
	x.head = strconv.AppendInt(x.head, max(x.age(), 0), 10)
	x.head = append(x.head, "\r\n"...)
	if !x.service.NoCacheStatus {
		at = x.upTo(at, "Cache-Status\x00")
		x.head = append(x.head, "Cache-Status: "...)
		x.head = httpcache.AppendCacheStatus(x.head, x.cfg.via, x.cacheStatus())
		x.head = append(x.head, "\r\n"...)
	}
	at = x.mergeLength(at)
	at = x.upTo(at, "Via\x00")
	x.head = append(x.head, "Via: "...)
	x.head = append(x.head, x.cfg.viaValue...)
	x.head = append(x.head, "\r\n"...)
	at = x.behind(at, "X-Cache")
	x.head = append(x.head, "HIT\r\n"...)
	at = x.behind(at, "X-Cache-Hits")
	x.head = strconv.AppendUint(x.head, x.hits, 10)
	x.head = append(x.head, "\r\n"...)
	at = x.behind(at, "X-Served-By")
	x.head = append(x.head, x.cfg.servedBy...)
	x.head = append(x.head, "\r\n"...)
	at = x.past(x.upTo(at, "X-Timer"), "X-Timer")
	x.head = append(x.head, "X-Timer: "...)
	x.head = x.appendTimer(x.head)
	x.head = append(x.head, "\r\n"...)
	x.upTo(at, "\xff")
}

// mergeLength writes what frames the content.
func (x *exchange) mergeLength(at int) int {
	at = x.past(x.upTo(at, "Content-Length"), "Content-Length")
	switch x.status {
	case http.StatusNotModified:
		return at
	case http.StatusPartialContent:
		x.head = append(x.head, "Content-Length: "...)
		x.head = strconv.AppendInt(x.head, x.piece.Length, 10)
		x.head = append(x.head, "\r\n"...)
		at = x.past(x.upTo(at, "Content-Range"), "Content-Range")
		x.head = append(x.head, "Content-Range: "...)
		x.head = httpcache.AppendContentRange(x.head, x.piece, x.length)
	default:
		x.head = append(x.head, "Content-Length: "...)
		x.head = strconv.AppendInt(x.head, x.length, 10)
	}
	x.head = append(x.head, "\r\n"...)
	return at
}

// upTo writes the lines whose names come before another, and returns the next.
func (x *exchange) upTo(at int, name string) int {
	from, n := at, x.lines()
	for at < n && x.lineName(at) < name {
		at++
	}
	if x.stored {
		x.head = append(x.head, x.object.Head.Wire(from, at)...)
		return at
	}
	for ; from < at; from++ {
		x.line(from)
	}
	return at
}

// lines returns how many lines there are to merge with.
func (x *exchange) lines() int {
	if x.stored {
		return x.object.Head.NumShown()
	}
	return len(x.out)
}

func (x *exchange) lineName(i int) string {
	if x.stored {
		return x.object.Head.Name(i)
	}
	return x.out[i].Name
}

func (x *exchange) lineValue(i int) string {
	if x.stored {
		f, _ := x.object.Head.Field(i)
		return f.Value
	}
	return x.out[i].Value
}

// past leaves out the lines of that name.
func (x *exchange) past(at int, name string) int {
	for n := x.lines(); at < n && x.lineName(at) == name; {
		at++
	}
	return at
}

// behind begins a line with what other caches said under that name.
func (x *exchange) behind(at int, name string) int {
	at = x.upTo(at, name)
	x.head = append(x.head, name...)
	x.head = append(x.head, ": "...)
	for n := x.lines(); at < n && x.lineName(at) == name; at++ {
		x.head = append(x.head, x.lineValue(at)...)
		x.head = append(x.head, ", "...)
	}
	return at
}

func (x *exchange) line(i int) {
	x.head = append(x.head, x.out[i].Name...)
	x.head = append(x.head, ": "...)
	x.head = append(x.head, x.out[i].Value...)
	x.head = append(x.head, "\r\n"...)
}
