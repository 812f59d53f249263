package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// heldBy returns the bytes of memory that a server's cache holds: what is
// anonymous in its processes, access log writers left out. Mapped files such as
// programs and Varnish's log are not counted, because they do not grow with the
// cache.
func (s *server) heldBy() (int64, error) {
	var sum int64
	for _, m := range s.processes[0].family() {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.pid))
		if err != nil {
			return 0, err
		}
		n, err := parseAnonymous(string(text))
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// parseAnonymous reads the anonymous resident bytes from a /proc/PID/status.
func parseAnonymous(text string) (int64, error) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc: no RssAnon in %.200q", text)
}

// needMemory fails where the machine has less memory free than a chapter takes.
func needMemory(bytes int64) error {
	var free int64
	if _, err := fmt.Sscan(lineOf("/proc/meminfo", "MemAvailable"), &free); err != nil {
		return fmt.Errorf("/proc/meminfo: %w", err)
	}
	if free <<= 10; free < bytes {
		return fmt.Errorf("this takes %d MiB of memory, of which %d are available; -objects and -huge-objects make it less", bytes>>20, free>>20)
	}
	return nil
}

// heldByNginx returns the same for nginx: the zone of keys, which its processes
// share, and the files of its cache, which are in memory here.
func (s *server) heldByNginx() (int64, error) {
	most := int64(0)
	for _, m := range s.processes[0].family() {
		if stat, err := readStat(m.pid); err == nil {
			most = max(most, stat.resident)
		}
	}
	err := filepath.WalkDir(filepath.Join(s.dir, "cache"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			const blockBytes = 512 // of st_blocks, whatever the file system
			most += stat.Blocks * blockBytes
		}
		return nil
	})
	return most, err
}
