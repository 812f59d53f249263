package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseWrk(t *testing.T) {
	const text = `Running 1s test @ http://127.0.0.1:1/
  1 threads and 64 connections
Requests/sec:  50000.00

figures requests=50000 bytes=60000000 us=1000000 connect=0 read=2 write=0 status=3 timeout=1
`
	got, err := parseWrk(text)
	if err != nil {
		t.Fatal(err)
	}
	if got.requests != 50000 || got.bytes != 60000000 || got.took != time.Second || got.failed != 6 {
		t.Errorf("%+v", got)
	}
	for _, want := range []string{"read: 2", "status: 3", "timeout: 1"} {
		if !strings.Contains(got.why, want) {
			t.Errorf("%q does not say %q", got.why, want)
		}
	}
	if got.rate() != 50000 {
		t.Errorf("rate %v", got.rate())
	}
}

func TestParseWrkRefuses(t *testing.T) {
	for _, text := range []string{"", "unable to connect to 127.0.0.1:1 Connection refused\n", "figures requests=x us=1\n", "figures requests=1\n"} {
		if got, err := parseWrk(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

const h2Summary = `Main benchmark duration is over for thread #0. Stopping all clients.

finished in 3.00s, 55876.50 req/s, 8.10MB/s
requests: 111753 total, 111753 started, 111753 done, 111753 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 111753 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 16.20MB (16986456) total, 17.66MB (18520488) headers (space savings 0.00%), 837.33KB (857430) data
                     min         max         mean         sd        +/- sd
time for request:       67us       628us       142us        51us    57.23%
`

func TestParseH2load(t *testing.T) {
	got, err := parseH2load(h2Summary)
	if err != nil {
		t.Fatal(err)
	}
	if got.requests != 111753 || got.failed != 0 || got.bytes != 857430 {
		t.Errorf("%+v", got)
	}
	if rate := got.rate(); rate < 55876 || rate > 55877 {
		t.Errorf("rate %v: the warm-up must not count", rate)
	}
}

func TestParseH2loadFailures(t *testing.T) {
	text := strings.Replace(h2Summary, "0 failed", "7 failed", 1)
	text = strings.Replace(text, "111753 2xx, 0 3xx, 0 4xx, 0 5xx", "111740 2xx, 1 3xx, 2 4xx, 3 5xx", 1)
	got, err := parseH2load(text)
	if err != nil || got.failed != 13 || got.why == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := parseH2load("starting benchmark...\n"); err == nil {
		t.Errorf("no summary: %+v", got)
	}
}

func TestParseDelays(t *testing.T) {
	got, err := parseDelays(strings.NewReader("1795257645580838\t200\t182\n1795257645580999\t-1\t9\n1795257647580769\t200\t80\n"))
	if err != nil || !slices.Equal(got, []float64{182, 80}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"1 200\n", "1 200 x\n"} {
		if got, err := parseDelays(strings.NewReader(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseBenchmark(t *testing.T) {
	const text = "goos: linux\nBenchmarkHandedOver-2   \t   50000\t     20000 ns/op\t 12 B/op\nPASS\n"
	if rate, ok := parseBenchmark(text); !ok || rate != 50000 {
		t.Errorf("%v, %v", rate, ok)
	}
	if rate, ok := parseBenchmark("PASS\n"); ok {
		t.Errorf("no benchmark: %v", rate)
	}
}
