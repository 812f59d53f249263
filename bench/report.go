package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// report collects what is measured and what is wrong with it.
type report struct {
	plan        plan
	machine     machine
	comparisons []comparison
	findings    []finding
	remarks     []string
}

// compare adds a line of the table.
func (r *report) compare(c comparison) {
	r.comparisons = append(r.comparisons, c)
}

// remark adds a sentence that stands below the table.
func (r *report) remark(format string, args ...any) {
	r.remarks = append(r.remarks, fmt.Sprintf(format, args...))
}

// note adds findings; of those of one place and kind the worst stays.
func (r *report) note(found ...finding) {
next:
	for _, f := range found {
		for i := range r.findings {
			old := &r.findings[i]
			if old.Where != f.Where || old.Kind != f.Kind {
				continue
			}
			old.Times++
			if f.worst > old.worst {
				old.worst, old.Text = f.worst, f.Text
			}
			continue next
		}
		f.Times = 1
		r.findings = append(r.findings, f)
	}
}

// errWorthless is what a run ends with whose figures must not be believed.
var errWorthless = errors.New("there is no table, because the figures would be worth nothing")

// publish prints the table, and writes what the plan asks for, unless something
// was found that makes it worthless. The file of figures is written in any case:
// it has the findings beside them.
func (r *report) publish(p plan) error {
	return errors.Join(r.writeJSON(p), r.publishTable(p))
}

func (r *report) publishTable(p plan) error {
	var fatal []string
	for _, f := range r.findings {
		if f.Fatal {
			fatal = append(fatal, "  "+f.String())
		}
	}
	if fatal != nil {
		return fmt.Errorf("%w:\n%s", errWorthless, strings.Join(fatal, "\n"))
	}
	var table strings.Builder
	r.write(&table)
	if _, err := io.WriteString(os.Stdout, table.String()); err != nil || p.output == "" {
		return err
	}
	return insert(p.output, p.part, table.String())
}

// writeJSON writes all figures to the file that the plan names, if any.
func (r *report) writeJSON(p plan) error {
	if p.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(map[string]any{
		"machine": r.machine, "command": p.command, "rounds": p.rounds, "seconds": p.duration.Seconds(),
		"comparisons": r.comparisons, "findings": r.findings, "remarks": r.remarks,
	}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(p.json, append(text, '\n'), 0o644)
}

func (f finding) String() string {
	text := f.Where + ": " + f.Text
	if f.Times > 1 {
		text += fmt.Sprintf(" (%d times, this is the worst)", f.Times)
	}
	return text
}

func (r *report) write(w io.Writer) {
	m := r.machine
	fmt.Fprintf(w, "Measured %s with `%s`\non %s, %d cores, %s, Linux %s;\n%s;\nmedians of %d rounds of %v each, ± the distance between their quartiles.\n",
		m.Date, r.plan.command, m.CPU, m.Cores, m.Memory, m.Kernel, strings.Join(m.Versions, ", "), r.plan.rounds, r.plan.duration)
	chapter := ""
	for _, c := range r.comparisons {
		if c.Chapter != chapter {
			chapter = c.Chapter
			fmt.Fprintf(w, "\n### %s\n\n| What | Unit | Subject | | Compared with | | Ratio | Aim | |\n|---|---|---|--:|---|--:|--:|--:|---|\n", chapter)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.What, c.Unit,
			c.Subject.Name, c.Subject, c.Peer.Name, c.Peer, ratioText(c.ratio()), c.Aim, c.Aim.verdict(c.ratio()))
	}
	list(w, "Remarks", r.remarks)
	var warnings []string
	for _, f := range r.findings {
		warnings = append(warnings, f.String())
	}
	list(w, "Warnings", warnings)
}

func list(w io.Writer, title string, items []string) {
	if len(items) == 0 {
		return
	}
	fmt.Fprintf(w, "\n### %s\n\n", title)
	for _, item := range items {
		fmt.Fprintf(w, "- %s\n", item)
	}
}

// String writes the median with its spread, nothing where there are no samples.
func (s series) String() string {
	switch len(s.Samples) {
	case 0:
		return ""
	case 1:
		return figure(s.median())
	}
	return fmt.Sprintf("%s ± %.0f %%", figure(s.median()), 100*s.spread())
}

// figure writes a number with three digits that count, or all before the point.
func figure(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100:
		return thousands(int64(math.Round(v)))
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// thousands writes a number with commas.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func ratioText(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	if v < 0.01 {
		return fmt.Sprintf("%.1g", v)
	}
	return fmt.Sprintf("%.2f", v)
}
