package origin

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// decode decodes a chunked body that comes in pieces. end is how many bytes
// belong to it; io.ErrUnexpectedEOF tells that it is not all there.
func decode(pieces ...[]byte) (data []byte, trailer field.Fields, end int, err error) {
	var c chunks
	for _, p := range pieces {
		for len(p) > 0 && !c.done() {
			n := int(min(int64(len(p)), c.data()))
			if data = append(data, p[:n]...); n > 0 {
				c.took(n)
			} else if n, err = c.skip(p); err != nil {
				return data, nil, end + n, err
			}
			end += n
			p = p[n:]
		}
	}
	if !c.done() {
		return data, nil, end, io.ErrUnexpectedEOF
	}
	return data, c.trailer, end, nil
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("x", maxLineExtension)
	for _, test := range []struct {
		body string
		data string
		want error
	}{
		{"0\r\n\r\n", "", nil},
		{"3\r\nabc\r\n0\r\n\r\nrest", "abc", nil},
		{"a\r\n0123456789\r\n0A\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", nil},
		{"3;a=\"b\"\r\nabc\r\n0;c\r\n\r\n", "abc", nil},
		{"3  \r\nabc\r\n0\t\r\n\r\n", "abc", nil},
		{"3;" + long[1:] + "\r\nabc\r\n0\r\n\r\n", "abc", nil},
		{"3;" + long + "\r\nabc\r\n0\r\n\r\n", "", errOverhead},
		{"3\nabc\r\n0\r\n\r\n", "", errChunkLine},
		{"3;a\nabc\r\n0\r\n\r\n", "", errChunkLine},
		{"3\rabc\r\n0\r\n\r\n", "", errChunkLine},
		{"3\r\nabc\n0\r\n\r\n", "abc", errChunkEnd},
		{"3\r\nabcd\r\n0\r\n\r\n", "abc", errChunkEnd},
		{"3\r\nabc\r\n0\r\n\n", "abc", errChunkLine},
		{"3\r\nabc\r\n0\r\nA: b\n\r\n", "abc", errChunkLine},
		{"3\r\nabc\r\n0\r\n\rA", "abc", errChunkLine},
		{"\r\n", "", errChunkSize},
		{" 3\r\nabc\r\n0\r\n\r\n", "", errChunkSize},
		{"-3\r\n", "", errChunkSize},
		{"0x3\r\n", "", errChunkSize},
		{"3 4\r\nabc\r\n0\r\n\r\n", "", errChunkSize},
		{"3 ;a\r\nabc\r\n0\r\n\r\n", "", errChunkSize},
		{"3 \xab\r\nabc\r\n0\r\n\r\n", "", errChunkSize},
		{"3;a\x00\r\n", "", errChunkSize},
		{"7fffffffffffffff\r\n", "", io.ErrUnexpectedEOF},
		{"8000000000000000\r\n", "", errChunkSize},
		{"ffffffffffffffff\r\n", "", errChunkSize},
		{"10000000000000003\r\nabc\r\n0\r\n\r\n", "", errChunkSize},
		{"0\r\nA: b\r\n c\r\n\r\n", "", errFieldLine},
		{"0\r\na b: c\r\n\r\n", "", errFieldLine},
		{"0\r\n" + strings.Repeat("A: b\r\n", maxTrailerBytes/6+1) + "\r\n", "", errTrailers},
		{strings.Repeat("1;"+long[1:]+"\r\na\r\n", 80) + "0\r\n\r\n", "", errOverhead},
		{strings.Repeat("1\r\na\r\n", 20_000) + "0\r\n\r\n", strings.Repeat("a", 20_000), nil},
	} {
		data, _, _, err := decode([]byte(test.body))
		if !errors.Is(err, test.want) || test.want != errOverhead && string(data) != test.data {
			t.Errorf("%.60q: %.60q, %v; want %.60q, %v", test.body, data, err, test.data, test.want)
		}
		if err != nil && err != io.ErrUnexpectedEOF && !malformed(err) {
			t.Errorf("%v is not blamed on what was sent", err)
		}
	}
}

func TestTrailersThatCannotBeAreLeftOut(t *testing.T) {
	_, trailer, _, err := decode([]byte("0\r\nb:  1 \r\nContent-Length: 3\r\nX: a\x00b\r\ntransfer-encoding: chunked\r\nA: \r\n\r\n"))
	if want := (field.Fields{{Name: "b", Value: "1"}, {Name: "A", Value: ""}}); err != nil || !slices.Equal(trailer, want) {
		t.Errorf("%q, %v", trailer, err)
	}
}

// FuzzChunks holds that pieces do not matter, and that a body which net/http
// accepts too has the same data and end to both.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\nmore", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n",
		"fffffffffffffffff\r\n", "00000000000000003\r\nabc\r\n", "5\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n1\r\nb\r\n0\r\n\rx",
	} {
		f.Add([]byte(s), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		data, trailer, end, err := decode(body)
		rng := rand.New(rand.NewPCG(seed, 0))
		data2, trailer2, end2, err2 := decode(cut(rng, body)...)
		if !bytes.Equal(data, data2) || !slices.Equal(trailer, trailer2) || end != end2 || (err == nil) != (err2 == nil) {
			t.Fatalf("whole: %q, %v; in pieces: %q, %v", data, err, data2, err2)
		}
		r := bytes.NewReader(body)
		theirs, failed := io.ReadAll(httputil.NewChunkedReader(r))
		if err == nil && failed == nil && !bytes.Equal(data, theirs) {
			t.Fatalf("%q, to net/http %q", data, theirs)
		}
		if err == nil && failed != nil {
			t.Fatalf("%q is whole; net/http says %v", data, failed)
		}
	})
}

// cut cuts data into pieces.
func cut(rng *rand.Rand, data []byte) (pieces [][]byte) {
	for len(data) > 0 {
		n := 1 + rng.IntN(len(data))
		pieces, data = append(pieces, data[:n]), data[n:]
	}
	return pieces
}
