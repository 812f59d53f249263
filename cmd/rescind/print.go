package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/rescind-edge/rescind/api"
)

func printJSON(out io.Writer, answer any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(answer)
}

func printReceipts(out io.Writer, receipts []api.Receipt) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tTIME\tSERVICE\tMODE\tWHAT\tOBJECTS\tAPPLIED IN\tBY\tON")
	for _, r := range receipts {
		objects := "?" // found as they are asked for
		if r.Count != nil {
			objects = fmt.Sprint(*r.Count)
		}
		mode := string(r.Mode)
		if r.Reverted != nil {
			mode += ", reverted"
		}
		took := "-" // accepted by another node
		if r.AppliedIn != 0 {
			took = r.AppliedIn.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Time.Local().Format(time.DateTime), r.Service, mode,
			selectorsText(r.Selectors), objects, took, r.Actor, printable(r.Node))
	}
	return w.Flush()
}

// selectorsText shows the first few of a purge's selectors; --json shows all.
func selectorsText(selectors []api.Selector) string {
	const most = 3
	var parts []string
	for i, s := range selectors {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(selectors)-most))
			break
		}
		if s.Kind == api.ByAll {
			parts = append(parts, "all")
			continue
		}
		parts = append(parts, string(s.Kind)+" "+s.Value)
	}
	return strings.Join(parts, ", ")
}

// printable replaces what a terminal might act on. Much of what is shown was
// sent by strangers.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '\uFFFD'
		}
		return c
	}, s)
}

func count[N int | int64 | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// bytesText rounds a number of bytes to about three digits.
func bytesText(n int64) string {
	const step = 1024
	if n < step {
		return fmt.Sprintf("%dB", n)
	}
	value, unit := float64(n)/step, 0
	for value >= step && unit < len("KMGT")-1 {
		value, unit = value/step, unit+1
	}
	return fmt.Sprintf("%.4g%ciB", value, "KMGT"[unit])
}
