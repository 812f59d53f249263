package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that runs pinned to some cores, in a process group of its
// own, with its output in a file.
type process struct {
	name   string
	cmd    *exec.Cmd
	output string // path
	ended  chan struct{}
	err    error // why it ended; set before ended is closed
	once   sync.Once
}

// stopTimeout is how long a program may take to stop. Varnish with a million
// objects needs some seconds.
const stopTimeout = 20 * time.Second

// spawn is what to run. Env adds to the environment.
type spawn struct {
	name  string
	cores string // as taskset takes them
	args  []string
	env   []string
	dir   string // for the output
}

func (s spawn) start() (*process, error) {
	p := &process{name: s.name, output: filepath.Join(s.dir, s.name+".output"), ended: make(chan struct{})}
	out, err := os.Create(p.output)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command("taskset", append([]string{"-c", s.cores}, s.args...)...)
	p.cmd.Env = append(os.Environ(), s.env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = attributes()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop ends the process and all that it started, and waits for it.
func (p *process) stop() error {
	var err error
	p.once.Do(func() {
		family := p.family()
		p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(stopTimeout):
			err = fmt.Errorf("%s did not stop within %v and was killed", p.name, stopTimeout)
			p.cmd.Process.Kill()
		}
		for _, m := range family {
			m.kill()
		}
		<-p.ended
	})
	return err
}

// death says how a process that should still run has ended.
func (p *process) death() error {
	text, err := os.ReadFile(p.output)
	if err != nil {
		text = []byte(err.Error())
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	last := strings.Join(lines[max(0, len(lines)-10):], "\n")
	return fmt.Errorf("%s ended (%v):\n%s", p.name, p.cmd.ProcessState, last)
}

// member is one process of a family. Its start tells it from a later one with
// the same id.
type member struct {
	pid   int
	start int64
}

// kill ends a member that is still there.
func (m member) kill() {
	if stat, err := readStat(m.pid); err == nil && stat.start == m.start {
		syscall.Kill(m.pid, syscall.SIGKILL) // it may have gone this moment
	}
}

// family returns the process and its descendants.
func (p *process) family() []member {
	all := map[int]procStat{}
	if entries, err := os.ReadDir("/proc"); err == nil {
		for _, e := range entries {
			if pid, err := strconv.Atoi(e.Name()); err == nil {
				if stat, err := readStat(pid); err == nil {
					all[pid] = stat
				}
			}
		}
	}
	family := []member{{p.cmd.Process.Pid, all[p.cmd.Process.Pid].start}}
	for i := 0; i < len(family); i++ {
		for pid, stat := range all {
			if stat.parent == family[i].pid {
				family = append(family, member{pid, stat.start})
			}
		}
	}
	return family
}

// run runs a program to its end and returns what it printed.
func (s spawn) run(stop <-chan struct{}) (string, error) {
	p, err := s.start()
	if err != nil {
		return "", err
	}
	select {
	case <-p.ended:
	case <-stop:
		p.stop()
		return "", fmt.Errorf("%s: interrupted", s.name)
	}
	if p.err != nil {
		return "", p.death()
	}
	text, err := os.ReadFile(p.output)
	return string(text), err
}
