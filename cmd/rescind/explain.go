package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func explainCommand(s streams) *cobra.Command {
	c := connection{s: s}
	var header []string
	cmd := &cobra.Command{
		Use:   "explain URL",
		Short: "Say what a request for a URL would get now, and why",
		Long: `Say what the node would do with a request for a URL now, and why: what is stored
of it, until when it is of which use, which purge last concerned it, and why the
last request missed. It asks no origin and changes nothing.

Where a response varies by fields of the request, give them with --header.`,
		Example: `  rescind explain https://www.example.com/product/42
  rescind explain www.example.com/ --header 'Accept-Language: de' --header 'Cookie: a=b'
  rescind explain www.example.com/ --json | jq .outcome`,
		Args: arguments("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, line := range header {
				if name, _, ok := strings.Cut(line, ":"); !ok || strings.TrimSpace(name) == "" {
					return usagef("--header %q is not a name, a colon and a value", line)
				}
			}
			explain := func(node *client.Client) (*api.Explanation, error) {
				return node.Explain(cmd.Context(), args[0], header...)
			}
			return show(&c, explain, printExplanation)
		},
	}
	cmd.Flags().StringArrayVarP(&header, "header", "H", nil, "a field of the request: `NAME:VALUE` (repeatable)")
	c.addTo(cmd)
	return cmd
}

func printExplanation(out io.Writer, e *api.Explanation) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "url\t%s\n", printable(e.URL))
	outcome := outcomeMeaning(e.Outcome)
	if e.Reason != "" {
		outcome += " (" + e.Reason + ")"
	}
	fmt.Fprintf(w, "a request\t%s\n", outcome)
	if e.Service != "" {
		fmt.Fprintf(w, "service\t%s, on node %s\n", e.Service, e.Node)
		fmt.Fprintf(w, "looked up as\t%s (query: %s)\n", printable(e.Normal), e.QueryRule)
	}
	if p := e.LastPurge; p != nil {
		fmt.Fprintf(w, "last purge\t%s\n", hitText(p))
	}
	if m := e.LastMiss; m != nil {
		why := m.Reason
		if why == "miss" {
			why = "nothing was stored"
		}
		fmt.Fprintf(w, "last miss\t%s, because %s", m.Time.Local().Format(time.DateTime), why)
		if m.Purge != "" {
			fmt.Fprintf(w, " by %s", m.Purge)
		}
		fmt.Fprintln(w)
	}
	for i, v := range e.Variants {
		printVariant(w, i+1, v, e.Time)
	}
	if len(e.Variants) == 0 {
		fmt.Fprintln(w, "stored\tnothing")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printHints(out, e.Hints)
}

// outcomeMeaning says for people what a request would get.
func outcomeMeaning(o api.ExplainOutcome) string {
	switch o {
	case api.WouldHit:
		return "hit: it would be answered from the store, fresh"
	case api.WouldStale:
		return "stale: it would be answered from the store, and refreshed behind the client's back"
	case api.WouldRevalidate:
		return "revalidate: the origin would be asked whether what is stored is still good"
	case api.WouldMiss:
		return "miss: it would be fetched from the origin"
	case api.WouldPass:
		return "pass: it would be fetched, as every time"
	case api.WouldRefuse:
		return "refuse: the node itself would answer with an error"
	}
	return string(o)
}

func printVariant(w io.Writer, number int, v api.Variant, now time.Time) {
	title := fmt.Sprintf("variant %d", number)
	if v.Matches {
		title += " *" // the one that answers
	}
	fmt.Fprintf(w, "%s\t%s", title, v.State)
	if v.Reason != "" {
		fmt.Fprintf(w, " (%s)", v.Reason)
	}
	fmt.Fprintf(w, "; status %d, %s, age %s, %s\n", v.Status, bytesText(v.Size), time.Duration(v.Age).Round(time.Second), count(v.Hits, "hit"))
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %s\t%s\n", name, text)
		}
	}
	row("asked as", printable(v.URL))
	row("varies by", printable(cmp.Or(v.Variant, v.Vary))) // the first has the names, too
	row("keys", printable(strings.Join(v.Keys, " ")))
	if v.KeysIgnored > 0 {
		row("keys ignored", count(v.KeysIgnored, "key"))
	}
	row("validators", printable(strings.TrimSpace(v.ETag+" "+v.Modified)))
	row("fresh until", untilText(v.FreshUntil, now))
	row("stale until", untilText(v.StaleUntil, now))
	row("if the origin fails until", untilText(v.StaleOnErrorUntil, now))
	row("kept until", untilText(v.KeptUntil, now))
	if v.Purge != nil {
		row("purged by", hitText(v.Purge))
	}
}

// untilText returns a time, and how far it is away.
func untilText(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	away := t.Sub(now).Round(time.Second)
	if away < 0 {
		return fmt.Sprintf("%s (%s ago)", t.Local().Format(time.DateTime), -away)
	}
	return fmt.Sprintf("%s (in %s)", t.Local().Format(time.DateTime), away)
}

func hitText(p *api.PurgeHit) string {
	text := p.ID
	if p.Selector != nil {
		text += " of " + selectorsText([]api.Selector{*p.Selector})
	}
	if p.Mode != "" {
		text += ", " + string(p.Mode)
	}
	if !p.Time.IsZero() {
		text += ", " + p.Time.Local().Format(time.DateTime)
	}
	if p.Actor != "" {
		text += ", by " + p.Actor
	}
	if p.Reverted {
		text += ", reverted"
	}
	if p.Note != "" {
		text += ": " + p.Note
	}
	return printable(text)
}

func printHints(out io.Writer, hints []api.Hint) error {
	for _, hint := range hints {
		text := hint.Text
		if hint.Next != "" {
			text = strings.TrimSuffix(text, ".") + "; " + hint.Next
		}
		if _, err := fmt.Fprintf(out, "- %s\n", printable(text)); err != nil {
			return err
		}
	}
	return nil
}
