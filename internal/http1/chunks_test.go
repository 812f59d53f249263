package http1

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// Rules as for requests, without a doubt, and as for responses.
var (
	strict = ChunkRules{Extension: 256, Extensions: 16 << 10, Trailer: 2 << 10}
	kind   = ChunkRules{Extension: 256, Overhead: 16 << 10, Trailer: 4 << 10, Padding: true, KeepTrailers: true}
)

// decode decodes a chunked body that comes in pieces. end is how many bytes
// belong to it and are as they must be; done tells whether it is all there.
func decode(r *ChunkRules, pieces ...[]byte) (data []byte, trailer field.Fields, end int, done bool, fault Fault) {
	var c Chunks
	for _, p := range pieces {
		for len(p) > 0 && !c.Done() {
			n := int(min(int64(len(p)), c.Data()))
			if data = append(data, p[:n]...); n > 0 {
				c.Took(n)
			} else if n, fault = c.Skip(p, r); fault != NoFault {
				return data, nil, end + n, false, fault
			}
			end += n
			p = p[n:]
		}
	}
	return data, c.Trailer(), end, c.Done(), NoFault
}

func TestChunks(t *testing.T) {
	long := strings.Repeat("x", kind.Extension-len(";"))
	signed := func(data string) string { return fmt.Sprintf("%x;%s\r\n%s\r\n", len(data), long, data) }
	trailer := func(size int) string { return "X: " + strings.Repeat("y", size-len("X: \r\n\r\n")) + "\r\n\r\n" }
	const rest = "\r\nabc\r\n0\r\n\r\n"
	for _, test := range []struct {
		body         string
		data         string // before the end or the fault that kind finds
		kind, strict Fault
	}{
		{"0\r\n\r\n", "", NoFault, NoFault},
		{"3\r\nabc\r\n0\r\n\r\nrest", "abc", NoFault, NoFault},
		{"a\r\n0123456789\r\n0A\r\n0123456789\r\n000\r\n\r\n", "01234567890123456789", NoFault, NoFault},
		{"000000003" + rest, "abc", NoFault, NoFault},
		{"0000000000000003" + rest, "abc", NoFault, NoFault},
		{"00000000000000003" + rest, "", ChunkSize, ChunkSize},
		{"10000000000000003" + rest, "", ChunkSize, ChunkSize},
		{"7fffffffffffffff\r\n", "", NoFault, NoFault},
		{"6000000000000000\r\n", "", NoFault, NoFault},
		{"8000000000000000\r\n", "", ChunkSize, ChunkSize},
		{"ffffffffffffffff\r\n", "", ChunkSize, ChunkSize},
		{"\r\n", "", ChunkSize, ChunkSize},
		{"\n", "", ChunkSize, ChunkSize},
		{"-3\r\n", "", ChunkSize, ChunkSize},
		{"0x3\r\n", "", ChunkSize, ChunkSize},
		{" 3" + rest, "", ChunkSize, ChunkSize},
		{"3 4" + rest, "", ChunkSize, ChunkSize},
		{"3 ;a" + rest, "", ChunkSize, ChunkSize},
		{"3 \xab" + rest, "", ChunkSize, ChunkSize},
		{"3  \r\nabc\r\n0\t\r\n\r\n", "abc", NoFault, ChunkSize},
		{"3 \nabc\r\n0\r\n\r\n", "", BareLF, ChunkSize},

		{"3;a=\"b\"\r\nabc\r\n0;c\r\n\r\n", "abc", NoFault, NoFault},
		{"3;a\tb" + rest, "abc", NoFault, NoFault},
		{"3;a\x00" + rest, "", ChunkExtension, ChunkExtension},
		{"3;a\nabc\r\n0\r\n\r\n", "", BareLF, BareLF},
		{"3;a\rb" + rest, "", BareCR, BareCR},
		{"3;" + long + rest, "abc", NoFault, NoFault},
		{"3;" + long + "x" + rest, "", ExtensionTooLarge, ExtensionTooLarge},
		{strings.Repeat(signed("a"), 80), strings.Repeat("a", 67), Overhead, ExtensionTooLarge},
		{strings.Repeat(signed(long), 80), strings.Repeat(long, 80), NoFault, ExtensionTooLarge},
		{strings.Repeat("1\r\na\r\n", 20_000) + "0\r\n\r\n", strings.Repeat("a", 20_000), NoFault, NoFault},

		{"3\nabc\r\n0\r\n\r\n", "", BareLF, BareLF},
		{"3\rabc\r\n0\r\n\r\n", "", BareCR, BareCR},
		{"3\r\nabc\n0\r\n\r\n", "abc", ChunkEnd, ChunkEnd},
		{"3\r\nabcd\r\n0\r\n\r\n", "abc", ChunkEnd, ChunkEnd},
		{"3\r\nabc\r\r0\r\n\r\n", "abc", ChunkEnd, ChunkEnd},

		{"3\r\nabc\r\n0\r\n\n", "abc", BareLF, BareLF},
		{"3\r\nabc\r\n0\r\nA: b\n\r\n", "abc", BareLF, BareLF},
		{"3\r\nabc\r\n0\r\n\rA", "abc", BareCR, BareCR},
		{"0\r\nA: b\r\n c\r\n\r\n", "", Folding, Folding},
		{"0\r\na b: c\r\n\r\n", "", FieldName, FieldName},
		{"0\r\na : c\r\n\r\n", "", SpaceBeforeColon, SpaceBeforeColon},
		{"0\r\nA: \x00\r\n\r\n", "", NoFault, FieldValue},
		{"0\r\nContent-Length: 3\r\n\r\n", "", NoFault, TrailerField},
		{"0\r\n" + trailer(strict.Trailer), "", NoFault, NoFault},
		{"0\r\n" + trailer(strict.Trailer+1), "", NoFault, TrailerTooLarge},
		{"0\r\n" + trailer(kind.Trailer), "", NoFault, TrailerTooLarge},
		{"0\r\n" + trailer(kind.Trailer+1), "", TrailerTooLarge, TrailerTooLarge},
		{"0\r\n" + strings.Repeat("A: b\r\n", kind.Trailer), "", TrailerTooLarge, TrailerTooLarge},
	} {
		data, _, _, _, fault := decode(&kind, []byte(test.body))
		if fault != test.kind || string(data) != test.data {
			t.Errorf("%.60q, kindly: %.60q, %v; want %.60q, %v", test.body, data, fault, test.data, test.kind)
		}
		if _, _, _, _, fault := decode(&strict, []byte(test.body)); fault != test.strict {
			t.Errorf("%.60q, strictly: %v; want %v", test.body, fault, test.strict)
		}
	}
}

