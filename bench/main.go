package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// SIGTERM also comes from the kernel, to a helper whose parent is gone.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if len(args) == 2 {
		switch args[0] {
		case "origin":
			return serveOrigin(ctx, args[1])
		case "plain":
			return servePlain(ctx, args[1])
		}
	}
	p, err := parsePlan(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	return measure(ctx, p)
}

// measure carries a plan out and reports what came of it.
func measure(ctx context.Context, p plan) (err error) {
	l, err := newLab(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, c := range chapters {
		if !p.wants(c.name) {
			continue
		}
		l.progress("chapter %s", c.name)
		if err := c.measure(l); err != nil {
			return fmt.Errorf("chapter %s: %w", c.name, err)
		}
	}
	return l.report.publish(p)
}
