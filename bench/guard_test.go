package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func kinds(found []finding) string {
	text := ""
	for _, f := range found {
		text += f.Kind + " "
	}
	return text
}

func TestJudgeAnswers(t *testing.T) {
	good := load{requests: 1000, bytes: 1_300_000}
	with := func(change func(*load)) load {
		did := good
		change(&did)
		return did
	}
	for _, c := range []struct {
		name   string
		did    load
		misses bool
		sent   int
		want   string
	}{
		{"hits", good, false, 0, ""},
		{"one miss of a thousand", good, false, 1, ""},
		{"two misses", good, false, 2, "misses "},
		{"misses as asked for", good, true, 1000, ""},
		{"misses, and some that were under way", good, true, 1064, ""},
		{"hits where misses are measured", good, true, 900, "hits "},
		{"nothing", load{}, false, 0, "no answers "},
		{"a failure", with(func(l *load) { l.failed = 1 }), false, 0, "failures "},
		{"short bodies", with(func(l *load) { l.bytes = 1_023_000 }), false, 0, "length "},
	} {
		found := turn{server: &server{name: "s"}, size: 1024, misses: c.misses}.judgeAnswers(c.did, c.sent)
		if got := kinds(found); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for _, f := range found {
			if !f.Fatal {
				t.Errorf("%s: not fatal: %v", c.name, f)
			}
		}
	}
}

func TestJudgeCores(t *testing.T) {
	for _, c := range []struct {
		name  string
		use   use
		paced bool
		want  string
	}{
		{"the server is the limit", use{server: 0.99}, false, ""},
		{"somebody compiles", use{server: 0.6, foreign: 0.4}, false, "foreign "},
		{"a busy hypervisor", use{server: 0.95, steal: 0.05}, false, "steal "},
		{"the generator is the limit", use{server: 0.7, load: 1}, false, "bound "},
		{"both wait", use{server: 0.1, load: 0.1}, false, "stalled "},
		{"a given rate, little of it", use{server: 0.1, load: 0.1}, true, ""},
		{"a given rate", use{server: 0.5}, true, ""},
	} {
		found := turn{server: &server{name: "s"}, paced: c.paced}.judgeCores(c.use)
		if got := kinds(found); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestJudgePeers(t *testing.T) {
	varnish := series{Samples: []float64{100}}
	for rate, fatal := range map[float64]bool{79: true, 80: false, 200: false, 600: false, 601: true} {
		found := judgePeers(series{Samples: []float64{rate}}, varnish)
		if got := len(found) == 1 && found[0].Fatal; got != fatal {
			t.Errorf("nginx at %v of 100: %v", rate, found)
		}
	}
	if found := judgePeers(series{}, varnish); len(found) != 1 {
		t.Errorf("nginx without a figure: %v", found)
	}
}

func TestJudgeSpreadAndLog(t *testing.T) {
	if found := judgeSpread("x", series{Samples: []float64{100, 101, 99}}); found != nil {
		t.Errorf("like rounds: %v", found)
	}
	if found := judgeSpread("x", series{Samples: []float64{50, 100, 150}}); kinds(found) != "spread " {
		t.Errorf("unlike rounds: %v", found)
	}
	tn := turn{server: &server{name: "s"}}
	if found := tn.judgeLog(1000, 995); found != nil {
		t.Errorf("a log that is nearly whole: %v", found)
	}
	if found := tn.judgeLog(1000, 500); kinds(found) != "log " {
		t.Errorf("half a log: %v", found)
	}
}

func TestUsage(t *testing.T) {
	core := func(busy, steal, total time.Duration) coreTimes {
		return coreTimes{busy * time.Second, steal * time.Second, total * time.Second}
	}
	then := before{cores: []coreTimes{core(1, 0, 10), core(0, 0, 10)}, cpu: time.Second}
	now := before{cores: []coreTimes{core(10, 1, 20), core(5, 0, 20)}, cpu: 9 * time.Second}
	if got, want := usage(then, now), (use{server: 0.8, foreign: 0.1, steal: 0.1, load: 0.5}); !near(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := usage(then, then); got != (use{}) {
		t.Errorf("no time: %+v", got)
	}
}

func near(a, b use) bool {
	const e = 1e-9
	return a.server-b.server < e && b.server-a.server < e && a.foreign-b.foreign < e && b.foreign-a.foreign < e &&
		a.steal == b.steal && a.load == b.load
}

func TestLineCounter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c := lineCounter{path: path}
	for i, add := range []string{"a\nb\n", "", "half", " a line\n"} {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(add)
		f.Close()
		if err := c.more(); err != nil {
			t.Fatal(err)
		}
		if want := []int{2, 2, 2, 3}[i]; c.lines != want {
			t.Errorf("after %q: %d lines, want %d", add, c.lines, want)
		}
	}
}
