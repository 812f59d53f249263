//go:build e2e

package test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// startDemo runs the demonstration with a folder for temporary files of its own,
// in which whatever it leaves behind shows, and by which its processes are known.
func startDemo(t *testing.T, args ...string) (p *process, temp string) {
	t.Helper()
	temp = t.TempDir()
	cmd := exec.Command(binary, append([]string{"demo"}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	return start(t, "the demonstration", cmd), temp
}

// nothingLeft fails the test where a demonstration left files or processes.
func nothingLeft(t *testing.T, temp string) {
	t.Helper()
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("it left files: %v, %v", left, err)
	}
	if pids := processesOf(t, temp); len(pids) > 0 {
		t.Errorf("it left processes: %v", pids)
	}
}

// processesOf returns the processes that have a text in their command line.
func processesOf(t *testing.T, text string) (pids []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		if line, err := os.ReadFile(name); err == nil && strings.Contains(string(line), text) {
			pids = append(pids, name)
		}
	}
	return pids
}

func TestDemoStory(t *testing.T) {
	t.Parallel()
	p, temp := startDemo(t, "--once")
	if code := p.wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	said := p.out.text()
	for _, text := range []string{"fra1", "nyc1", "sin1", "kill -9", "kill -STOP", "steps as expected"} {
		if !strings.Contains(said, text) {
			t.Errorf("the story lacks %q:\n%s", text, said)
		}
	}
	if machine := regexp.MustCompile(`127\.0\.0\.1|` + regexp.QuoteMeta(temp)).FindString(said); machine != "" {
		t.Errorf("the story names %q, which is this machine's", machine)
	}
	nothingLeft(t, temp)
}

func TestDemoIsInterrupted(t *testing.T) {
	t.Parallel()
	p, temp := startDemo(t, "--once")
	p.awaitOutput("2. Purged by its key", 0)
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	nothingLeft(t, temp)
}

// The demonstration serves until it is interrupted, and starts POPs again.
func TestDemoServes(t *testing.T) {
	t.Parallel()
	p, temp := startDemo(t)
	p.awaitOutput("Interrupt to stop.", 0)
	for _, line := range regexp.MustCompile(`(?m)^  (?:fra1|nyc1|sin1) +(http://\S+) +(http://\S+)$`).FindAllStringSubmatch(p.out.text(), -1) {
		for _, url := range []string{line[1] + "/products/1", line[2] + "/readyz"} {
			resp, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", url, resp.Status)
			}
		}
	}
	pops := processesOf(t, temp)
	if len(pops) != 3 {
		t.Fatalf("it runs %d POPs: %v", len(pops), pops)
	}
	kill := regexp.MustCompile(`kill -9 \d+`).FindString(p.out.text())
	if err := exec.Command("sh", "-c", kill).Run(); err != nil {
		t.Fatalf("%s: %v", kill, err)
	}
	p.awaitOutput("sin1 has ended", 0)
	p.awaitOutput("sin1 is back", 0)
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	nothingLeft(t, temp)
}

// A demonstration that is killed takes its POPs with it.
func TestDemoIsKilled(t *testing.T) {
	t.Parallel()
	p, temp := startDemo(t)
	p.awaitOutput("Interrupt to stop.", 0)
	p.signal(syscall.SIGKILL)
	within(t, "the end of the demonstration", p.exited)
	eventually(t, "its POPs end too", func() bool { return len(processesOf(t, temp)) == 0 })
}
