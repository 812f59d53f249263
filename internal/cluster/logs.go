package cluster

import (
	"bytes"
	"context"
	"log/slog"

	"golang.org/x/time/rate"
)

// Bounds of memberlist's lines in the log: it writes some for each packet that
// anybody sends. What is left out is counted.
const (
	memberLines      = 2 // a second
	memberLinesBurst = 20
)

// logWriter makes records of memberlist's lines, which begin with a level. They
// are at most warnings: what an operator must do something about, this package
// says itself.
type logWriter struct {
	c     *Cluster
	lines *rate.Limiter
}

func newLogWriter(c *Cluster) logWriter {
	return logWriter{c, rate.NewLimiter(memberLines, memberLinesBurst)}
}

// Write takes one line.
func (w logWriter) Write(line []byte) (int, error) {
	n := len(line)
	line = bytes.TrimSpace(line)
	level := slog.LevelDebug
	if bytes.HasPrefix(line, []byte("[ERR]")) || bytes.HasPrefix(line, []byte("[WARN]")) {
		level = slog.LevelInfo
	}
	if bytes.Contains(line, []byte("ecrypt")) && level == slog.LevelInfo {
		// The only way in which memberlist tells that somebody has another key.
		w.c.stats.memberSeals.Add(1)
		level = slog.LevelWarn
	}
	if level > slog.LevelDebug && !w.lines.Allow() {
		w.c.stats.linesLeft.Add(1)
		return n, nil
	}
	_, text, _ := bytes.Cut(line, []byte("memberlist: "))
	if text == nil {
		text = line
	}
	message := "membership"
	if level == slog.LevelWarn {
		message = "somebody uses another cluster.secret"
	}
	attrs := []slog.Attr{slog.String("detail", string(text))}
	if left := w.c.stats.linesLeft.Swap(0); left > 0 {
		attrs = append(attrs, slog.Uint64("left_out", left))
	}
	w.c.log.LogAttrs(context.Background(), level, message, attrs...)
	return n, nil
}
