package main

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const text = "123 (a name) (of) many) S 77 123 123 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 12 0 98765 1234567 2000 18446744073709551615 1 1 0\n"
	got, err := parseStat(text)
	want := procStat{parent: 77, cpu: 3 * time.Second, start: 98765, resident: 2000 * int64(os.Getpagesize())}
	if err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "1 (x) S", "1 x S 2 3"} {
		if got, err := parseStat(bad); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
	if stat, err := readStat(os.Getpid()); err != nil || stat.parent != os.Getppid() || stat.resident == 0 {
		t.Errorf("this process: %+v, %v", stat, err)
	}
}

func TestParseCores(t *testing.T) {
	const text = `cpu  300 0 300 1400 0 0 0 0 0 0
cpu0 100 10 200 600 50 5 15 20 0 0
cpu1 200 0 100 700 0 0 0 0 0 0
intr 1 2 3
`
	got, err := parseCores(text)
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if want := (coreTimes{busy: 3300 * time.Millisecond, steal: 200 * time.Millisecond, total: 10 * time.Second}); got[0] != want {
		t.Errorf("%+v, want %+v", got[0], want)
	}
	if got, err := parseCores("intr 1\n"); err == nil {
		t.Errorf("%v", got)
	}
}

func TestParseAnonymous(t *testing.T) {
	got, err := parseAnonymous("Name:\tx\nVmRSS:\t  999 kB\nRssAnon:\t    1234 kB\nRssFile:\t 1 kB\n")
	if err != nil || got != 1234<<10 {
		t.Errorf("%d, %v", got, err)
	}
	if got, err := parseAnonymous("Name:\tx\n"); err == nil {
		t.Errorf("%d", got)
	}
}

func TestParseGC(t *testing.T) {
	const trace = `time=x level=INFO msg=serving
gc 1 @0.012s 0%: 0.014+0.33+0.003 ms clock, 0.5+0.25/1/0.15+0.1 ms cpu, 4->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @1.012s 0%: 0.014+0.33+0.003 ms clock, 1+0/1/0+0 ms cpu, 4->4->0 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
`
	ms, cycles, err := parseGC(trace)
	if err != nil || cycles != 2 || ms < 3.999 || ms > 4.001 {
		t.Errorf("%v ms, %d cycles, %v", ms, cycles, err)
	}
}

func TestParseVarnishstat(t *testing.T) {
	const text = `{"version": 1, "counters": {
		"MAIN.n_object": {"description": "", "value": 12},
		"MAIN.n_lru_nuked": {"value": 3},
		"SMA.bench.g_bytes": {"value": 4096}}}`
	got, err := parseVarnishstat([]byte(text))
	if want := (filling{objects: 12, bytes: 4096, evicted: 3}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if got, err := parseVarnishstat([]byte(`{"counters": {}}`)); err == nil {
		t.Errorf("%+v", got)
	}
}
