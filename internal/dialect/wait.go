package dialect

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
)

// Header fields and parameters by which a request asks to wait, and by which the
// answer says what came of it. Package api says what they mean.
const (
	headerWait        = "Rescind-Wait"
	headerWaitTimeout = "Rescind-Wait-Timeout"
	headerConfirmed   = "Rescind-Confirmed"
	headerMissing     = "Rescind-Missing"

	queryWait    = "wait"
	queryTimeout = "timeout"
)

// DefaultWaitAtMost is the longest wait where a Door says nothing.
const DefaultWaitAtMost = 30 * time.Second

// maxMissingNames bounds the names in a header field: 64 of the longest take
// some 4 KiB, which every client reads.
const maxMissingNames = 64

// answerTime is how long writing an answer may take after a wait.
const answerTime = 30 * time.Second

// Wait is whose confirmation a request asks for, and for how long it would wait.
type Wait struct {
	Level  control.Level
	AtMost time.Duration
}

// WaitOf reads what a request asks for: from its header and, before that, from
// the parameters of its URL. query is nil where those are the purged site's and
// not the API's. A time above the door's WaitAtMost counts as that. The error
// wraps control.ErrBadRequest; it belongs before the purge.
func (d Door) WaitOf(h http.Header, query url.Values) (Wait, error) {
	word, limit := h.Get(headerWait), h.Get(headerWaitTimeout)
	if query.Has(queryWait) {
		word = query.Get(queryWait)
	}
	if query.Has(queryTimeout) {
		limit = query.Get(queryTimeout)
	}
	level, err := control.ParseLevel(word)
	if err != nil {
		return Wait{}, err
	}
	w := Wait{Level: level, AtMost: d.WaitAtMost}
	if w.AtMost <= 0 {
		w.AtMost = DefaultWaitAtMost
	}
	if limit == "" {
		return w, nil
	}
	asked, err := time.ParseDuration(limit)
	if err != nil || asked <= 0 {
		return Wait{}, fmt.Errorf("%w: %s is a time with its unit, like 5s", control.ErrBadRequest, queryTimeout)
	}
	w.AtMost = min(w.AtMost, asked)
	return w, nil
}

// AsksToWait tells whether a raw query holds the parameters that WaitOf reads
// and no others.
func AsksToWait(query string) bool {
	for part := range strings.SplitSeq(query, "&") {
		if name, _, value := strings.Cut(part, "="); !value || name != queryWait && name != queryTimeout {
			return false
		}
	}
	return true
}

// Purge carries out requests together, waits as the HTTP request asks, and says
// in the answer's header what came of that: all that a dialect needs whose
// clients know nothing of waiting. query is that of WaitOf. Errors are those of
// control.PurgeTogether and WaitOf.
func (d Door) Purge(w http.ResponseWriter, r *http.Request, query url.Values, creds control.Credentials, requests ...control.Request) ([]control.Receipt, Confirmed, error) {
	wait, err := d.WaitOf(r.Header, query)
	if err != nil {
		return nil, Confirmed{}, err
	}
	receipts, err := d.Control.PurgeTogether(creds, requests)
	if err != nil {
		return nil, Confirmed{}, err
	}
	return receipts, d.Confirm(w, r, wait, control.Entries(receipts...)...), nil
}

// Confirmed is what came of a wait.
type Confirmed struct {
	Level   control.Level
	Missing []string // in order of name; for control.WaitPeer, those any of whom would have done
}

// Complete tells whether all that were waited for have confirmed.
func (c Confirmed) Complete() bool { return len(c.Missing) == 0 }

// Waited tells whether anybody was waited for.
func (c Confirmed) Waited() bool { return c.Level != control.WaitNone && c.Level != "" }

// nobodyElse is what is missing where a second disk is wanted and the cluster has
// no second member.
const nobodyElse = "a second member"

// noDisk is what is missing where another member's disk is wanted and none has one.
const noDisk = "a second disk"

// Confirm waits for the confirmation of what this node has accepted, as wait asks
// and as DurableOn has it in any case, all together no longer than wait allows,
// and says in the answer's header what came of it. It ends early when the client
// leaves. What was accepted stands in any case.
func (d Door) Confirm(w http.ResponseWriter, r *http.Request, wait Wait, entries ...control.EntryID) Confirmed {
	out := Confirmed{Level: wait.Level}
	if d.twoDisks() && !out.Waited() {
		out.Level = control.WaitPeer
	}
	if !out.Waited() {
		return out
	}
	// The limits of the server are for requests that do not wait. Who does not
	// support them has none.
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Time{})
	rc.SetWriteDeadline(time.Now().Add(wait.AtMost + answerTime))
	ctx, cancel := context.WithTimeout(r.Context(), wait.AtMost)
	defer cancel()
	for _, id := range entries {
		if d.twoDisks() {
			out.Missing = append(out.Missing, d.second(ctx, id)...)
		}
		if !d.twoDisks() || out.Level != control.WaitPeer {
			out.Missing = append(out.Missing, d.missing(ctx, id, out.Level)...)
		}
	}
	slices.Sort(out.Missing)
	out.Missing = slices.Compact(out.Missing)
	out.tell(w.Header())
	return out
}

// unknownMembers is missing where it is not known who is.
const unknownMembers = "the other members"

func (d Door) twoDisks() bool { return d.DurableOn > 1 }

// second waits for one other member, whichever: the levels above do not imply it,
// since a POP can have a single member, and who is provably fenced is not waited
// for.
func (d Door) second(ctx context.Context, id control.EntryID) []string {
	names := d.missing(ctx, id, control.WaitPeer)
	if len(names) > 0 {
		return names
	}
	progress, _ := d.Control.ProgressOf(id)
	if slices.ContainsFunc(progress.Members, control.Confirmation.OnDisk) {
		return nil
	}
	return []string{nobodyElse}
}

// missing waits for one entry. Where too many wait already, it says what is
// known at once.
func (d Door) missing(ctx context.Context, id control.EntryID, level control.Level) (names []string) {
	names, err := d.Control.WaitFor(ctx, id, level)
	progress, _ := d.Control.ProgressOf(id)
	if level == control.WaitPeer && len(names) > 0 && len(progress.Members) > 0 &&
		!slices.ContainsFunc(progress.Members, func(m control.Confirmation) bool { return m.Disk }) {
		return []string{noDisk}
	}
	if err == nil {
		return names
	}
	if len(progress.Members) == 0 {
		return []string{unknownMembers} // not nobody: then nobody would have to wait
	}
	for _, m := range progress.Members {
		if m.OnDisk() && level == control.WaitPeer {
			return nil
		}
		if !m.Applied && (m.Disk || level != control.WaitPeer) {
			names = append(names, m.Member)
		}
	}
	return names
}

func (c Confirmed) tell(h http.Header) {
	if c.Complete() {
		h.Set(headerConfirmed, string(c.Level))
		return
	}
	shown := c.Missing[:min(len(c.Missing), maxMissingNames)]
	text := strings.Join(shown, ", ")
	if more := len(c.Missing) - len(shown); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	h.Set(headerMissing, text)
}
