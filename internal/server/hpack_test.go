package server

import (
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/rescind-edge/rescind/internal/field"
)

// TestHPACKDecodes writes blocks of random fields, repeated ones and large ones
// among them, while the peer changes its mind about its table. Whatever is
// decoded is what was written.
func TestHPACKDecodes(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 0))
		e, d := newHPACKEncoder(), hpack.NewDecoder(4096, nil)
		names := []string{"Age", "x-a", "X-B", "Content-Type", "Set-Cookie", "X-" + strings.Repeat("long", 40)}
		for range 500 {
			if rnd.IntN(50) == 0 {
				n := rnd.Uint32N(5000)
				e.setPeerLimit(n)
				d.SetAllowedMaxDynamicTableSize(n)
			}
			status := []int{200, 204, 206, 304, 404, 500, 299}[rnd.IntN(7)]
			block := e.status(e.begin(nil), status)
			var want field.Fields
			for range rnd.IntN(20) {
				f := field.Field{Name: names[rnd.IntN(len(names))], Value: strings.Repeat("v", rnd.IntN(1<<rnd.IntN(11)))}
				if rnd.IntN(3) > 0 {
					f.Value = []string{"a", "b", "c", ""}[rnd.IntN(4)]
				}
				want = append(want, f)
				block = e.add(block, f.Name, f.Value)
			}
			got, err := d.DecodeFull(block)
			if err != nil || len(got) != len(want)+1 {
				t.Fatalf("seed %d: %v, %d fields of %d", seed, err, len(got), len(want)+1)
			}
			for i, f := range want {
				if got[i+1].Name != strings.ToLower(f.Name) || got[i+1].Value != f.Value {
					t.Fatalf("seed %d: %v became %v", seed, f, got[i+1])
				}
			}
		}
	}
}

// A peer that makes its table smaller may insist on being told so, even where
// the encoder used less of it all along (RFC 9113 section 4.3.1).
func TestHPACKTellsOfEveryReduction(t *testing.T) {
	for _, n := range []uint32{4095, hpackTable + 1, hpackTable, hpackTable - 1, 100, 0} {
		e := newHPACKEncoder()
		e.setPeerLimit(n)
		want := appendHPACKInt(nil, 0x20, 5, int(min(n, hpackTable)))
		if got := e.begin(nil); string(got) != string(want) {
			t.Errorf("%d: %x, not %x", n, got, want)
		}
		if got := e.begin(nil); len(got) > 0 {
			t.Errorf("%d: told twice", n)
		}
	}
	for _, n := range []uint32{4096, 65536} {
		e := newHPACKEncoder()
		e.setPeerLimit(n)
		if got := e.begin(nil); len(got) > 0 {
			t.Errorf("%d: %x", n, got)
		}
	}
}

// What comes in every answer takes one byte from the third time on, without
// allocation.
func TestHPACKRemembersWhatRepeats(t *testing.T) {
	e := newHPACKEncoder()
	b := make([]byte, 0, 1024)
	sizes := [3]int{}
	for i := range sizes {
		b = e.add(e.add(b[:0], "X-Served-By", "fra1-a"), "Server", "something")
		sizes[i] = len(b)
	}
	if sizes[1] < 20 || sizes[2] != 2 {
		t.Errorf("%v bytes", sizes)
	}
	if n := testing.AllocsPerRun(100, func() { b = e.add(e.add(b[:0], "X-Served-By", "fra1-a"), "Etag", `"x"`) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A secret is not put where the length of what comes later could tell of it.
func TestHPACKDoesNotRememberCookies(t *testing.T) {
	e := newHPACKEncoder()
	for range 5 {
		if b := e.add(nil, "Set-Cookie", "id=secret"); len(b) < len("id=secret") {
			t.Errorf("%d bytes", len(b))
		}
	}
}

func BenchmarkHPACK(b *testing.B) {
	e := newHPACKEncoder()
	fields := (&site{}).fields(make([]byte, 1024))
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = e.status(buf[:0], 200)
		for _, f := range fields {
			buf = e.add(buf, f.Name, f.Value)
		}
	}
}
