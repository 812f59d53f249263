package demo

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// cell is what was seen at one POP.
type cell struct {
	expected, seen string
	took           time.Duration // negative: nothing that takes time
}

func (c cell) text() string {
	switch {
	case c.took < 0:
		return c.seen
	case c.took < 10*time.Millisecond:
		return fmt.Sprintf("%-8s %4.1f ms", c.seen, float64(c.took.Microseconds())/1000)
	}
	return fmt.Sprintf("%-8s %4d ms", c.seen, c.took.Milliseconds())
}

// errDifferent is wrapped by Play's error where something was not as expected.
var errDifferent = errors.New("not as expected")

// table prints a story as it happens.
type table struct {
	out    io.Writer
	rows   int
	failed error // of writing
}

// Widths of the columns, in characters.
const (
	whatWide = 42
	cellWide = 20
)

func (t *table) print(format string, args ...any) {
	if _, err := fmt.Fprintf(t.out, format, args...); err != nil && t.failed == nil {
		t.failed = err
	}
}

// chapter begins a part of the story, with the POPs above the columns.
func (t *table) chapter(title string, pops []*POP) {
	t.print("\n%s\n%s", title, strings.Repeat(" ", whatWide+4))
	for i, p := range pops {
		t.print("%s", padded(p.Name, i == len(pops)-1))
	}
	t.print("\n")
}

// event tells what happens outside the POPs.
func (t *table) event(format string, args ...any) {
	t.print("--  %s\n", fmt.Sprintf(format, args...))
}

// row prints what was seen at each POP. The error wraps errDifferent.
func (t *table) row(what string, cells []cell) error {
	t.rows++
	mark, wrong := "ok", false
	for _, c := range cells {
		wrong = wrong || c.seen != c.expected
	}
	if wrong {
		mark = "NO"
	}
	t.print("%-4s%-*s", mark, whatWide, what)
	for i, c := range cells {
		t.print("%s", padded(c.text(), i == len(cells)-1))
	}
	t.print("\n")
	if !wrong {
		return t.failed
	}
	t.print("    %-*s", whatWide, "expected")
	for i, c := range cells {
		t.print("%s", padded(c.expected, i == len(cells)-1))
	}
	t.print("\n")
	return fmt.Errorf("%w: %s", errDifferent, strings.TrimSpace(what))
}

// padded fills a cell up, unless it is the last of its row.
func padded(text string, last bool) string {
	if last {
		return text
	}
	return text + strings.Repeat(" ", max(1, cellWide-utf8.RuneCountInString(text)))
}
