package main

import (
	"strings"
	"testing"
)

func TestObjectsOfPhases(t *testing.T) {
	for _, p := range whirlPhases {
		small := 0
		for i := range int64(10_000) {
			o := p.object(i)
			if o.size < p.least || o.size > p.most {
				t.Fatalf("%s: a body of %d bytes", p.set, o.size)
			}
			if o != p.object(i) {
				t.Fatalf("%s: object %d is not always the same", p.set, i)
			}
			if back, err := parseObject(o.path()); err != nil || back != o {
				t.Fatalf("%s is read as %+v, %v", o.path(), back, err)
			}
			if o.size < (p.least+p.most)/2 {
				small++
			}
		}
		if small < 5_000 || small > 9_990 {
			t.Errorf("%s: %d of 10,000 are of the lower half", p.set, small)
		}
	}
}

func TestPick(t *testing.T) {
	w := newWhirl(nil)
	seen, again := map[int]bool{}, 0
	for range 10_000 {
		o := w.pick(0)
		if seen[o.number] {
			again++
		}
		seen[o.number] = true
	}
	if again < 4_000 || again > 6_000 {
		t.Errorf("%d of 10,000 were asked for before", again)
	}
}

func TestMoreKeys(t *testing.T) {
	for set, want := range map[string]int{"hot": 0, "pages+12": 12, "x+-1": 0, "x+y": 0, "x+1000000": maxMoreKeys} {
		o := object{set: set, size: 100, number: 7}
		origin := &origin{}
		origin.tick()
		text, err := origin.appendAnswer(nil, o.path())
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "Surrogate-Key: ")
		line, _, _ := strings.Cut(rest, "\r\n")
		if n := len(strings.Fields(line)); n != 3+want {
			t.Errorf("%s: %d keys: %q", set, n, line)
		}
	}
}

func TestParseBooks(t *testing.T) {
	const text = `# HELP rescind_store_objects Objects stored
rescind_store_objects 5
rescind_store_added_objects_total 1.2e+01
rescind_store_removed_objects_total{reason="evicted"} 4
rescind_store_removed_objects_total{reason="swept"} 3
`
	if err := parseBooks(text); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", strings.Replace(text, "objects 5", "objects 6", 1), strings.Replace(text, "} 4", "} x", 1)} {
		if err := parseBooks(bad); err == nil {
			t.Errorf("no error for\n%s", bad)
		}
	}
}
