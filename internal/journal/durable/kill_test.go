package durable

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/rescind-edge/rescind/internal/journal/vfs"
)

// killVariable names the directory to the process that TestKill kills.
const killVariable = "RESCIND_TEST_JOURNAL"

// TestKill kills a process with commits under way, again and again, and finds
// after each start all that it had said was on disk.
func TestKill(t *testing.T) {
	if dir := os.Getenv(killVariable); dir != "" {
		appendForEver(dir)
	}
	dir := t.TempDir()
	said := map[string]bool{}
	for range 4 {
		child := exec.Command(os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), killVariable+"="+dir)
		out, err := child.StdoutPipe()
		if err == nil {
			err = child.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 300 {
				held(t, dir)
				_ = child.Process.Kill()
			}
			said[lines.Text()] = true
		}
		_ = child.Wait()
		d, err := vfs.OS(dir)
		if err != nil {
			t.Fatal(err)
		}
		n := open(t, Config{FS: d})
		have := strings.Join(n.bodies(), "\n") + "\n"
		for body := range said {
			if !strings.Contains(have, body+"\n") {
				t.Fatalf("%s is lost", body)
			}
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) < 1000 {
		t.Errorf("only %d entries", len(said))
	}
}

// held tells that the running process keeps others out, and who it is.
func held(t *testing.T, dir string) {
	t.Helper()
	d, err := vfs.OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(Config{FS: d})
	var locked *vfs.LockedError
	if !errors.As(err, &locked) || locked.Owner != "the child" {
		t.Errorf("%v", err)
	}
}

func appendForEver(dir string) {
	d, err := vfs.OS(dir)
	if err != nil {
		panic(err)
	}
	j, err := Open(Config{FS: d, Owner: "the child"})
	if err != nil {
		panic(err)
	}
	j.Start(func([]Step) {})
	var mu sync.Mutex
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("%d of writer %d of process %d", i, w, os.Getpid())
				_, ticket, err := j.Append(draft(body))
				if err == nil {
					err = ticket.Wait(context.Background())
				}
				if err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(body)
				mu.Unlock()
			}
		}()
	}
	select {}
}
