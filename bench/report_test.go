package main

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		aim   aim
		ratio float64
		want  string
	}{
		{atLeast(2), 2, "met"},
		{atLeast(2), 1.9, "missed by 5 %"},
		{atLeast(2), 1.999, "missed by 1 %"},
		{atMost(1.2), 1.2, "met"},
		{atMost(1.2), 1.5, "missed by 25 %"},
		{atLeast(2), math.NaN(), "not measured"},
		{aim{}, 3, ""},
	} {
		if got := c.aim.verdict(c.ratio); got != c.want {
			t.Errorf("%v of %v: %q, want %q", c.aim, c.ratio, got, c.want)
		}
	}
}

func sample() *report {
	r := &report{plan: plan{rounds: 3}}
	r.compare(comparison{
		Chapter: "Hits", What: "1 KB", Unit: perSecond, Aim: atLeast(2),
		Subject: series{Name: "Rescind", Samples: []float64{150_000, 149_000, 151_000}},
		Peer:    series{Name: "nginx", Samples: []float64{60_000}},
	})
	return r
}

func TestTable(t *testing.T) {
	var text strings.Builder
	sample().write(&text)
	const want = "| 1 KB | requests/s | Rescind | 150,000 ± 1 % | nginx | 60,000 | 2.50 | ≥ 2.0 | met |\n"
	if !strings.Contains(text.String(), want) {
		t.Errorf("no line %q in\n%s", want, &text)
	}
}

func TestPublishRefuses(t *testing.T) {
	r := sample()
	path := filepath.Join(t.TempDir(), "table")
	r.note(finding{Fatal: true, Where: "nginx, 1 KB", Kind: "failures", Text: "5 of 9 requests failed"})
	figures := filepath.Join(t.TempDir(), "figures")
	err := r.publish(plan{output: path, json: figures})
	if !errors.Is(err, errWorthless) || !strings.Contains(err.Error(), "nginx, 1 KB: 5 of 9 requests failed") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the table was written")
	}
	if text, err := os.ReadFile(figures); err != nil || !strings.Contains(string(text), "5 of 9 requests failed") {
		t.Errorf("figures: %s, %v", text, err)
	}
}

func TestFindingsOfOneKindAreOne(t *testing.T) {
	r := &report{}
	for _, worst := range []float64{0.1, 0.3, 0.2} {
		r.note(finding{Where: "s", Kind: "foreign", Text: figure(worst), worst: worst})
	}
	r.note(finding{Where: "s", Kind: "steal", Text: "x"})
	if len(r.findings) != 2 || r.findings[0].Times != 3 || r.findings[0].Text != "0.30" {
		t.Errorf("%+v", r.findings)
	}
}

func TestInsert(t *testing.T) {
	for _, part := range []string{"", "full"} {
		empty, err := insertInto("", part, "one")
		if err != nil {
			t.Fatal(err)
		}
		other, err := insertInto("", "huge", "one")
		if err != nil {
			t.Fatal(err)
		}
		page := "# Results\n\n" + empty + "\nWhat it means.\n"
		got, err := insertInto(page+other, part, "two")
		if want := strings.Replace(page, "one", "two", 1) + other; err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
		for _, bad := range []string{"somebody's page\n", other} {
			if _, err := insertInto(bad, part, "one"); !errors.Is(err, errNoMarks) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}

func TestFigure(t *testing.T) {
	for v, want := range map[float64]string{
		1_234_567.8: "1,234,568", 1000: "1,000", 999.4: "999", 12.34: "12.3", 1.5: "1.50", 0: "0.00", -1234: "-1,234",
	} {
		if got := figure(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}

func TestParsePlan(t *testing.T) {
	p, err := parsePlan([]string{"-quick", "-rounds", "7", "-only", "hits,full"})
	if err != nil || p.rounds != 7 || p.duration != shortestRound || p.long {
		t.Errorf("%+v, %v", p, err)
	}
	if !p.wants("hits") || !p.wants(chapterFull) || p.wants("tls") {
		t.Errorf("%+v", p)
	}
	if p, err = parsePlan(nil); err != nil || !p.wants(chapterFull) || p.wants(chapterHuge) || p.rounds < 5 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"-only=nothing", "-rounds=0", "-duration=10ms", "-objects=10", "what"} {
		if p, err := parsePlan([]string{bad}); err == nil {
			t.Errorf("%s: %+v", bad, p)
		}
	}
}
