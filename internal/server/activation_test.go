package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The test binary runs itself once more as a process that was started with
// sockets; this variable tells it so.
const (
	roleVariable = "RESCIND_SERVER_TEST_ROLE"
	heirRole     = "heir"
)

// beHeir serves on the sockets named "web" until standard input ends, and
// prints what it found.
func beHeir() (status int) {
	s, err := InheritSockets()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	web, err := s.Take("web")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cfg := Config{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "served by the heir on a %s socket", r.Context().Value(http.LocalAddrContextKey).(net.Addr).Network())
	})}
	for _, l := range web {
		cfg.HTTPListeners = append(cfg.HTTPListeners, Listener{Listener: l})
	}
	srv, err := New(cfg)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	again, err := InheritSockets()
	fmt.Println(len(web), s.Close(), len(again.named), err, os.Getenv("LISTEN_FDS"))
	io.Copy(io.Discard, os.Stdin)
	srv.Close()
	return 0
}

func descriptor(t *testing.T, l net.Listener, err error) *os.File {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	l.Close() // the descriptor goes on listening
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// heir starts this binary as a service manager would: the shell's process id
// is that of the binary it becomes.
func heir(t *testing.T, names string, sockets ...*os.File) (run func(during func(said string))) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+heirRole, "LISTEN_FDNAMES="+names, fmt.Sprint("LISTEN_FDS=", len(sockets)))
	cmd.ExtraFiles = sockets
	return func(during func(string)) {
		in, _ := cmd.StdinPipe()
		stdout, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Wait()
		defer in.Close()
		first := make([]byte, 200)
		n, _ := stdout.Read(first)
		during(string(first[:n]))
	}
}

func TestSocketsAreInherited(t *testing.T) {
	path := t.TempDir() + "/web.sock"
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	at := tcp.Addr().String()
	web := descriptor(t, tcp, err)
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	unix.SetUnlinkOnClose(false)
	webToo := descriptor(t, unix, err)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	unused := descriptor(t, other, err)

	run := heir(t, "web:other:web", web, unused, webToo)
	run(func(first string) {
		if first != "2 [other] 0 <nil> \n" {
			t.Fatalf("the heir says %q", first)
		}
		for network, address := range map[string]string{"tcp": at, "unix": path} {
			c, err := net.Dial(network, address)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
			got, _ := io.ReadAll(c)
			c.Close()
			if !strings.HasSuffix(string(got), "served by the heir on a "+network+" socket") {
				t.Errorf("%s: %q", network, got)
			}
		}
	})
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the heir removed the socket of the service manager: %v", err)
	}
}

func TestWhatIsNoSocketIsAnError(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run := heir(t, "web", file)
	run(func(first string) {
		if !strings.Contains(first, `socket "web" (descriptor 3)`) {
			t.Errorf("the heir says %q", first)
		}
	})
}

func TestEnvironmentOfSockets(t *testing.T) {
	for _, tc := range []struct {
		pid, fds, names string
		want            []string
		fails           bool
	}{
		{"", "", "", nil, false},
		{"7", "2", "", nil, false}, // another process's
		{"42", "0", "", []string{}, false},
		{"42", "2", "web:admin", []string{"web", "admin"}, false},
		{"42", "2", "", []string{"unknown", "unknown"}, false},
		{"42", "2", "web:", []string{"web", ""}, false},
		{"42", "2", "web", nil, true},
		{"42", "1", "web:admin", nil, true},
		{"42", "", "web", nil, true},
		{"42", "x", "", nil, true},
		{"42", "-1", "", nil, true},
		{"42", "257", "", nil, true},
		{"42", "99999999999999999999", "", nil, true},
	} {
		env := map[string]string{"LISTEN_PID": tc.pid, "LISTEN_FDS": tc.fds, "LISTEN_FDNAMES": tc.names}
		got, err := passedSockets(42, func(name string) string { return env[name] })
		if !slices.Equal(got, tc.want) || (err != nil) != tc.fails {
			t.Errorf("%v: %q, %v", env, got, err)
		}
	}
}

func TestSocketsAreTakenOnce(t *testing.T) {
	left := newPipes()
	s := &Sockets{named: map[string][]net.Listener{"web": {newPipes()}, "other": {left}}}
	if l, err := s.Take("web"); len(l) != 1 || err != nil {
		t.Errorf("%v %v", l, err)
	}
	for _, name := range []string{"web", "none"} {
		if _, err := s.Take(name); !errors.Is(err, ErrNoSocket) || !strings.Contains(err.Error(), "other") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if unused := s.Close(); !slices.Equal(unused, []string{"other"}) {
		t.Errorf("%q", unused)
	}
	if _, err := left.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the unused listener is open: %v", err)
	}
}
