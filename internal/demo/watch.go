package demo

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// awayFor is how long a POP that ended stays away: long enough for a purge by
// hand.
const awayFor = 10 * time.Second

// PID is the id of the POP's present process.
func (p *POP) PID() int { return p.process.cmd.Process.Pid }

// Watch starts POPs again that end, and says so, until ctx ends. The error is of
// a POP that cannot be started again.
func (n *Network) Watch(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex // of out
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(out, format+"\n", args...)
	}
	return together(n.POPs, func(_ int, p *POP) error {
		err := p.keep(ctx, say)
		if err != nil {
			cancel() // one that cannot be started ends the demonstration
		}
		return err
	})
}

func (p *POP) keep(ctx context.Context, say func(string, ...any)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.process.ended:
		}
		say("%s has ended; it is started again in %v.", p.Name, awayFor)
		if wait(ctx, awayFor) != nil {
			return nil
		}
		if err := p.launch(); err != nil {
			return err
		}
		if err := p.ready(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		say("%s is back, as process %d.", p.Name, p.PID())
	}
}
