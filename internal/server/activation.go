package server

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ErrNoSocket is wrapped by the error of Sockets.Take where the process was
// started without a socket of that name.
var ErrNoSocket = errors.New("no such socket was passed to this process")

const (
	// firstSocket is the descriptor of the first socket that a service manager
	// passes; 0 to 2 are the standard streams.
	firstSocket = 3
	// maxSockets bounds what the environment can make us take for descriptors:
	// far more than a node has listeners.
	maxSockets = 256
	// unnamedSocket is what systemd calls a socket that has been given no name.
	unnamedSocket = "unknown"
)

// Sockets are the listening sockets that a service manager, such as systemd,
// opened and passed to this process by the environment variables LISTEN_PID,
// LISTEN_FDS and LISTEN_FDNAMES. They allow privileged ports without
// privileges, and no connection is turned away while the process is replaced.
//
// It is for the start of a process: its methods may not be called concurrently.
type Sockets struct {
	named map[string][]net.Listener
}

// InheritSockets takes over the sockets that were passed to this process; that
// may be none. The environment variables are removed, so that neither a child
// nor a second call takes the same descriptors for its own. An error is one of
// the environment, or of a descriptor that is not a stream socket.
func InheritSockets() (*Sockets, error) {
	names, err := passedSockets(os.Getpid(), os.Getenv)
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if err != nil {
		return nil, err
	}
	s := &Sockets{named: map[string][]net.Listener{}}
	for i, name := range names {
		fd := firstSocket + i
		l, err := adopt(fd, name)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("server: socket %q (descriptor %d): %w", name, fd, err)
		}
		s.named[name] = append(s.named[name], l)
	}
	return s, nil
}

// adopt makes a listener of a descriptor. The descriptor itself is closed; the
// listener has a duplicate that children do not inherit.
func adopt(fd int, name string) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), name)
	if f == nil {
		return nil, os.ErrInvalid
	}
	defer f.Close()
	return net.FileListener(f)
}

// passedSockets returns the names of the descriptors from firstSocket on that
// the environment says are for the process with the given id.
func passedSockets(pid int, getenv func(string) string) ([]string, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil // for a process before us, or for nobody
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxSockets {
		return nil, fmt.Errorf("server: LISTEN_FDS is %q, not a number up to %d", getenv("LISTEN_FDS"), maxSockets)
	}
	list := getenv("LISTEN_FDNAMES")
	if list == "" {
		return slices.Repeat([]string{unnamedSocket}, n), nil
	}
	names := strings.Split(list, ":")
	if len(names) != n {
		return nil, fmt.Errorf("server: LISTEN_FDNAMES has %d names for %d sockets", len(names), n)
	}
	return names, nil
}

// Take returns the listeners of a name and gives them to the caller: several
// sockets may have one name, such as those of one systemd unit. The error wraps
// ErrNoSocket where there is none, or none any more.
func (s *Sockets) Take(name string) ([]net.Listener, error) {
	taken := s.named[name]
	if len(taken) == 0 {
		return nil, fmt.Errorf("server: %w: %q (there are: %q)", ErrNoSocket, name, slices.Sorted(maps.Keys(s.named)))
	}
	delete(s.named, name)
	return taken, nil
}

// Close closes the listeners that nobody took and returns their names, each
// once and sorted. A service manager goes on to hold such a socket open, so
// clients that connect to it wait for an answer that does not come.
func (s *Sockets) Close() (unused []string) {
	unused = slices.Sorted(maps.Keys(s.named))
	for _, listeners := range s.named {
		for _, l := range listeners {
			l.Close()
		}
	}
	clear(s.named)
	return unused
}
