//go:build e2e

package test

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program in the background with what it has written so far.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	out    output
	exited chan struct{} // closed when it has ended
	err    error         // of its end; read only after exited
}

// start runs a program until the test ends. It is told to stop by its own
// process id, and with the tests themselves where they are killed.
func start(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, p.out.text())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// stop ends the process, and does nothing where it has ended.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Errorf("%s did not stop for %v after SIGTERM", p.name, patience)
		p.cmd.Process.Kill()
		<-p.exited
	}
}

// wait waits for the process to end by itself and returns its exit code.
func (p *process) wait() int {
	p.t.Helper()
	within(p.t, "the end of "+p.name, p.exited)
	return exitCode(p.t, p.err)
}

// running tells whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// awaitOutput waits until the process has written a text, past the first skip
// bytes of what it wrote.
func (p *process) awaitOutput(text string, skip int) {
	p.t.Helper()
	eventually(p.t, p.name+" writes "+text, func() bool {
		if !p.running() {
			p.t.Fatalf("%s ended: %v", p.name, p.err)
		}
		return strings.Contains(p.out.text()[skip:], text)
	})
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// output keeps what a process writes.
type output struct {
	mu struct {
		sync.Mutex
		buf bytes.Buffer
	}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.buf.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mu.buf.String()
}
