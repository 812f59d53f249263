package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// load is what a generator did.
type load struct {
	requests int
	bytes    int64 // received
	took     time.Duration
	failed   int // socket errors, timeouts, answers other than 200
	why      string
	delays   []float64 // µs, where the generator was asked for them

	cpu time.Duration // of the server, in all its processes; set by take
}

// rate returns requests a second, 0 where there were none.
func (l load) rate() float64 {
	if l.took <= 0 {
		return 0
	}
	return float64(l.requests) / l.took.Seconds()
}

// cost returns the processor time that the server took for a request, in µs.
func (l load) cost() float64 {
	if l.requests == 0 {
		return 0
	}
	return l.cpu.Seconds() * 1e6 / float64(l.requests)
}

// wrkLoad is a closed loop of wrk over HTTP/1.1: every connection sends its next
// request when it has the answer.
type wrkLoad struct {
	base     string // http://host:port
	requests string // lines of Lua that define request(), or nothing
	path     string // where requests is empty
	headers  []string
	duration time.Duration
}

// wrkConnections are as many as keep one core busy without queueing much.
const wrkConnections = 64

// wrkReport makes wrk print exact figures in one line.
const wrkReport = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\nfigures requests=%d bytes=%d us=%d connect=%d read=%d write=%d status=%d timeout=%d\n",
    summary.requests, summary.bytes, summary.duration, e.connect, e.read, e.write, e.status, e.timeout))
end
`

// run runs wrk in the lab.
func (w wrkLoad) run(l *lab) (load, error) {
	script := filepath.Join(l.dir, "wrk.lua")
	if err := os.WriteFile(script, []byte(w.requests+wrkReport), 0o600); err != nil {
		return load{}, err
	}
	args := []string{"wrk", "-t1", fmt.Sprintf("-c%d", wrkConnections), "-d", wrkSeconds(w.duration), "--timeout", "10s", "-s", script}
	for _, h := range w.headers {
		args = append(args, "-H", h)
	}
	text, err := l.generate("wrk", append(args, w.base+w.path))
	if err != nil {
		return load{}, err
	}
	return parseWrk(text)
}

// wrkSeconds writes a duration as wrk takes it: in whole seconds.
func wrkSeconds(d time.Duration) string {
	return strconv.Itoa(int(d.Round(time.Second).Seconds())) + "s"
}

// parseWrk finds the line of figures in what wrk printed.
func parseWrk(text string) (load, error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "figures "); ok {
			return parseFigures(rest)
		}
	}
	return load{}, fmt.Errorf("wrk printed no figures:\n%s", text)
}

func parseFigures(line string) (load, error) {
	n := map[string]int64{}
	for word := range strings.FieldsSeq(line) {
		name, value, _ := strings.Cut(word, "=")
		v, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return load{}, fmt.Errorf("figures of wrk: %w", err)
		}
		n[name] = v
	}
	if n["us"] <= 0 {
		return load{}, fmt.Errorf("wrk took no time: %q", line)
	}
	l := load{requests: int(n["requests"]), bytes: n["bytes"], took: time.Duration(n["us"]) * time.Microsecond}
	for _, kind := range []string{"connect", "read", "write", "status", "timeout"} {
		l.failed += int(n[kind])
		if n[kind] > 0 {
			l.why += fmt.Sprintf(" %s: %d", kind, n[kind])
		}
	}
	return l, nil
}

// requestsOf is Lua that asks for objects 0 to n-1 in turn.
func requestsOf(set, size string, n int) string {
	return fmt.Sprintf(`
local requests, n, i = {}, %d, 0
init = function()
  for k = 1, n do requests[k] = wrk.format(nil, "/%s/%s/" .. (k - 1)) end
end
request = function()
  i = i %% n + 1
  return requests[i]
end
`, n, set, size)
}

// uniqueRequests is Lua that asks for each object of a set once.
func uniqueRequests(set, size, host string) string {
	return fmt.Sprintf(`
local head, tail, i = "GET /%s/%s/", " HTTP/1.1\r\nHost: %s\r\n\r\n", 0
request = function()
  i = i + 1
  return head .. i .. tail
end
`, set, size, host)
}
