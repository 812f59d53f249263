package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// declined makes a request one that only net/http answers, and no other.
const declined = "Pragma: bench"

const plainName = "net/http alone"

// measureHanded compares requests that are handed over to net/http with net/http
// itself: hits from outside, and the wrapper by itself in benchmarks of its
// package.
func measureHanded(l *lab) error {
	servers, err := l.start(settings{}, startRescind, startPlain)
	if err != nil {
		return err
	}
	o := object{set: "hot", size: 1 << 10}
	for _, s := range servers {
		if err := s.warm(o); err != nil {
			return err
		}
	}
	const chapter = "Requests that net/http answers"
	rates, err := l.run(race{what: "hits handed over to net/http", servers: servers, object: o, run: func(s *server, _ int) (load, error) {
		return wrkLoad{base: "http://" + s.http, path: o.path(), headers: []string{declined}, duration: l.plan.duration}.run(l)
	}})
	if err != nil {
		return err
	}
	l.versus(chapter, "hit of 1 KB, with its look-up, record and log line; the peer has none of that", rates, nil)
	if err := l.dismiss(); err != nil {
		return err
	}
	return l.compareWrapper(chapter)
}

func startPlain(l *lab, _ settings) (*server, error) {
	at, err := freeAddresses(1)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := l.serverDir("plain")
	if err != nil {
		return nil, err
	}
	s := &server{name: plainName, dir: dir, http: at[0]}
	return s, l.launch(s, spawn{name: "plain", args: []string{self, "plain", at[0]}})
}

// Benchmarks of internal/server: an exchange through its wrapper, and one without.
const (
	wrappedBenchmark = "BenchmarkHandedOver"
	plainBenchmark   = "BenchmarkPlainNetHTTP"
)

// compareWrapper runs both benchmarks in turn, in rounds, on all cores: client
// and server are in one process.
func (l *lab) compareWrapper(chapter string) error {
	l.progress("  benchmarks of internal/server")
	binary := filepath.Join(l.dir, "server.test")
	if _, err := l.generate("build", []string{"go", "test", "-c", "-o", binary, "./internal/server"}); err != nil {
		return err
	}
	wrapped, plain := series{Name: wrappedBenchmark}, series{Name: plainBenchmark}
	for range l.plan.rounds {
		for _, s := range []*series{&wrapped, &plain} {
			text, err := spawn{name: "benchmark", cores: l.serverCore + "," + l.loadCores, dir: l.dir, args: []string{
				binary, "-test.run", "^$", "-test.bench", "^" + s.Name + "$", "-test.benchtime", l.plan.duration.String(), "-test.timeout", "5m",
			}}.run(l.ctx.Done())
			if err != nil {
				return err
			}
			rate, ok := parseBenchmark(text)
			if !ok {
				l.report.remark("internal/server has no %s: the wrapper was not measured by itself", s.Name)
				return nil
			}
			s.add(rate)
		}
	}
	l.report.compare(comparison{
		Chapter: chapter, What: "wrapper by itself", Unit: perSecond, Subject: wrapped, Peer: plain, Aim: atLeast(0.9),
	})
	return nil
}

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+([0-9.]+) ns/op`)

// parseBenchmark returns the operations a second of the first benchmark in what
// a test binary printed.
func parseBenchmark(text string) (rate float64, ok bool) {
	m := benchmarkLine.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	ns, err := strconv.ParseFloat(m[1], 64)
	if err != nil || ns <= 0 {
		return 0, false
	}
	return 1e9 / ns, true
}

// numbered names something of which there are many.
func numbered(name string, n int) string { return fmt.Sprintf("%s-%d", name, n) }
