//go:build unix

package sink

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestFileIsAppendedToAndPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "access.log")
	for _, line := range []string{"one", "two"} {
		s := openOn(t, Config{To: parse(t, "file:"+path)})
		s.Put([]byte(line))
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "one\ntwo\n" {
		t.Errorf("got %q, %v", content, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != fileMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestReopenFollowsARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "access.log")
		s := openOn(t, Config{To: parse(t, "file:"+path)})
		put := func(line string) {
			s.Put([]byte(line))
			time.Sleep(lingerLocal)
			synctest.Wait()
		}
		put("before")
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		put("meanwhile")
		s.Reopen()
		synctest.Wait()
		put("after")
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
		expect(t, path+".1", "before\nmeanwhile\n")
		expect(t, path, "after\n")
	})
}

func TestFailedReopenKeepsTheOldFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := journal()
		path := filepath.Join(t.TempDir(), "access.log")
		s := openOn(t, Config{To: parse(t, "file:"+path), Log: log})
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		s.Reopen()
		synctest.Wait()
		s.Put([]byte("x"))
		if err := closeIn(t, s, time.Minute); err != nil {
			t.Fatal(err)
		}
		expect(t, path+".1", "x\n")
		if list := records(t, said); len(list) != 1 || list[0].Msg != "log sink failing" || !strings.HasSuffix(list[0].Error, "is not a regular file") {
			t.Errorf("reported %s", said)
		}
	})
}

func expect(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, want)
	}
}

// A named pipe without a reader would block the opening for ever.
func TestNamedPipesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{To: parse(t, "file:"+path)}); err == nil {
		t.Error("a pipe was opened")
	}
}

// Where the system can interrupt a write, Close needs no reader.
func TestCloseInterruptsAStalledPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	s := openOn(t, Config{Stdout: w})
	line := []byte(strings.Repeat("x", 64<<10))
	for range 20 { // far more than a pipe holds
		s.Put(line)
	}
	err = closeIn(t, s, 50*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "not delivered") {
		t.Errorf("got %v", err)
	}
}

// A write to standard output whose reader has gone would end the process.
func TestProcessOutlivesTheReaderOfItsOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var said strings.Builder
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	child.Stdout, child.Stderr = w, &said
	if err := child.Run(); err != nil {
		t.Errorf("ended with %v", err)
	}
	if got, want := said.String(), "sink stdout: lines not delivered: 1"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}
