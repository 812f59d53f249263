//go:build e2e

package test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// The tests of clusters run in a lab: a copy of the test process in a network
// namespace and a mount namespace of its own, with a namespace for each node.
// The kernel removes all of it with the last process in it, however the tests
// end, and nothing in it is seen, or meets a name or an address, outside.

// Variables of the environment that tell a copy what it is.
const (
	envLab    = "RESCIND_E2E_LAB"    // name of the test it runs
	envBinary = "RESCIND_E2E_BINARY" // of the program under test
)

// Addresses of the lab. Clients and origins are at the front; members talk to
// each other on the back, which is what gets cut. The lab's own end is .1.
const (
	frontNet = "10.77.1."
	backNet  = "10.77.2."
)

const notPermitted = "network namespaces are not permitted here: run the tests as root to test clusters"

// inLab runs a test in a lab. Outside of one it starts the copy that does, and
// skips the test where that is not permitted.
func inLab(t *testing.T, test func(*testing.T, *lab)) {
	t.Helper()
	if os.Getenv(envLab) == t.Name() {
		test(t, newLab(t))
		return
	}
	t.Parallel()
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.count=1", "-test.timeout=10m", "-test.v")
	cmd.Env = append(os.Environ(), envLab+"="+t.Name(), envBinary+"="+binary)
	cmd.Stdout, cmd.Stderr = &out, &out
	// With Unshareflags, unlike Cloneflags, mounts are made private: what the copy
	// mounts is not seen outside.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	switch {
	case errors.Is(err, syscall.EPERM), strings.Contains(out.String(), notPermitted):
		leaveOut(t)
	case err != nil:
		t.Fatalf("%v\n%s", err, out.String())
	case !strings.Contains(out.String(), "--- PASS: "+t.Name()):
		t.Fatalf("the copy did not run the test:\n%s", out.String())
	}
	t.Log(strings.TrimSpace(out.String()))
}

// leaveOut skips a test that needs namespaces, unless RESCIND_LAB says that there
// are some.
func leaveOut(t *testing.T) {
	if os.Getenv("RESCIND_LAB") == "required" {
		t.Fatal(notPermitted)
	}
	t.Skip(notPermitted)
}

// lab is the network inside: two bridges, and a namespace for each node.
type lab struct {
	t     *testing.T
	hosts int
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t}
	// The names of namespaces are files here; these are this lab's alone.
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		t.Fatal(err)
	}
	switch err := syscall.Mount("lab", "/run/netns", "tmpfs", 0, ""); {
	case errors.Is(err, fs.ErrPermission):
		t.Skip(notPermitted) // inside the copy: who started it decides
	case err != nil:
		t.Fatalf("mount a folder for the names of namespaces: %v", err)
	}
	l.ip("link set lo up")
	for bridge, net := range map[string]string{"front": frontNet, "back": backNet} {
		l.ip("link add %s type bridge", bridge)
		l.ip("addr add %s1/24 dev %s", net, bridge)
		l.ip("link set %s up", bridge)
	}
	return l
}

// ip runs the command of that name.
func (l *lab) ip(format string, args ...any) {
	l.t.Helper()
	line := strings.Fields(fmt.Sprintf(format, args...))
	if out, err := exec.Command("ip", line...).CombinedOutput(); err != nil {
		l.t.Fatalf("ip %s: %v: %s", strings.Join(line, " "), err, out)
	}
}

// machine is a machine of the lab.
type machine struct {
	lab  *lab
	name string // of its namespace
	last int    // byte of its addresses
}

// nextHost is what the last byte of the next machine's addresses will be.
func (l *lab) nextHost() int { return 11 + l.hosts }

// newHost adds a machine with an address on both networks.
func (l *lab) newHost() *machine {
	l.t.Helper()
	l.hosts++
	h := &machine{lab: l, name: fmt.Sprint("h", l.hosts), last: 10 + l.hosts}
	l.ip("netns add %s", h.name)
	l.ip("-n %s link set lo up", h.name)
	for bridge, net := range map[string]string{"front": frontNet, "back": backNet} {
		l.ip("link add %s type veth peer name %s netns %s", h.port(bridge), bridge, h.name)
		l.ip("link set %s master %s up", h.port(bridge), bridge)
		l.ip("-n %s addr add %s%d/24 dev %s", h.name, net, h.last, bridge)
		l.ip("-n %s link set %s up", h.name, bridge)
	}
	return h
}

// port is the other end of a machine's cable, at a bridge.
func (h *machine) port(bridge string) string { return h.name + "-" + bridge }

func (h *machine) front() string { return fmt.Sprint(frontNet, h.last) }
func (h *machine) back() string  { return fmt.Sprint(backNet, h.last) }

// cut parts a machine from the others: what it sends and what is sent to it is
// lost, and no error says so. Clients and origins still reach it.
func (h *machine) cut() { h.lab.ip("link set %s nomaster", h.port("back")) }

// heal ends a cut.
func (h *machine) heal() { h.lab.ip("link set %s master back", h.port("back")) }

// command returns a command that runs on the machine.
func (h *machine) command(args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", h.name}, args...)...)
}
