package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc, which is the same on every Linux that Go
// runs on.
const tick = 10 * time.Millisecond

// procStat is what /proc/PID/stat says of a process.
type procStat struct {
	parent   int
	cpu      time.Duration // user and system
	resident int64         // bytes
	start    int64         // since the machine's, in ticks
}

func readStat(pid int) (procStat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	return parseStat(string(text))
}

func parseStat(text string) (procStat, error) {
	// The name in parentheses may hold anything.
	end := strings.LastIndexByte(text, ')')
	f := strings.Fields(text[end+1:])
	if end < 0 || len(f) < 22 {
		return procStat{}, fmt.Errorf("/proc: %q is no stat of a process", text)
	}
	var n [5]int64
	for i, field := range [5]int{1, 11, 12, 19, 21} { // ppid, utime, stime, starttime, rss
		v, err := strconv.ParseInt(f[field], 10, 64)
		if err != nil {
			return procStat{}, fmt.Errorf("/proc: stat of a process: %w", err)
		}
		n[i] = v
	}
	return procStat{
		parent: int(n[0]), cpu: time.Duration(n[1]+n[2]) * tick, start: n[3], resident: n[4] * int64(os.Getpagesize()),
	}, nil
}

// cpuOf returns the time that processes have used. One that is gone counts
// nothing.
func cpuOf(all []member) time.Duration {
	var sum time.Duration
	for _, m := range all {
		if stat, err := readStat(m.pid); err == nil {
			sum += stat.cpu
		}
	}
	return sum
}

// coreTimes are the times of one core since the machine's start.
type coreTimes struct {
	busy, steal, total time.Duration
}

func (c coreTimes) minus(o coreTimes) coreTimes {
	return coreTimes{c.busy - o.busy, c.steal - o.steal, c.total - o.total}
}

func readCores() ([]coreTimes, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return nil, err
	}
	return parseCores(string(text))
}

// parseCores reads the lines of single cores, in their order.
func parseCores(text string) ([]coreTimes, error) {
	var cores []coreTimes
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 9 || !strings.HasPrefix(f[0], "cpu") || f[0] == "cpu" {
			continue
		}
		var n [8]time.Duration // user nice system idle iowait irq softirq steal
		for i := range n {
			v, err := strconv.ParseInt(f[i+1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("/proc/stat: %w", err)
			}
			n[i] = time.Duration(v) * tick
		}
		c := coreTimes{busy: n[0] + n[1] + n[2] + n[5] + n[6], steal: n[7]}
		c.total = c.busy + c.steal + n[3] + n[4]
		cores = append(cores, c)
	}
	if len(cores) == 0 {
		return nil, fmt.Errorf("/proc/stat names no core")
	}
	return cores, lines.Err()
}
