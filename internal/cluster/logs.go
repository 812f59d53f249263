package cluster

import (
	"bytes"
	"context"
	"log/slog"
)

// logWriter makes records of memberlist's lines, which begin with a level. They
// are at most warnings: what an operator must do something about, this package
// says itself.
type logWriter struct{ c *Cluster }

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
	_, text, _ := bytes.Cut(line, []byte("memberlist: "))
	if text == nil {
		text = line
	}
	w.c.log.Log(context.Background(), level, "membership", "detail", string(text))
	return n, nil
}
