// Command rescind is the edge node, the command-line client of one, and a
// demonstration of both. Here are only flags, calls and the printing of
// answers; what they do is in internal/app and client.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(ctx, os.Args[1:], standardStreams())
	stop()
	os.Exit(code)
}

func standardStreams() streams {
	return streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv, terminal: drawable(os.Stdout, os.Getenv("TERM"))}
}

// drawable tells whether a file is a terminal that understands more than lines.
// The null device is a character device too.
func drawable(file *os.File, term string) bool {
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || term == "" || term == "dumb" {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
