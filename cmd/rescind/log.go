package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func logCommand(s streams) *cobra.Command {
	c := connection{s: s}
	var filter string
	var most int
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show requests as they end",
		Long: `Show requests as they end, until it is interrupted. A filter is made of
terms with spaces between, all of which hold for the requests shown: a field,
one of = != ~ !~ < <= > >= and a value, or several with commas between. ~ takes
a pattern, in which * stands for anything. Fields are the members of the access
log in JSON, path, query, and request.NAME or response.NAME for a header field.
Lines that come faster than they can be shown are counted instead.

With --json, each line is the JSON object that the access log would have.`,
		Example: `  rescind log
  rescind log --filter 'status>=500 service=shop'
  rescind log --filter 'outcome=miss,pass path~/news/* duration>250ms' --json | jq -r .target
  rescind log --count 100 --json`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 0 {
				return usagef("--count cannot be negative")
			}
			return c.call(func(node *client.Client) error { return tail(cmd, &c, node, filter, most) })
		},
	}
	cmd.Flags().StringVar(&filter, "filter", "", "`EXPRESSION` that a request must satisfy to be shown (default all)")
	cmd.Flags().IntVar(&most, "count", 0, "stop after `N` lines (default never)")
	c.addTo(cmd)
	return cmd
}

// errLogEnded is returned when the node ends a log that was to go on.
var errLogEnded = errors.New("the node ended the log; it may be stopping")

func tail(cmd *cobra.Command, c *connection, node *client.Client, filter string, most int) error {
	seen := 0
	for line, err := range node.Tail(cmd.Context(), filter) {
		if cmd.Context().Err() != nil {
			return nil // interrupted, as it was meant to be
		}
		if err != nil {
			return err
		}
		if err := printLine(c, line); err != nil {
			return err
		}
		if seen++; seen == most {
			return nil
		}
	}
	if cmd.Context().Err() != nil {
		return nil
	}
	return errLogEnded
}

// logLine is what is shown of a line.
type logLine struct {
	Event   string    `json:"event"`
	Time    time.Time `json:"time"`
	Status  int       `json:"status"`
	Outcome string    `json:"outcome"`
	Reason  string    `json:"reason"`
	Method  string    `json:"method"`
	Scheme  string    `json:"scheme"`
	Host    string    `json:"host"`
	Target  string    `json:"target"`
	Bytes   int64     `json:"bytes"`
	Micros  int64     `json:"duration_us"`
	Client  string    `json:"client"`
	Cut     bool      `json:"cut"`
	api.Missed
}

func printLine(c *connection, line json.RawMessage) error {
	if c.json {
		_, err := fmt.Fprintf(c.s.out, "%s\n", line)
		return err
	}
	var l logLine
	if json.Unmarshal(line, &l) != nil || l.Missed.Missed == 0 && l.Time.IsZero() {
		_, err := fmt.Fprintln(c.s.out, printable(string(line))) // of a newer node
		return err
	}
	return printRequest(c.s.out, l)
}

func printRequest(out io.Writer, l logLine) error {
	if l.Missed.Missed > 0 {
		_, err := fmt.Fprintf(out, "… %s came too fast …\n", count(l.Missed.Missed, "line"))
		return err
	}
	outcome := l.Outcome
	if l.Reason != "" {
		outcome += "/" + l.Reason
	}
	if l.Cut {
		outcome += ", cut"
	}
	took := (time.Duration(l.Micros) * time.Microsecond).Round(100 * time.Microsecond)
	_, err := fmt.Fprintf(out, "%s %d %-5s %8s %8s %s %s %s\n", l.Time.Local().Format("15:04:05.000"), l.Status, printable(outcome),
		took, bytesText(l.Bytes), printable(l.Client), printable(l.Method), printable(l.address()))
	return err
}

// address returns the URL as far as it is known.
func (l logLine) address() string {
	if l.Scheme == "" || l.Host == "" {
		return l.Host + l.Target
	}
	return l.Scheme + "://" + l.Host + l.Target
}
