package sink

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// local writes whole batches to something of this machine.
type local struct {
	w    io.Writer
	torn bool // what was written last ended inside a line
}

// write writes a batch once: a full disk or a closed pipe will not be better in
// a moment, and lines that come later may find room again. A line that could
// only be written in part is lost, and is ended before the next, so that only
// one line is damaged.
func (l *local) write(ctx context.Context, b *batch) (int, error) {
	defer interruptible(ctx, l.w)()
	if l.torn {
		if _, err := l.w.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		l.torn = false
	}
	n, err := l.w.Write(b.data)
	delivered := b.within(n)
	l.torn = n > b.start(delivered)
	return delivered, err
}

// interruptible ends a write to w when ctx ends, where the system allows it: it
// does for sockets and most pipes. It returns the function that undoes this.
func interruptible(ctx context.Context, w io.Writer) (undo func() bool) {
	d, ok := w.(interface{ SetWriteDeadline(time.Time) error })
	if !ok {
		return func() bool { return false }
	}
	return context.AfterFunc(ctx, func() { d.SetWriteDeadline(time.Unix(1, 0)) })
}

// stdout is standard output.
type stdout struct {
	local
	own *os.File // nil where somebody else's writer is used
}

func newStdout(w io.Writer) (*stdout, error) {
	if w != nil {
		return &stdout{local: local{w: w}}, nil
	}
	f, err := dupStdout()
	if err != nil {
		return nil, err
	}
	return &stdout{local: local{w: f}, own: f}, nil
}

func (s *stdout) reopen() error { return nil }

func (s *stdout) close() error {
	if s.own == nil {
		return nil
	}
	return s.own.Close()
}

// fileMode lets the group read: whoever ships logs is put there.
const fileMode = 0o640

// file appends to a file.
type file struct {
	local
	path string
	f    *os.File
}

func newFile(path string) (*file, error) {
	f := &file{path: path}
	return f, f.reopen()
}

// reopen opens the path again, and keeps the open file where that fails.
func (f *file) reopen() error {
	// Opening a pipe waits until somebody reads it.
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() && info.Mode().Type()&os.ModeCharDevice == 0 {
		return fmt.Errorf("%s is not a regular file", f.path)
	}
	opened, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	old := f.f
	f.f, f.local = opened, local{w: opened}
	if old != nil {
		return old.Close()
	}
	return nil
}

func (f *file) close() error { return f.f.Close() }
