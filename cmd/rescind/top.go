package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func topCommand(s streams) *cobra.Command {
	c := connection{s: s}
	limit, once, every := 0, false, 2*time.Second
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show what the node is busy with",
		Long: `Show what the node is busy with: hit ratio, requests to origins, purges, and the
hottest URLs and surrogate keys. On a terminal it refreshes until it is
interrupted; elsewhere, and with --once or --json, it shows it once.`,
		Example: `  rescind top
  rescind top --limit 30 --every 5s
  rescind top --json | jq -r '.urls[].name'`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case limit < 0 || limit > api.MaxTop:
				return usagef("--limit takes 1 to %d", api.MaxTop)
			case every < minRefresh:
				return usagef("--every takes at least %s", minRefresh)
			}
			if !s.terminal || once || c.json {
				return show(&c, func(node *client.Client) (*api.Top, error) { return node.Top(cmd.Context(), limit) }, printTop)
			}
			return c.call(func(node *client.Client) error {
				return watchTop(cmd.Context(), s.out, every, func() (*api.Top, error) { return node.Top(cmd.Context(), limit) })
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&limit, "limit", 0, fmt.Sprintf("show at most `N` URLs and keys (default %d)", api.DefaultTop))
	flags.BoolVar(&once, "once", false, "show it once and exit")
	flags.DurationVar(&every, "every", every, "time between two refreshes")
	c.addTo(cmd)
	return cmd
}

// minRefresh keeps a watcher from being the node's best client.
const minRefresh = 100 * time.Millisecond

// What terminals understand (ECMA-48; the alternate screen is xterm's).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the alternate screen, without a cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// watchTop shows what get returns again and again, until ctx ends. An error of
// the first get is returned; later ones are shown, since a node that restarts
// comes back.
func watchTop(ctx context.Context, out io.Writer, every time.Duration, get func() (*api.Top, error)) error {
	top, err := get()
	if err != nil {
		return err
	}
	fmt.Fprint(out, enterScreen)
	defer fmt.Fprint(out, leaveScreen)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		if err := drawTop(out, top, err); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		if next, failed := get(); failed == nil {
			top, err = next, nil
		} else if err = failed; ctx.Err() != nil {
			return nil
		}
	}
}

// drawTop writes a whole screen at once, over the one before, so that it does
// not flicker.
func drawTop(out io.Writer, top *api.Top, problem error) error {
	var text bytes.Buffer
	if problem != nil {
		fmt.Fprintf(&text, "No news: %s\n\n", printable(problem.Error()))
	}
	if err := printTop(&text, top); err != nil {
		return err
	}
	lines := bytes.ReplaceAll(text.Bytes(), []byte("\n"), []byte(clearLine+"\n"))
	_, err := fmt.Fprintf(out, "%s%s%s", home, lines, clearBelow)
	return err
}

func printTop(out io.Writer, top *api.Top) error {
	r := top.Rates
	fmt.Fprintf(out, "node %s at %s; averages of the last %s, URLs and keys of the last minute\n", top.Node, top.Time.Local().Format(time.TimeOnly), time.Duration(top.Window).Round(time.Second))
	fmt.Fprintf(out, "%.1f requests/s, %s/s to clients, hit ratio %.1f%%, %.1f origin requests/s, %.2f purges/s\n",
		r.Requests, bytesText(int64(r.Bytes)), 100*r.HitRatio(), r.OriginRequests, r.Purges)
	fmt.Fprintf(out, "by outcome: %.1f hits, %.1f stale, %.1f misses, %.1f passes, %.1f errors a second\n", r.Hits, r.Stale, r.Misses, r.Passes, r.Errors)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	printHot(w, "URL", top.URLs)
	printHot(w, "KEY", top.Keys)
	return w.Flush()
}

func printHot(w io.Writer, what string, list []api.Hot) {
	fmt.Fprintf(w, "\nREQUESTS/S\tSERVICE\t%s\n", what)
	for _, hot := range list {
		fmt.Fprintf(w, "%.1f\t%s\t%s\n", hot.Rate, hot.Service, printable(hot.Name))
	}
}
