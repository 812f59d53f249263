package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

// missingError says that a purge is in force where it was accepted, and not
// everywhere that was asked for.
type missingError struct {
	purges  []string      // ids
	members []string      // names, each once
	after   time.Duration // 0: the node has waited, for any one of them
	last    error         // of the last question; nil: it was answered
	noDisk  bool          // a second disk was waited for, and no other member has one
}

func (e *missingError) Error() string {
	if e.after == 0 {
		return e.unsecured()
	}
	text := fmt.Sprintf("not confirmed after %v by %s; the purge stands, and reaches them as soon as they can be reached", e.after, strings.Join(e.members, ", "))
	if len(e.members) == 0 {
		text = fmt.Sprintf("not confirmed after %v; the purge stands", e.after)
	}
	if e.noDisk {
		text = "no other member has a disk; the purge stands"
	}
	if e.last != nil {
		text += fmt.Sprintf(" (%v)", e.last)
	}
	return text + "\n\"rescind purges show " + e.purges[0] + "\" tells when"
}

func (e *missingError) unsecured() string {
	text := "no second member has it on its disk yet, as cluster.durable_on wants it"
	if len(e.members) > 0 {
		text += "; waited for " + strings.Join(e.members, ", ")
	}
	return text + "; the purge stands\n\"rescind purges show " + e.purges[0] + "\" tells when"
}

// secondDisk returns a *missingError where the node itself has waited for another
// member's disk in vain.
func secondDisk(receipts []api.Receipt) error {
	var missing missingError
	for i := range receipts {
		c := receipts[i].Confirmations
		if c == nil || c.Reached(api.WaitPeer) {
			continue
		}
		missing.purges = append(missing.purges, receipts[i].ID)
		missing.add(c.Missing)
	}
	if len(missing.purges) == 0 {
		return nil
	}
	return &missing
}

// add takes up names, each once.
func (e *missingError) add(names []string) {
	for _, name := range names {
		if !slices.Contains(e.members, name) {
			e.members = append(e.members, name)
		}
	}
}

func (e *missingError) Unwrap() error { return e.last }

// How often a receipt is looked at: soon, because most members confirm within a
// round trip, then less and less.
const (
	firstLook = 10 * time.Millisecond
	lastLook  = 500 * time.Millisecond
)

// follower looks at receipts until enough members have confirmed.
type follower struct {
	node    *client.Client
	level   api.WaitLevel
	timeout time.Duration
	confirm func(api.Confirmation) // is told of each member once a purge; nil: nobody is
}

// follow replaces receipts with what they become. The error is a *missingError,
// or why a receipt cannot be seen.
func (f follower) follow(ctx context.Context, receipts []api.Receipt) error {
	began := time.Now()
	waiting, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	missing := &missingError{after: f.timeout}
	for i := range receipts {
		err := f.one(waiting, &receipts[i])
		c := receipts[i].Confirmations
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && waiting.Err() == nil:
			return fmt.Errorf("the purge is in force on the node, but its receipt cannot be seen: %w", err)
		case err == nil && (c == nil || c.Reached(f.level)):
			continue
		}
		missing.last = err
		missing.purges = append(missing.purges, receipts[i].ID)
		if c != nil {
			missing.add(c.Missing)
			missing.noDisk = f.level == api.WaitPeer && noDisk(c.Members)
		}
	}
	if len(missing.purges) == 0 {
		return nil
	}
	missing.after = max(time.Since(began).Round(time.Millisecond), time.Millisecond)
	return missing
}

// noDisk tells whether none but the first of some members, the one that accepted a
// purge, has a disk.
func noDisk(members []api.Confirmation) bool {
	return len(members) > 1 && !slices.ContainsFunc(members[1:], func(m api.Confirmation) bool { return m.Disk == nil || *m.Disk })
}

// one looks at a receipt until its level is reached or the time is over, which is
// an error only if it was never seen. A node that does not answer for a while may
// answer again.
func (f follower) one(ctx context.Context, r *api.Receipt) error {
	told, seen := make(map[string]bool), false
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		now, err := f.node.Receipt(ctx, r.ID)
		if seen && ctx.Err() != nil {
			return nil
		}
		if err == nil {
			seen = true
			*r = *now
			f.tell(r.Confirmations, told)
			if r.Confirmations == nil || r.Confirmations.Reached(f.level) {
				return nil
			}
			if f.level == api.WaitPeer && noDisk(r.Confirmations.Members) {
				return nil // there is nobody to wait for
			}
		} else if !errors.Is(err, client.ErrUnreachable) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

func (f follower) tell(c *api.Confirmations, told map[string]bool) {
	if c == nil || f.confirm == nil {
		return
	}
	for _, m := range c.Members {
		if m.Applied && !told[m.Member] {
			told[m.Member] = true
			f.confirm(m)
		}
	}
}

// printConfirmation writes the line of a member.
func printConfirmation(out io.Writer, m api.Confirmation) {
	fmt.Fprintf(out, "%-16s %-12s %s\n", printable(m.POP), printable(m.Member), appliedText(m))
}

func appliedText(m api.Confirmation) string {
	switch {
	case !m.Applied:
		return "not yet"
	case m.Took == nil:
		return "applied"
	}
	switch {
	case m.Disk != nil && !*m.Disk:
		return "applied " + afterText(*cmp.Or(m.AppliedIn, m.Took)) + ", in memory"
	case m.AppliedIn == nil:
		return "applied " + afterText(*m.Took)
	}
	return "applied " + afterText(*m.AppliedIn) + ", on disk " + afterText(*m.Took)
}

func afterText(d api.Duration) string {
	took, unit := time.Duration(d), 100*time.Microsecond
	switch {
	case took == 0: // less than what is kept
		return "within 100µs"
	case took < time.Millisecond:
		unit = time.Microsecond
	}
	return "after " + took.Round(unit).String()
}

// printConfirmations writes who has applied a purge, and what is left.
func printConfirmations(out io.Writer, c *api.Confirmations) error {
	if c == nil {
		return nil
	}
	fmt.Fprintln(out)
	for _, m := range c.Members {
		printConfirmation(out, m)
	}
	return printSummary(out, c)
}

func printSummary(out io.Writer, c *api.Confirmations) error {
	text := fmt.Sprintf("%d of %s", c.Applied, count(len(c.Members), "member"))
	if c.Slowest != "" {
		text += ", slowest " + printable(c.Slowest)
	}
	if c.Partial {
		text += "; the node that accepted it does not remember all: times are missing, and members are those of now"
	}
	if n := len(c.Members) - c.Applied - len(c.Missing); n > 0 {
		text += fmt.Sprintf("; %s not waited for: gone, or serving nothing", count(n, "member"))
	}
	_, err := fmt.Fprintln(out, text)
	return err
}
