package store_test

import (
	"bytes"
	"math/rand/v2"
	"net/textproto"
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// hidden are the names that these tests' Heads do not deliver.
func hidden(name string) bool { return strings.HasPrefix(name, "H") }

// checkHead fails where the Head of s says anything but s.
func checkHead(t *testing.T, s store.HeadSpec) {
	t.Helper()
	h := store.NewHead(s)
	equal(t, "status", h.Status(), s.Status)
	equal(t, "flags", h.Flags(), s.Flags)
	equal(t, "stamp", h.Stamp(), s.Stamp)
	equal(t, "times", h.Times(), s.Times)
	equal(t, "born", h.Born(), s.Born)
	equal(t, "length", h.Length(), s.Length)
	equal(t, "variant", h.Variant(), s.Variant)
	equal(t, "URL", h.URL(), s.URL)
	equal(t, "number of tags", h.NumTags(), len(s.Tags))
	equal(t, "tags", slices.Equal(h.AppendTags(nil), s.Tags), true)
	equal(t, "number of keys", h.NumKeys(), len(s.Keys))
	for i, key := range s.Keys {
		equal(t, "key", h.SurrogateKey(i), key)
	}
	want, shown := ordered(s)
	equal(t, "number of fields", h.NumFields(), len(want))
	equal(t, "number of fields shown", h.NumShown(), shown)
	for i, f := range want {
		got, hid := h.Field(i)
		equal(t, "field", got, f)
		equal(t, "hidden", hid, i >= shown)
		equal(t, "on the wire", h.Wire(i, i+1), f.Name+": "+f.Value+"\r\n")
		first, _ := want.Get(f.Name)
		value, ok := h.Get(otherCase(f.Name))
		equal(t, "Get", value, first)
		equal(t, "Get", ok, true)
	}
	for i := range len(want) + 1 {
		equal(t, "run", h.Wire(0, i)+h.Wire(i, len(want)), h.Wire(0, len(want)))
	}
	for _, all := range []bool{true, false} {
		list := want
		if !all {
			list = want[:shown]
		}
		equal(t, "fields", slices.Equal(h.AppendFields(nil, all), list), true)
		equal(t, "copied fields", slices.Equal(h.CopyFields(nil, all), list), true)
	}
	equal(t, "clone", bytes.Equal(h.Clone().Bytes(), h.Bytes()), true)
}

// ordered returns the lines of s as a Head has them, and how many are shown.
func ordered(s store.HeadSpec) (list field.Fields, shown int) {
	var rest field.Fields
	for _, f := range s.Fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if s.Hidden != nil && s.Hidden(f.Name) {
			rest = rest.Add(name, f.Value)
		} else {
			list = list.Add(name, f.Value)
		}
	}
	byName := func(a, b field.Field) int { return strings.Compare(a.Name, b.Name) }
	slices.SortStableFunc(list, byName)
	slices.SortStableFunc(rest, byName)
	return append(list, rest...), len(list)
}

// otherCase swaps the case of ASCII letters, which names do not differ by.
func otherCase(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'a' <= c|0x20 && c|0x20 <= 'z' {
			b[i] ^= 0x20
		}
	}
	return string(b)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestHeadEmpty(t *testing.T) {
	checkHead(t, store.HeadSpec{})
	if _, ok := store.NewHead(store.HeadSpec{}).Get("ETag"); ok {
		t.Error("an empty Head has a field")
	}
}

// TestHeadKeysAreNotStoredTwice: their text is in the field that they came in.
func TestHeadKeysAreNotStoredTwice(t *testing.T) {
	fields := field.Fields{{Name: "Surrogate-Key", Value: "home-page article-123 home"}, {Name: "ETag", Value: "e"}}
	with := store.HeadSpec{Fields: fields, Hidden: func(n string) bool { return n == "Surrogate-Key" }, Keys: []string{"home-page", "article-123", "home"}}
	checkHead(t, with)
	without := with
	without.Keys = nil
	if more := store.NewHead(with).Size() - store.NewHead(without).Size(); more > 3*8 {
		t.Errorf("three keys take %d bytes beside their field", more)
	}
	with.Keys = []string{"home", "elsewhere", "home-page"}
	checkHead(t, with)
}

func TestHeadFlags(t *testing.T) {
	h := store.NewHead(store.HeadSpec{Flags: store.MustRevalidate | store.Immutable})
	for flags, want := range map[store.Flags]bool{
		0:                                      true,
		store.Immutable:                        true,
		store.MustRevalidate | store.Immutable: true,
		store.HasValidator:                     false,
		store.Immutable | store.HasValidator:   false,
	} {
		if h.Is(flags) != want {
			t.Errorf("Is(%b) is %v", flags, !want)
		}
	}
}

func TestHeadRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	text := func() string {
		b := make([]byte, rnd.IntN(20))
		for i := range b {
			b[i] = byte(' ' + rnd.IntN(95))
		}
		return string(b)
	}
	for range 500 {
		s := store.HeadSpec{
			Status:  rnd.IntN(1000),
			Flags:   store.Flags(rnd.Uint32()),
			Stamp:   field.Position(rnd.Uint64()),
			Times:   field.Times{Fresh: rnd.Int64(), SWR: -rnd.Int64(), SIE: rnd.Int64(), Keep: rnd.Int64()},
			Born:    rnd.Int64(),
			Length:  rnd.Int64N(3) - 1,
			Variant: text(),
			URL:     text(),
		}
		for range rnd.IntN(6) {
			s.Fields = append(s.Fields, field.Field{Name: text(), Value: text()})
		}
		for range rnd.IntN(6) {
			s.Tags = append(s.Tags, field.Tag(rnd.Uint64()))
		}
		for range rnd.IntN(6) {
			s.Keys = append(s.Keys, text())
		}
		if rnd.IntN(2) == 0 {
			s.Hidden = hidden
		}
		checkHead(t, s)
		if t.Failed() {
			t.Fatalf("%+v", s)
		}
	}
}

// FuzzHead makes a Head of whatever an origin might send: parts are cut at
// zero bytes and turn into fields, keys, variant and URL in turn.
func FuzzHead(f *testing.F) {
	f.Add(uint16(200), int64(1), uint64(2), []byte("ETag\x00\"a\"\x00key\x00Hidden\x00x\x00other key"))
	f.Add(uint16(0), int64(-1), uint64(1<<63), []byte{})
	f.Add(uint16(999), int64(0), uint64(0), bytes.Repeat([]byte("\x00"), 40))
	f.Fuzz(func(t *testing.T, status uint16, instant int64, stamp uint64, raw []byte) {
		s := store.HeadSpec{
			Status: int(status),
			Stamp:  field.Position(stamp),
			Times:  field.Times{Fresh: instant, SWR: ^instant, SIE: instant >> 1, Keep: instant << 1},
			Born:   instant,
			Hidden: hidden,
		}
		parts := strings.Split(string(raw), "\x00")
		for len(parts) > 3 {
			if len(parts[0]) > 65_535 {
				return // longer than a name can be
			}
			s.Fields = s.Fields.Add(parts[0], parts[1])
			s.Keys = append(s.Keys, parts[2])
			s.Tags = append(s.Tags, field.Tag(len(parts[2])))
			parts = parts[3:]
		}
		s.Variant = parts[0]
		s.URL = parts[len(parts)-1]
		checkHead(t, s)
	})
}
