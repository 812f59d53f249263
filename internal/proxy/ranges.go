package proxy

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"

	"github.com/rescind-edge/rescind/internal/fetch"
	"github.com/rescind-edge/rescind/internal/httpcache"
)

// partial answers a range request: one range as it is, several as
// multipart/byteranges (RFC 9110 section 14.6).
func (x *exchange) partial(part httpcache.RangeAnswer) state {
	size := x.answer.Head.Length()
	if len(part.Ranges) == 1 {
		r := part.Ranges[0]
		x.out = x.out.Set("Content-Range", httpcache.ContentRange(r, size)).Set("Content-Length", x.number(r.Length))
		x.writeHeader(http.StatusPartialContent)
		x.answer.Reader.SeekTo(r.Start)
		x.send(r.Length)
		return stateDone
	}
	boundary := rand.Text()
	preambles, total := x.preambles(part.Ranges, size, boundary)
	x.out = x.out.Set("Content-Type", "multipart/byteranges; boundary="+boundary).Set("Content-Length", x.number(total))
	x.writeHeader(http.StatusPartialContent)
	for i, r := range part.Ranges {
		if x.answer.Reader == nil {
			panic(http.ErrAbortHandler) // it was resumed elsewhere, where there is no going back
		}
		x.write([]byte(preambles[i]))
		x.answer.Reader.SeekTo(r.Start)
		x.send(r.Length)
	}
	x.write([]byte(closing(boundary)))
	return stateDone
}

// preambles returns what stands before each part, and the length of the whole.
func (x *exchange) preambles(ranges []httpcache.ByteRange, size int64, boundary string) (list []string, total int64) {
	contentType := ""
	if t, ok := x.out.Get("Content-Type"); ok {
		contentType = "Content-Type: " + t + "\r\n"
	}
	for _, r := range ranges {
		p := "\r\n--" + boundary + "\r\n" + contentType + "Content-Range: " + httpcache.ContentRange(r, size) + "\r\n\r\n"
		list = append(list, p)
		total += int64(len(p)) + r.Length
	}
	return list, total + int64(len(closing(boundary)))
}

func closing(boundary string) string { return "\r\n--" + boundary + "--\r\n" }

// resume lets a client go on that was too slow for a body of which only a
// window is kept: the rest comes from the origin, on condition that it is still
// the same representation. n is how much is wanted, negative for all.
func (x *exchange) resume(n int64) bool {
	etag, ok := x.answer.Head.Get("ETag")
	if !ok || len(etag) < 2 || etag[0] != '"' || x.answer.Reader == nil {
		return false // only a strong validator tells that two parts belong together
	}
	from, last := x.answer.Reader.Pos(), ""
	if n >= 0 {
		last = strconv.FormatInt(from+n-1, 10)
	}
	fields, _ := x.upstream()
	fields = fields.Add("Range", fmt.Sprintf("bytes=%d-%s", from, last)).Add("If-Range", etag)
	rest, err := x.service.Fetcher.Pass(x.ctx, &fetch.PassRequest{
		Method: http.MethodGet, Target: x.target, Host: x.target.Host, Fields: fields,
	})
	if err != nil {
		return false
	}
	if rest.Head.Status() != http.StatusPartialContent || !continues(rest.Head.Get, from, n, etag) {
		rest.Close()
		return false
	}
	rest.Head, rest.Stored = x.answer.Head, false
	x.answer.Close()
	x.answer = rest
	return true
}

// continues tells whether a response is the part from an offset on, of n bytes
// or up to the end where n is negative, of the representation with that entity
// tag. An origin may send less than was asked (RFC 9110 section 15.3.7).
func continues(get func(string) (string, bool), from, n int64, etag string) bool {
	if tag, _ := get("ETag"); tag != etag {
		return false
	}
	value, ok := get("Content-Range")
	var start, end, size int64
	if _, err := fmt.Sscanf(value, "bytes %d-%d/%d", &start, &end, &size); !ok || err != nil {
		return false
	}
	return start == from && (n < 0 && end == size-1 || n >= 0 && end-start+1 >= n)
}
