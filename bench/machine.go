package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// machine is what figures hold for.
type machine struct {
	Date     string   `json:"date"`
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Memory   string   `json:"memory"`
	Kernel   string   `json:"kernel"`
	Versions []string `json:"versions"`
}

// findTools returns the paths of what the run needs.
func findTools(rescind string) (map[string]string, error) {
	if _, err := os.Stat(rescind); err != nil {
		return nil, fmt.Errorf("%w; `make build` makes it", err)
	}
	tools := map[string]string{}
	var missing []string
	for _, name := range []string{"taskset", "nginx", "varnishd", "varnishncsa", "varnishstat", "wrk", "h2load"} {
		path, err := exec.LookPath(name)
		if err != nil { // Debian keeps servers out of the path of users
			path, err = exec.LookPath("/usr/sbin/" + name)
		}
		if err != nil {
			missing = append(missing, name)
		}
		tools[name] = path
	}
	if missing != nil {
		return nil, fmt.Errorf("%s: not installed; `make bench` installs all from Debian", strings.Join(missing, ", "))
	}
	return tools, nil
}

func describeMachine(l *lab) (machine, error) {
	cores, err := readCores()
	if err != nil {
		return machine{}, err
	}
	m := machine{
		Date: time.Now().UTC().Format("2006-01-02 15:04 UTC"), Cores: len(cores),
		CPU: lineOf("/proc/cpuinfo", "model name"), Memory: lineOf("/proc/meminfo", "MemTotal"),
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return machine{}, err
	}
	m.Kernel = strings.TrimSpace(string(kernel))
	m.Versions, err = versions(l)
	return m, err
}

// lineOf returns the value of a "name: value" line of a file in /proc.
func lineOf(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

var versionNumber = regexp.MustCompile(`\b\d+\.\d+(\.\d+)*\b`)

func versions(l *lab) ([]string, error) {
	// wrk ends its version with a failure.
	ask := func(tool string, args ...string) (string, error) {
		out, err := exec.Command(tool, args...).CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return "", err
		}
		return strings.TrimSpace(string(out)), nil
	}
	own, err := ask(l.plan.binary, "--version")
	if err != nil {
		return nil, err
	}
	list := []string{strings.SplitN(own, "\n", 2)[0], runtime.Version()}
	for _, t := range []struct{ name, flag string }{
		{"nginx", "-v"}, {"varnishd", "-V"}, {"wrk", "--version"}, {"h2load", "--version"},
	} {
		out, err := ask(l.tools[t.name], t.flag)
		if err != nil {
			return nil, err
		}
		list = append(list, t.name+" "+versionNumber.FindString(out))
	}
	return list, nil
}
