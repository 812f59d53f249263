package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rescind-edge/rescind/bench/page"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/cluster:", err)
		os.Exit(1)
	}
}

// plan is what is measured.
type plan struct {
	binary  string
	output  string
	nodes   int
	seconds time.Duration
	rate    int // purges a second
}

func run() error {
	var p plan
	flag.StringVar(&p.binary, "rescind", "bin/rescind", "the `binary` to measure")
	flag.StringVar(&p.output, "o", "", "also write the tables into a `file`, between its marks")
	flag.IntVar(&p.nodes, "nodes", 16, "processes")
	flag.DurationVar(&p.seconds, "duration", 10*time.Second, "each measurement")
	flag.IntVar(&p.rate, "rate", 5000, "purges a second, at the most")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	text, err := measure(ctx, p)
	if err != nil {
		return err
	}
	fmt.Print(text)
	if p.output == "" {
		return nil
	}
	return page.Write(p.output, "bench-cluster", text)
}

// measure carries the plan out with all nodes, then with two, which tells what
// each further member costs the node that accepts.
func measure(ctx context.Context, p plan) (text string, err error) {
	whole, err := measureNodes(ctx, p, p.nodes, true)
	if err != nil {
		return "", err
	}
	pair, err := measureNodes(ctx, p, 2, false)
	if err != nil {
		return "", err
	}
	return report(p, whole, pair), nil
}

func measureNodes(ctx context.Context, p plan, nodes int, hits bool) (r results, err error) {
	s, err := startSite(ctx, p.binary, nodes)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r.nodes = nodes
	if r.idle, err = s.phase(ctx, p.seconds, load{}); err != nil {
		return r, err
	}
	if r.few, err = s.phase(ctx, p.seconds, load{rate: p.rate / 50, accepting: 1}); err != nil {
		return r, err
	}
	if r.one, err = s.phase(ctx, p.seconds, load{rate: p.rate / 5, accepting: 1}); err != nil {
		return r, err
	}
	if r.burst, err = s.phase(ctx, p.seconds, load{rate: p.rate, accepting: 1}); err != nil {
		return r, err
	}
	if r.all, err = s.phase(ctx, p.seconds, load{rate: p.rate, accepting: nodes}); err != nil || !hits {
		return r, err
	}
	if r.hits, err = s.phase(ctx, p.seconds, load{hits: true}); err != nil {
		return r, err
	}
	r.both, err = s.phase(ctx, p.seconds, load{rate: p.rate, accepting: nodes, hits: true})
	return r, err
}
