package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// h2Load is h2load: a closed loop, or, with a rate, one that sends at fixed
// times whether or not answers come.
type h2Load struct {
	urls     []string
	http1    bool
	clients  int
	streams  int     // requests at once on a connection
	rate     float64 // requests a second of all clients; 0: as many as go
	duration time.Duration
	delays   bool // keep the delay of each request
}

// h2Warmup lets connections and handshakes pass before anything counts.
const h2Warmup = 500 * time.Millisecond

func (h h2Load) run(l *lab) (load, error) {
	args := []string{"h2load", "-t1", fmt.Sprintf("-c%d", h.clients), fmt.Sprintf("-m%d", max(h.streams, 1)),
		"-D", wrkSeconds(h.duration), "--warm-up-time", fmt.Sprintf("%dms", h2Warmup.Milliseconds())}
	if h.http1 {
		args = append(args, "--h1")
	}
	if h.rate > 0 {
		args = append(args, fmt.Sprintf("--rps=%.2f", h.rate/float64(h.clients)))
	}
	log := filepath.Join(l.dir, "h2load.log")
	if h.delays {
		args = append(args, "--log-file="+log)
		defer os.Remove(log)
	}
	input := filepath.Join(l.dir, "h2load.urls")
	if err := os.WriteFile(input, []byte(strings.Join(h.urls, "\n")+"\n"), 0o600); err != nil {
		return load{}, err
	}
	text, err := l.generate("h2load", append(args, "-i", input))
	if err != nil {
		return load{}, err
	}
	got, err := parseH2load(text)
	if err != nil || !h.delays {
		return got, err
	}
	f, err := os.Open(log)
	if err != nil {
		return load{}, err
	}
	defer f.Close()
	got.delays, err = parseDelays(f)
	return got, err
}

var (
	h2Finished = regexp.MustCompile(`(?m)^finished in [0-9.]+[a-z]+, ([0-9.]+) req/s`)
	h2Requests = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	h2Statuses = regexp.MustCompile(`(?m)^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx`)
	h2Traffic  = regexp.MustCompile(`(?m)^traffic: .*?\((\d+)\) total.*?\((\d+)\) data`)
)

// parseH2load reads h2load's summary. Requests are those after the warm-up; bytes
// are those of all bodies, so there are at least as many as the requests need.
func parseH2load(text string) (load, error) {
	finished, requests := h2Finished.FindStringSubmatch(text), h2Requests.FindStringSubmatch(text)
	statuses, traffic := h2Statuses.FindStringSubmatch(text), h2Traffic.FindStringSubmatch(text)
	if finished == nil || requests == nil || statuses == nil || traffic == nil {
		return load{}, fmt.Errorf("h2load printed no summary:\n%s", text)
	}
	// The time that it prints has the warm-up in it, the rate has not.
	rate, err := strconv.ParseFloat(finished[1], 64)
	if err != nil {
		return load{}, fmt.Errorf("h2load: %w", err)
	}
	l := load{requests: number(requests[1]), bytes: int64(number(traffic[2]))}
	if rate > 0 {
		l.took = time.Duration(float64(l.requests) / rate * float64(time.Second))
	}
	// Those that were under way when the time was up count as neither.
	l.failed = number(requests[2]) + number(statuses[2]) + number(statuses[3]) + number(statuses[4])
	if l.failed > 0 {
		l.why = requests[0] + "; " + statuses[0]
	}
	return l, nil
}

// number reads digits that a pattern has matched.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0 // beyond 63 bits: no count of this program
	}
	return n
}

// parseDelays reads the log of h2load: start, status and duration of each
// request, the times in µs. Those that did not end in 200 are left out; the
// summary counts them.
func parseDelays(in io.Reader) ([]float64, error) {
	var delays []float64
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 3 {
			return nil, fmt.Errorf("log of h2load: %q", lines.Text())
		}
		if f[1] != "200" {
			continue
		}
		us, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			return nil, fmt.Errorf("log of h2load: %w", err)
		}
		delays = append(delays, us)
	}
	return delays, lines.Err()
}
