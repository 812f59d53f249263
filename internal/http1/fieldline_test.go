package http1

import (
	"bufio"
	"net/textproto"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestCutField(t *testing.T) {
	for _, test := range []struct {
		line, name, value string
		fault             Fault
	}{
		{"A: b", "A", "b", NoFault},
		{"A:b", "A", "b", NoFault},
		{"a-b: \t c d \t", "a-b", "c d", NoFault},
		{"A:", "A", "", NoFault},
		{"A: \t ", "A", "", NoFault},
		{"A: b: c", "A", "b: c", NoFault},
		{"A: b\tc \xc3\xa4", "A", "b\tc \xc3\xa4", NoFault},
		{"", "", "", FieldName},
		{":", "", "", FieldName},
		{": b", "", "", FieldName},
		{"A", "", "", FieldName},
		{"A b", "", "", FieldName},
		{"A b: c", "", "", FieldName},
		{"A\x00: c", "", "", FieldName},
		{"\xc3\xa4: c", "", "", FieldName},
		{" A: b", "", "", Folding},
		{"\tA: b", "", "", Folding},
		{" ", "", "", Folding},
		{"A : b", "", "", SpaceBeforeColon},
		{"A\t: b", "", "", SpaceBeforeColon},
		{"A b : c", "", "", SpaceBeforeColon},
		{"A b: c : d", "", "", FieldName},
		{"A: b\x00", "", "", FieldValue},
		{"A: \r", "", "", FieldValue},
		{"A: \x7f", "", "", FieldValue},
	} {
		name, value, fault := CutField(test.line)
		if name != test.name || value != test.value || fault != test.fault {
			t.Errorf("%q: %q, %q, %v", test.line, name, value, fault)
		}
	}
}

// FuzzCutField holds that bytes and strings are cut alike, and that net/textproto
// reads the same of what is admitted.
func FuzzCutField(f *testing.F) {
	for _, s := range []string{"A: b", "a:", "A : b", " A: b", "A: b\x00", "A: \xff\t", "", ":", "A b : c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		name, value, fault := CutField(line)
		name2, value2, fault2 := CutField([]byte(line))
		if name != string(name2) || value != string(value2) || fault != fault2 {
			t.Fatalf("a string: %q, %q, %v; bytes: %q, %q, %v", name, value, fault, name2, value2, fault2)
		}
		before, after, colon := strings.Cut(line, ":")
		valid := colon && field.ValidName(before) && field.ValidValue(field.Trim(after))
		if valid != (fault == NoFault) {
			t.Fatalf("%q: %v", line, fault)
		}
		if !valid {
			return
		}
		h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(line + "\r\n\r\n"))).ReadMIMEHeader()
		if theirs := h.Values(name); err != nil || len(theirs) != 1 || theirs[0] != value {
			t.Fatalf("%q, %q; to net/textproto %q, %v", name, value, h, err)
		}
	})
}

func TestEveryFaultHasAText(t *testing.T) {
	seen := map[string]bool{}
	for f := NoFault; f <= TrailerTooLarge; f++ {
		if s := f.Error(); s == "" || seen[s] {
			t.Errorf("%d: %q", f, s)
		} else {
			seen[s] = true
		}
	}
	if s := (TrailerTooLarge + 1).Error(); s != "unknown fault" {
		t.Errorf("there is a fault without a test: %q", s)
	}
}