func TestTrailersThatCannotBeAreLeftOut(t *testing.T) {
	_, trailer, _, _, fault := decode(&kind, []byte("0\r\nb:  1 \r\nContent-Length: 3\r\nX: a\x00b\r\ntransfer-encoding: chunked\r\n"+
		"Host: a\r\nUpgrade: b\r\nConnection: b\r\nTrailer: b\r\nA: \r\n\r\n"))
	if want := (field.Fields{{Name: "b", Value: "1"}, {Name: "A", Value: ""}}); fault != NoFault || !slices.Equal(trailer, want) {
		t.Errorf("%q, %v", trailer, fault)
	}
}

// FuzzChunks holds that pieces do not matter, that what the strict rules admit
// the others do, and that a whole body has the same data and end to net/http.
func FuzzChunks(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\nmore", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n",
		"fffffffffffffffff\r\n", "00000000000000003\r\nabc\r\n", "5\r\nabc\r\n0\r\n\r\n", "1\r\na\r\n1\r\nb\r\n0\r\n\rx",
		"5\r\nhello\r\n0\r\n\r\n", "1;a\r\nx\r\n00\r\nX: y\r\nX: z\r\n\r\n", "0;a=b\r\n\r\nGET / HTTP/1.1\r\n",
		"000000003\r\nabc\r\n6000000000000000\r\n", "0\r\n b\r\n\r\n", "0\r\nHost: a\r\nA: \x7f\r\n\r\n",
	} {
		f.Add([]byte(s), uint64(len(s)))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0))
		ends := [2]int{}
		for i, r := range []*ChunkRules{&strict, &kind} {
			data, trailer, end, done, fault := decode(r, body)
			data2, trailer2, end2, done2, fault2 := decode(r, cut(rng, body)...)
			if !bytes.Equal(data, data2) || !slices.Equal(trailer, trailer2) || end != end2 || done != done2 || fault != fault2 {
				t.Fatalf("whole: %q, %q, %d, %v; in pieces: %q, %q, %d, %v", data, trailer, end, fault, data2, trailer2, end2, fault2)
			}
			if !done {
				continue
			}
			ends[i] = end
			in := bytes.NewReader(body[:end])
			theirs, err := io.ReadAll(httputil.NewChunkedReader(in))
			if err != nil || !bytes.Equal(data, theirs) {
				t.Fatalf("%q, to net/http %q, %v", data, theirs, err)
			}
			for _, f := range trailer {
				if !field.ValidName(f.Name) || !field.ValidValue(f.Value) || !MayTrail(f.Name) {
					t.Fatalf("trailer %q", f)
				}
			}
		}
		if ends[0] > 0 && ends[0] != ends[1] {
			t.Fatalf("ends at %d strictly, at %d otherwise", ends[0], ends[1])
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

// BenchmarkChunks is what it takes to find the data of 64 KB, the data itself not
// looked at.
func BenchmarkChunks(b *testing.B) {
	for _, size := range []int{1, 16, 1 << 10, 16 << 10} {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size))
		body := []byte(strings.Repeat(chunk, 64<<10/len(chunk)) + "0\r\n\r\n")
		for name, r := range map[string]*ChunkRules{"strict": &strict, "kind": &kind} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var c Chunks
					for p := body; !c.Done(); {
						n := int(c.Data())
						if n > 0 {
							c.Took(n)
						} else if n, _ = c.Skip(p, r); n == 0 {
							b.Fatal("stuck")
						}
						p = p[n:]
					}
				}
			})
		}
	}
}
