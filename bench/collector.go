package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// outputSize returns how much a server has printed so far.
func outputSize(s *server) int64 {
	info, err := os.Stat(s.processes[0].output)
	if err != nil {
		return 0
	}
	return info.Size()
}

// remarkGC says what part of a core Go's collector used since an offset of the
// server's output, where there is a trace of it.
func (l *lab) remarkGC(s *server, when string, offset int64, took time.Duration) error {
	if !strings.HasPrefix(s.name, rescindName) {
		return nil
	}
	ms, cycles, err := traceSince(s, offset)
	if err != nil {
		return err
	}
	l.report.remark("Go's collector in %s %s: %.1f %% of one core, %d collections in %.0f s",
		s.name, when, ms/10/took.Seconds(), cycles, took.Seconds())
	return nil
}

// traceSince sums what Go's collector used since an offset of a server's output.
func traceSince(s *server, offset int64) (ms float64, cycles int, err error) {
	f, err := os.Open(s.processes[0].output)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return 0, 0, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return 0, 0, err
	}
	return parseGC(string(text))
}

var gcCPU = regexp.MustCompile(`(?m)^gc \d+ @.* ms clock, ([0-9.+/]+) ms cpu`)

// parseGC sums the milliseconds of processor time of the collections in a trace
// of Go's runtime.
func parseGC(trace string) (ms float64, cycles int, err error) {
	for _, m := range gcCPU.FindAllStringSubmatch(trace, -1) {
		cycles++
		for part := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == '+' || r == '/' }) {
			v, err := strconv.ParseFloat(part, 64)
			if err != nil {
				return 0, 0, fmt.Errorf("trace of collections: %w", err)
			}
			ms += v
		}
	}
	return ms, cycles, nil
}
