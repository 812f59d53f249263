package field_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func sample() field.Fields {
	return field.Fields{
		{Name: "Vary", Value: "accept"},
		{Name: "content-type", Value: "text/html"},
		{Name: "VARY", Value: ""},
		{Name: "vary", Value: "cookie"},
	}
}

func TestGetIsTheFirstLineInAnyCase(t *testing.T) {
	f := sample()
	for _, name := range []string{"Vary", "vary", "vARy"} {
		if v, ok := f.Get(name); v != "accept" || !ok {
			t.Errorf("Get(%q) = %q, %v", name, v, ok)
		}
	}
	if v, ok := f.Get("Content_Type"); ok {
		t.Errorf("Get of an absent field = %q", v)
	}
	if !f.Has("Content-Type") || f.Has("Content") || field.Fields(nil).Has("") {
		t.Error("Has sees what is not there, or not what is")
	}
	if n := f.Count("vary"); n != 3 {
		t.Errorf("Count = %d, want 3", n)
	}
}

func TestJoinedTellsAbsentFromEmpty(t *testing.T) {
	for _, c := range []struct {
		f    field.Fields
		want string
		ok   bool
	}{
		{nil, "", false},
		{field.Fields{{Name: "X", Value: "1"}}, "", false},
		{field.Fields{{Name: "vary", Value: ""}}, "", true},
		{field.Fields{{Name: "vary", Value: "a"}}, "a", true},
		{sample(), "accept, , cookie", true},
	} {
		if got, ok := c.f.Joined("Vary"); got != c.want || ok != c.ok {
			t.Errorf("%v joined: %q, %v; want %q, %v", c.f, got, ok, c.want, c.ok)
		}
	}
}

func TestJoiningOneLineCostsNothing(t *testing.T) {
	f := sample()
	if n := testing.AllocsPerRun(100, func() { f.Joined("Content-Type"); f.Get("vary"); f.Count("vary") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestChangingFields(t *testing.T) {
	for _, c := range []struct {
		what string
		got  field.Fields
		want field.Fields
	}{
		{"Set replaces the first and removes the rest", sample().Set("vary", "*"),
			field.Fields{{Name: "vary", Value: "*"}, {Name: "content-type", Value: "text/html"}}},
		{"Set appends what was absent", field.Fields{{Name: "a", Value: "1"}}.Set("b", "2"),
			field.Fields{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}},
		{"Set on nothing", field.Fields(nil).Set("b", ""), field.Fields{{Name: "b", Value: ""}}},
		{"Without keeps the order", sample().Without("Vary"), field.Fields{{Name: "content-type", Value: "text/html"}}},
		{"Without what is absent", sample().Without("Var"), sample()},
		{"Add keeps repeats", field.Fields{{Name: "a", Value: "1"}}.Add("a", "1"),
			field.Fields{{Name: "a", Value: "1"}, {Name: "a", Value: "1"}}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	f := sample()
	c := f.Clone().Set("vary", "changed")
	if v, _ := f.Get("vary"); v != "accept" || c.Count("vary") != 1 {
		t.Errorf("the original is now %v", f)
	}
}

func TestSizeIsWhatHTTP1Takes(t *testing.T) {
	f := field.Fields{{Name: "Age", Value: "5"}, {Name: "A", Value: ""}}
	if want := len("Age: 5\r\nA: \r\n"); f.Size() != want {
		t.Errorf("Size = %d, want %d", f.Size(), want)
	}
}

func TestEqualFoldFoldsLettersOnly(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			x, y := string([]byte{byte(a)}), string([]byte{byte(b)})
			want := lower(byte(a)) == lower(byte(b))
			if field.EqualFold(x, y) != want {
				t.Errorf("EqualFold(%q, %q) = %v", x, y, !want)
			}
		}
	}
	if field.EqualFold("ab", "abc") {
		t.Error("a prefix equals the whole")
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func TestValidNamesAndValues(t *testing.T) {
	for c := range 256 {
		s := "x" + string([]byte{byte(c)}) + "y"
		token := c > 0x20 && c < 0x7f && !slices.Contains([]byte(`"(),/:;<=>?@[\]{}`), byte(c))
		if field.ValidName(s) != token {
			t.Errorf("ValidName(%q) = %v", s, !token)
		}
		control := c < 0x20 && c != '\t' || c == 0x7f
		if field.ValidValue(s) == control {
			t.Errorf("ValidValue(%q) = %v", s, control)
		}
	}
	if field.ValidName("") || !field.ValidValue("") {
		t.Error("a name may be empty, or a value may not")
	}
}

func TestTrim(t *testing.T) {
	for in, want := range map[string]string{"": "", " \t ": "", "a": "a", "\t a b \t": "a b", "\r\na": "\r\na"} {
		if got := field.Trim(in); got != want {
			t.Errorf("Trim(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMinTakesEachInstant(t *testing.T) {
	a := field.Times{Fresh: 1, SWR: 9, SIE: 3, Keep: 9}
	b := field.Times{Fresh: 2, SWR: 8, SIE: 8, Keep: 8}
	if got, want := a.Min(b), (field.Times{Fresh: 1, SWR: 8, SIE: 3, Keep: 8}); got != want || b.Min(a) != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Lines of one name keep their order, in short lists and in long ones.
func TestSortByName(t *testing.T) {
	for _, n := range []int{0, 1, 10, 64, 65, 2000} {
		var f field.Fields
		for i := range n {
			f = f.Add(string(rune('a'+i*7%13)), strconv.Itoa(i))
		}
		want := slices.Clone(f)
		slices.SortStableFunc(want, func(a, b field.Field) int { return strings.Compare(a.Name, b.Name) })
		if f.SortByName(); !slices.Equal(f, want) {
			t.Errorf("%d lines: %v", n, f)
		}
	}
}
