package wire

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

const at = int64(1_800_000_000_000)

func inc(n byte) journal.Incarnation { return journal.Incarnation{n, 15: 1} }

func entries() []journal.Entry {
	return []journal.Entry{
		{ID: journal.ID{Incarnation: inc(1), Seq: 7}, Kind: journal.KindPurge, Time: at, Same: 0x1122334455667788, Body: []byte("url www.example.com/a")},
		{ID: journal.ID{Incarnation: inc(1), Seq: 8}, Kind: journal.KindRevert, Time: at + 3, Body: []byte("revert")},
		{ID: journal.ID{Incarnation: inc(1), Seq: 3}, Kind: journal.KindPurge, Time: at - 500, By: 7},
		{ID: journal.ID{Incarnation: inc(2), Seq: 1}, Kind: 4711, Time: at, Body: []byte("of the future"), Extra: []byte("more")},
		{ID: journal.ID{Incarnation: inc(1), Seq: 9}, Kind: journal.KindTokenRevoke, Time: at},
	}
}

func vector() journal.Vector {
	return journal.Vector{
		inc(1):   {Floor: 3, Head: 9, Newest: at, Above: journal.Spans{{First: 11, Last: 11}, {First: 20, Last: 300}}},
		inc(2):   {Head: 1, Newest: at - 1000},
		inc(200): {Floor: 5, Above: journal.Spans{{First: 2, Last: 5}}},
	}
}

func ranges() []journal.Range {
	return []journal.Range{
		{Incarnation: inc(1), Spans: journal.Spans{{First: 1, Last: 3}, {First: 10, Last: 10}}},
		{Incarnation: inc(9), Spans: journal.Spans{{First: 5, Last: 1 << 40}}},
	}
}

func items() *state.Map {
	m, err := state.Load([]state.Item{
		{Key: state.Key{Kind: state.KindToken, ID: "a"}, Time: at, Value: []byte("token")},
		{Key: state.Key{Kind: state.KindToken, ID: "b"}, Time: at + 1, Removed: true},
		{Key: state.Key{Kind: 99, ID: "z"}, Time: at},
	}, at-5)
	if err != nil {
		panic(err)
	}
	return m
}

