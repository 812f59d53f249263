package origin

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/http1"
)

// fetchChunked fetches from an origin that sends a chunked body and closes.
func fetchChunked(t *testing.T, body string) (*Response, string, error) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
	})
	return fetch(newPool(t, f, nil), get("/"))
}

// The grammar is tested in http1; here, that origins are held to it, and by which
// name they are blamed.
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
		_, data, err := fetchChunked(t, test.body)
		if !errors.Is(err, test.want) || test.want != errOverhead && data != test.data {
			t.Errorf("%.60q: %.60q, %v; want %.60q, %v", test.body, data, err, test.data, test.want)
		}
		if err != nil && test.want != io.ErrUnexpectedEOF && kindOf(err) != KindGarbage {
			t.Errorf("%v is not blamed on what was sent", err)
		}
	}
}

func TestEveryFaultOfABodyIsGarbage(t *testing.T) {
	for f := http1.BareLF; f <= http1.TrailerTooLarge; f++ {
		if err := chunkError(f, []byte("A\x00b: c")); !malformed(err) {
			t.Errorf("%v: %v", f, err)
		}
	}
	const want = `malformed field line: "A\x00b"`
	if err := chunkError(http1.FieldName, []byte("A\x00b: c")); err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestTrailersThatCannotBeAreLeftOut(t *testing.T) {
	res, _, err := fetchChunked(t, "0\r\nb:  1 \r\nContent-Length: 3\r\nX: a\x00b\r\ntransfer-encoding: chunked\r\nConnection: b\r\nA: \r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := res.Trailer(), (field.Fields{{Name: "A", Value: ""}, {Name: "b", Value: "1"}}); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// cut cuts data into pieces.
func cut(rng *rand.Rand, data []byte) (pieces [][]byte) {
	for len(data) > 0 {
		n := 1 + rng.IntN(len(data))
		pieces, data = append(pieces, data[:n]), data[n:]
	}
	return pieces
}
