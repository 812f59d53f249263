package demo

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a program in the background.
type process struct {
	cmd   *exec.Cmd
	said  tail
	ended chan struct{} // closed when it has ended
}

// start runs a program that goes when this one goes.
func start(path string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.SysProcAttr = own()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in what it said
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

// kill ends the process as a power loss would, and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only where it has ended
	<-p.ended
}

// stopWithin is how long a POP may take to stop: twice its drain_timeout.
const stopWithin = 4 * time.Second

// stop asks the process to end, and kills it where it does not. It returns when
// it has ended.
func (p *process) stop() error {
	if !p.running() {
		return nil
	}
	if err := terminate(p.cmd.Process); err != nil {
		p.kill()
		return nil
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
		p.kill()
		return fmt.Errorf("%w for %v", errStuck, stopWithin)
	}
}

// errStuck is returned by stop for a process that had to be killed.
var errStuck = fmt.Errorf("%w: it did not stop", os.ErrDeadlineExceeded)

// tailBytes is how much of what a process said is kept: its reasons are at the
// end.
const tailBytes = 16 << 10

// tail keeps the end of what is written to it.
type tail struct {
	mu struct {
		sync.Mutex
		text []byte
	}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.text = append(t.mu.text, p...)
	if over := len(t.mu.text) - tailBytes; over > 0 {
		t.mu.text = append(t.mu.text[:0], t.mu.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.mu.text)
}
