package shield

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
)

// asks are typical ones; the last is as long as any.
func asks() []Ask {
	one := Ask{From: "fra1-a", Session: Session{1, 2}, Since: 7, At: 7}
	based := one
	based.Shield, based.At, based.Fresh = Session{9}, 1<<63, true
	based.Entries = []journal.Range{{Incarnation: journal.Incarnation{3}, Spans: journal.Spans{{First: 1, Last: 9}, {First: 20, Last: 20}}}}
	long := based
	long.From, long.Entries = strings.Repeat("n", maxName), nil
	for i := range MaxSpans {
		long.Entries = append(long.Entries, journal.Range{
			Incarnation: journal.Incarnation{1, byte(i)}, Spans: journal.Spans{{First: 1 << 62, Last: 1<<62 + 1<<61}},
		})
	}
	return []Ask{one, based, long}
}

func TestAsk(t *testing.T) {
	for _, want := range asks() {
		text := string(want.Append(nil))
		got, err := ParseAsk(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.80q…: %+v %v, want %+v", text, got, err, want)
		}
		if !field.ValidValue(text) || strings.ContainsAny(text, ",\"") {
			t.Errorf("%q cannot stand in a field", text)
		}
	}
	usual := asks()[0]
	usual.Shield = Session{9}
	if n := len(usual.Append(nil)); n > 80 {
		t.Errorf("where nothing was purged, it takes %d bytes", n)
	}
	more := asks()[2]
	more.Entries = append(more.Entries, journal.Range{Incarnation: journal.Incarnation{2}, Spans: journal.Spans{{First: 1, Last: 1}}})
	for _, bad := range []string{
		"", "1", "2 a b - 0 0 -", "1  AAAAAAAAAAAAAAAAAAAAAQ - 0 0 -", "1 a - - 0 0 -", "1 a AAAA - 0 0 -",
		"1 a AAAAAAAAAAAAAAAAAAAAAQ - 5 4 -", "1 a AAAAAAAAAAAAAAAAAAAAAQ - -1 0 -", "1 a AAAAAAAAAAAAAAAAAAAAAQ - 0 0 !",
		string(more.Append(nil)), strings.Repeat("1 ", maxAsk),
	} {
		if a, err := ParseAsk(bad); err == nil {
			t.Errorf("%.80q is taken for %+v", bad, a)
		}
	}
}

func words() []Word {
	return []Word{
		{How: Hit, Session: Session{1}, Confirmed: 0, Confirms: true, HasLeft: true, Left: Left{time.Second, -time.Second, 0, time.Hour}},
		{How: Failed, Session: Session{1}, Reason: "origin-connect"},
		{How: Behind, Session: Session{1}, HasLeft: true},
		{How: Filled, Session: Session{1}, Undone: []Purge{{1}, {2}}},
		{How: Stale, Session: Session{1}, Reason: "x", Undone: []Purge{{3}}},
	}
}

func TestWord(t *testing.T) {
	for _, want := range words() {
		text := string(want.Append(nil))
		if got, err := ParseWord(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v %v, want %+v", text, got, err, want)
		}
	}
	longest := Word{
		How: Refused, Session: Session{1}, Confirms: true, Confirmed: 1<<64 - 1, HasLeft: true,
		Left: Left{-longest, -longest, -longest, -longest}, Undone: make([]Purge, 20),
	}
	text := string(longest.Append(nil))
	if got, err := ParseWord(text); err != nil || len(text) > maxWord || len(got.Undone) != MaxUndone {
		t.Errorf("%d bytes: %+v, %v", len(text), got, err)
	}
	for _, bad := range []string{"", "1", "1 hit - - - - x", "1 hit - - - - ", "1 hit", "1 heard - - -", "1 hit - x -", "1 hit - - 1/2/3", "1 hit - - a/b/c/d", "1 failed - - - a b", "1 failed - - - a,b"} {
		if w, err := ParseWord(bad); err == nil && (w.Reason == "" || w.Reason == "a,b") {
			t.Errorf("%q is taken for %+v", bad, w)
		}
	}
}

// TestLeftIsNeverTooMuch rounds and clamps.
func TestLeftIsNeverTooMuch(t *testing.T) {
	const now = int64(1_800_000_000_000_000_000)
	for _, at := range []int64{now, now + 1, now - 1, now + 1_999_999, now - 1_999_999, 0, -1 << 63, 1<<63 - 1, now + int64(time.Hour)} {
		left := LeftAt(field.Times{Fresh: at}, now)
		if back := left.From(now).Fresh; back > at && at > now-int64(longest) {
			t.Errorf("%d becomes %d", at, back)
		}
		w := Word{How: Hit, HasLeft: true, Left: left}
		if got, err := ParseWord(string(w.Append(nil))); err != nil || got.Left != left {
			t.Errorf("%d: %v is read as %v, %v", at, left, got.Left, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, a := range asks() {
		f.Add(string(a.Append(nil)))
	}
	for _, w := range words() {
		f.Add(string(w.Append(nil)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseAsk(text); err == nil {
			again, err := ParseAsk(string(a.Append(nil)))
			if err != nil || !reflect.DeepEqual(a, again) {
				t.Errorf("%+v becomes %+v, %v", a, again, err)
			}
		}
		if w, err := ParseWord(text); err == nil {
			if again, err := ParseWord(string(w.Append(nil))); err != nil || !reflect.DeepEqual(again, w) {
				t.Errorf("%+v becomes %+v, %v", w, again, err)
			}
		}
	})
}

func BenchmarkAsk(b *testing.B) {
	for i, name := range []string{"nothing purged", "two runs", "64 issuers"} {
		b.Run(name, func(b *testing.B) {
			a := asks()[i]
			b.ReportAllocs()
			var text []byte
			for b.Loop() {
				text = a.Append(text[:0])
				if _, err := ParseAsk(string(text)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(text)), "bytes")
		})
	}
}
