package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/ports"
)

// lab is where servers are measured: the cores, a directory in memory, the
// origin, and what runs just now.
type lab struct {
	ctx     context.Context
	plan    plan
	dir     string // removed at the end
	tools   map[string]string
	machine machine
	report  *report

	cores      int    // of the machine
	serverCore string // of every server under test
	loadCores  string // of everything else
	cert, key  string // paths

	origin   *process
	originAt string
	counter  *conn // to the origin
	servers  []*server
	started  int // directories of servers so far
}

// newLab prepares everything but the servers. What it started ends with close.
func newLab(ctx context.Context, p plan) (*lab, error) {
	l := &lab{ctx: ctx, plan: p, report: &report{}}
	if err := l.prepare(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lab) prepare() (err error) {
	if l.plan.binary, err = filepath.Abs(l.plan.binary); err != nil {
		return err
	}
	if l.tools, err = findTools(l.plan.binary); err != nil {
		return err
	}
	if err := l.pin(); err != nil {
		return err
	}
	if l.machine, err = describeMachine(l); err != nil {
		return err
	}
	l.report.plan, l.report.machine = l.plan, l.machine
	if l.dir, err = makeDir(); err != nil {
		return err
	}
	if l.cert, l.key, err = writeCertificate(l.dir); err != nil {
		return err
	}
	return l.startOrigin()
}

// pin divides the cores, and moves this program to those of the load.
func (l *lab) pin() error {
	cores, err := readCores()
	if err != nil {
		return err
	}
	if len(cores) < 2 {
		return errors.New("this machine has one core; servers and load generators need one each")
	}
	l.cores, l.serverCore, l.loadCores = len(cores), "0", "1"
	if len(cores) > 2 {
		l.loadCores = "1-" + strconv.Itoa(len(cores)-1)
	}
	out, err := exec.Command("taskset", "-apc", l.loadCores, strconv.Itoa(os.Getpid())).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w\n%s", err, out)
	}
	return nil
}

func (l *lab) startOrigin() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	at, err := freeAddresses(1)
	if err != nil {
		return err
	}
	l.originAt = at[0]
	if l.origin, err = (spawn{name: "origin", cores: l.loadCores, dir: l.dir, args: []string{self, "origin", at[0]}}).start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(readyTimeout); ; {
		if l.counter, err = dial(l.originAt); err == nil {
			return nil
		}
		if !l.origin.running() {
			return l.origin.death()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the origin does not answer: %w", err)
		}
		if err := l.pause(10 * time.Millisecond); err != nil {
			return err
		}
	}
}

// originCount returns how many objects the origin has sent.
func (l *lab) originCount() (int, error) {
	a, err := l.counter.get(countPath)
	if err != nil {
		return 0, fmt.Errorf("origin: %w", err)
	}
	return strconv.Atoi(string(a.body))
}

// start runs servers, one for each way to start one, until dismiss.
func (l *lab) start(set settings, ways ...func(*lab, settings) (*server, error)) ([]*server, error) {
	if set.memory == 0 {
		set.memory = defaultMemory
	}
	var servers []*server
	for _, way := range ways {
		s, err := way(l, set)
		if s != nil {
			l.servers = append(l.servers, s) // to be stopped, even if it started in part
		}
		if err != nil {
			return nil, err
		}
		if err := s.awaitReady(l); err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	return servers, nil
}

// launch starts one process of a server.
func (l *lab) launch(s *server, how spawn) error {
	how.cores, how.dir = l.serverCore, s.dir
	p, err := how.start()
	if err != nil {
		return err
	}
	s.processes = append(s.processes, p)
	if how.name == "varnishd" {
		return s.awaitReady(l) // varnishncsa needs its log
	}
	return nil
}

// dismiss stops all servers and removes what they wrote.
func (l *lab) dismiss() error {
	var errs []error
	for _, s := range slices.Backward(l.servers) {
		errs = append(errs, s.stop(), os.RemoveAll(s.dir))
	}
	l.servers = nil
	return errors.Join(errs...)
}

func (l *lab) close() error {
	err := l.dismiss()
	if l.counter != nil {
		l.counter.Close()
	}
	if l.origin != nil {
		err = errors.Join(err, l.origin.stop())
	}
	if l.dir != "" {
		err = errors.Join(err, os.RemoveAll(l.dir))
	}
	return err
}

// serverDir makes a directory for the files of one server.
func (l *lab) serverDir(name string) (string, error) {
	l.started++
	dir := filepath.Join(l.dir, strconv.Itoa(l.started))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("directory of %s: %w", name, err)
	}
	return dir, nil
}

// generate runs a program on the cores of the load and returns what it printed.
func (l *lab) generate(name string, args []string) (string, error) {
	return spawn{name: name, cores: l.loadCores, dir: l.dir, args: args}.run(l.ctx.Done())
}

// pause waits, unless the run is interrupted.
func (l *lab) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-l.ctx.Done():
		return errors.New("interrupted")
	}
}

// progress tells whoever waits what happens.
func (l *lab) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// freeAddresses returns addresses on loopback that nobody listens on, and that
// nobody is given before this process ends.
func freeAddresses(n int) (found []string, err error) {
	drawn, _, err := ports.Draw(n)
	for _, port := range drawn {
		found = append(found, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return found, err
}

func splitAddress(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err) // it was made by freeAddresses
	}
	return host, port
}

// makeDir makes a directory in memory, so that no disk takes part.
func makeDir() (string, error) {
	parent := "/dev/shm"
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = "" // the system's temporary directory
	}
	dir, err := os.MkdirTemp(parent, "rescind-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}
