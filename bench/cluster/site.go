package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/ports"
)

// site is a cluster of processes on loopback, with an origin.
type site struct {
	dir     string
	origin  *http.Server
	nodes   []*node
	release func() // gives the nodes' ports back
}

// node is one process.
type node struct {
	cmd         *exec.Cmd
	http, admin string // addresses
	ended       chan struct{}
}

const configText = `node: {name: n%02d, pop: p%d, data_dir: %s}
listen: {http: "%s", admin: "%s"}
cluster: {bind: "127.0.0.1:%d", join: ["127.0.0.1:%d"], secret: "%s"}
storage: {memory: 32MiB}
log: {level: warn}
services:
  - id: bench
    domains: ["*"]
    origins: [{url: "http://%s"}]
    purge: {limits: off}
`

const (
	secret = "only for measurements on one machine"
	// pops is in how many POPs the nodes are.
	pops = 4
	// readyTimeout is how long nodes may take to find each other.
	readyTimeout = 2 * time.Minute
	stopTimeout  = 20 * time.Second
)

// startSite starts nodes and waits until all know of each other.
func startSite(ctx context.Context, binary string, nodes int) (s *site, err error) {
	s = &site{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	where := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		where = "/dev/shm" // the disk is not what is measured
	}
	if s.dir, err = os.MkdirTemp(where, "rescind-cluster-"); err != nil {
		return s, err
	}
	at, err := s.startOrigin()
	if err != nil {
		return s, err
	}
	drawn, release, err := ports.Draw(3 * nodes)
	if err != nil {
		return s, err
	}
	s.release = release
	for i := range nodes {
		if err := s.startNode(binary, i, drawn[3*i:], drawn[2], at); err != nil {
			return s, err
		}
	}
	return s, s.waitReady(ctx)
}

// startOrigin serves one page that may be stored.
func (s *site) startOrigin() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	body := make([]byte, 1024)
	s.origin = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=86400")
		_, _ = w.Write(body) // who has gone needs none
	})}
	go func() { _ = s.origin.Serve(l) }() // ends with Close, and says so
	return l.Addr().String(), nil
}

// startNode starts a node on three ports.
func (s *site) startNode(binary string, i int, drawn []int, join int, origin string) error {
	dir := filepath.Join(s.dir, fmt.Sprintf("n%02d", i))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	n := &node{http: fmt.Sprintf("127.0.0.1:%d", drawn[0]), admin: fmt.Sprintf("127.0.0.1:%d", drawn[1]), ended: make(chan struct{})}
	text := fmt.Sprintf(configText, i, i%pops, filepath.Join(dir, "data"), n.http, n.admin, drawn[2], join, secret, origin)
	file := filepath.Join(dir, "rescind.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return err
	}
	defer out.Close()
	n.cmd = exec.Command(binary, "serve", "--config", file)
	n.cmd.Stdout, n.cmd.Stderr = out, out
	if err := n.cmd.Start(); err != nil {
		return err
	}
	s.nodes = append(s.nodes, n)
	go func() {
		_ = n.cmd.Wait() // how it ended is in its output
		close(n.ended)
	}()
	return nil
}

// waitReady waits until a purge at each node has arrived at all: the members that
// a node has when a purge is made are those that it waits for.
func (s *site) waitReady(ctx context.Context) error {
	for end := time.Now().Add(readyTimeout); ; {
		if err := s.tryReady(); err == nil {
			return nil
		} else if time.Now().After(end) {
			return fmt.Errorf("the nodes did not find each other: %w", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *site) tryReady() error {
	for i, n := range s.nodes {
		select {
		case <-n.ended:
			text, _ := os.ReadFile(filepath.Join(s.dir, fmt.Sprintf("n%02d", i), "output"))
			return fmt.Errorf("node %d has ended:\n%s", i, text)
		default:
		}
		a, err := http.Get("http://" + n.admin + "/readyz")
		if err != nil {
			return err
		}
		a.Body.Close()
		if a.StatusCode != http.StatusOK {
			return fmt.Errorf("node %d is not ready: %s", i, a.Status)
		}
	}
	return nil
}

// applied returns how many purges a node has applied.
func (n *node) applied() (uint64, error) {
	a, err := http.Get("http://" + n.admin + api.PathStatus)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	var status api.Status
	if err := json.NewDecoder(io.LimitReader(a.Body, 1<<20)).Decode(&status); err != nil {
		return 0, fmt.Errorf("%s of %s: %w", api.PathStatus, n.admin, err)
	}
	return status.Purges.Applied, nil
}

// stop ends all that was started and removes what it wrote.
func (s *site) stop() error {
	var errs []error
	for _, n := range s.nodes {
		_ = n.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	for _, n := range s.nodes {
		select {
		case <-n.ended:
		case <-time.After(stopTimeout):
			_ = n.cmd.Process.Kill()
			<-n.ended
			errs = append(errs, fmt.Errorf("%s did not stop within %v and was killed", n.admin, stopTimeout))
		}
	}
	if s.origin != nil {
		errs = append(errs, s.origin.Close())
	}
	if s.release != nil {
		s.release()
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