// golden compares bytes with a file that must never change: other versions read
// and write it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".hex")
	if *rewrite {
		if err := os.WriteFile(file, []byte(hex.Dump(got)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if hex.Dump(got) != string(want) {
		t.Errorf("%s has changed; nodes of other versions would not understand it:\n%s", name, hex.Dump(got))
	}
}

func TestGolden(t *testing.T) {
	batch, n := AppendBatch(nil, entries(), 1<<20)
	if n != len(entries()) {
		t.Fatalf("took %d", n)
	}
	golden(t, "batch", batch)
	back, err := ParseBatch(batch)
	if err != nil || fmt.Sprint(back) != fmt.Sprint(entries()) {
		t.Errorf("%v, %v", back, err)
	}

	golden(t, "vector", AppendVector(nil, vector()))
	v, err := ParseVector(AppendVector(nil, vector()))
	if err != nil || !v.Equal(vector()) {
		t.Errorf("%v, %v", v, err)
	}

	golden(t, "ranges", AppendRanges(nil, ranges()))
	r, err := ParseRanges(AppendRanges(nil, ranges()))
	if err != nil || !reflect.DeepEqual(r, ranges()) {
		t.Errorf("%v, %v", r, err)
	}

	d := vector().Digests()
	golden(t, "digests", AppendDigests(nil, &d))
	if back, err := ParseDigests(AppendDigests(nil, &d)); err != nil || back != d {
		t.Errorf("%v, %v", back, err)
	}

	golden(t, "state", AppendState(nil, items()))
	m, err := ParseState(AppendState(nil, items()))
	if err != nil || m.Digest() != items().Digest() || m.Horizon() != items().Horizon() {
		t.Errorf("%v, %v", m, err)
	}
}

func TestBatchesKeepWithinADatagram(t *testing.T) {
	var all []journal.Entry
	for seq := range uint64(100) {
		all = append(all, journal.Entry{ID: journal.ID{Incarnation: inc(1), Seq: seq + 1}, Kind: 1, Time: at, Body: make([]byte, 60)})
	}
	sent := 0
	for left := all; len(left) > 0; {
		batch, n := AppendBatch(nil, left, 1200)
		if len(batch) > 1200 || n == 0 {
			t.Fatalf("%d entries in %d bytes", n, len(batch))
		}
		back, err := ParseBatch(batch)
		if err != nil || len(back) != n || back[0].Seq != left[0].Seq {
			t.Fatal(err)
		}
		sent, left = sent+n, left[n:]
	}
	if sent != len(all) {
		t.Errorf("%d of %d", sent, len(all))
	}
	large := journal.Entry{ID: journal.ID{Incarnation: inc(1), Seq: 1}, Kind: 1, Body: make([]byte, 5000)}
	if batch, n := AppendBatch(nil, []journal.Entry{large}, 1200); n != 1 || len(batch) < 5000 {
		t.Error("an entry that is larger than the limit is never sent")
	}
}

func TestVersions(t *testing.T) {
	batch, _ := AppendBatch(nil, entries(), 1<<20)
	later := append([]byte{Version + 1}, batch[1:]...)
	if _, err := ParseBatch(later); !errors.Is(err, ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
	batch[1] |= 0x40
	if _, err := ParseBatch(batch); !errors.Is(err, ErrVersion) {
		t.Errorf("an unknown flag: %v", err)
	}
}

func TestMalformed(t *testing.T) {
	batch, _ := AppendBatch(nil, entries(), 1<<20)
	whole := map[string][]byte{
		"batch": batch, "vector": AppendVector(nil, vector()),
		"ranges": AppendRanges(nil, ranges()), "state": AppendState(nil, items()),
	}
	parse := parsers()
	for name, data := range whole {
		if err := parse[name](append(data[:len(data):len(data)], 0)); err == nil {
			t.Errorf("%s with a byte behind it is accepted", name)
		}
		cut := 0
		for n := range len(data) {
			if err := parse[name](data[:n]); err == nil {
				cut++
			} else if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut at %d: %v", name, n, err)
			}
		}
		// A batch is as long as it is: cut between entries it is a shorter one.
		if name != "batch" && cut > 0 || cut > len(entries()) {
			t.Errorf("%s is accepted when cut at %d places", name, cut)
		}
	}
	huge := append([]byte{Version}, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"...)
	for name, p := range parse {
		if err := p(huge); err == nil {
			t.Errorf("%s of any length is accepted", name)
		}
	}
}

// parsers maps each message to a function that parses it and, where that
// succeeds, encodes it again and reports a difference as an error.
func parsers() map[string]func([]byte) error {
	again := func(data, encoded []byte) error {
		if string(data) != string(encoded) {
			return fmt.Errorf("two encodings: %x and %x", data, encoded)
		}
		return nil
	}
	return map[string]func([]byte) error{
		"batch": func(data []byte) error {
			e, err := ParseBatch(data)
			if err != nil {
				return err
			}
			encoded, n := AppendBatch(nil, e, 1<<30)
			if n != len(e) {
				return fmt.Errorf("encodes %d of %d", n, len(e))
			}
			return again(data, encoded)
		},
		"entry": func(data []byte) error {
			e, err := ParseEntry(data)
			if err != nil {
				return err
			}
			return again(data, AppendEntry(nil, &e))
		},
		"vector": func(data []byte) error {
			v, err := ParseVector(data)
			if err != nil {
				return err
			}
			return again(data, AppendVector(nil, v))
		},
		"ranges": func(data []byte) error {
			r, err := ParseRanges(data)
			if err != nil {
				return err
			}
			return again(data, AppendRanges(nil, r))
		},
		"digests": func(data []byte) error {
			d, err := ParseDigests(data)
			if err != nil {
				return err
			}
			return again(data, AppendDigests(nil, &d))
		},
		"state": func(data []byte) error {
			m, err := ParseState(data)
			if err != nil {
				return err
			}
			return again(data, AppendState(nil, m))
		},
	}
}

func FuzzParse(f *testing.F) {
	batch, _ := AppendBatch(nil, entries(), 1<<20)
	d := vector().Digests()
	e := entries()[3]
	for _, seed := range [][]byte{
		batch, AppendEntry(nil, &e), AppendVector(nil, vector()), AppendRanges(nil, ranges()),
		AppendDigests(nil, &d), AppendState(nil, items()), {}, {Version},
	} {
		f.Add(seed)
	}
	parse := parsers()
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, p := range parse {
			err := p(data)
			if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrVersion) && !errors.Is(err, state.ErrFull) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestBytesOfAnEntry holds the size that sizing rules are computed from.
func TestBytesOfAnEntry(t *testing.T) {
	var all []journal.Entry
	body := strings.Repeat("b", 60)
	for seq := range uint64(1000) {
		all = append(all, journal.Entry{ID: journal.ID{Incarnation: inc(1), Seq: seq + 1}, Kind: 1, Time: at + int64(seq), Body: []byte(body)})
	}
	batch, _ := AppendBatch(nil, all, 1<<20)
	if per := float64(len(batch))/1000 - 60; per > 6 {
		t.Errorf("%.1f bytes besides an entry's body", per)
	}
}
