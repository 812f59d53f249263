//go:build !race

package sim

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/journal/state"
	"github.com/rescind-edge/rescind/internal/purge"
)

// mostRuns is in how many runs a broken node has to be found. Each check finds its
// node in three of ten runs or more; were it two, chance would leave one out once in
// 10^9 times.
const mostRuns = 100

// broken is a way in which nodes are broken, and parts of what the checks must
// then say.
type broken struct {
	cfg  Config
	want []string
}

func brokenNodes() map[string]broken {
	often := func(acts ...func(*World)) Config { return Config{Often: acts} }
	return map[string]broken{
		"an engine that leaves purges out":    {Config{}.engine(leaveOut), []string{"visibility:", "is told to be applied there"}},
		"an engine that becomes deaf":         {Config{}.engine(becomeDeaf), []string{"isolation:", "convergence: at the end"}},
		"an engine that takes nothing back":   {often((*World).revert).engine(final), []string{"revert:"}},
		"disks that do not sync":              {Config{Liar: true, Often: []func(*World){(*World).crash, (*World).restart}}, []string{"start n"}}, // the journal notices
		"disks that go back in time":          {Config{Stale: true}, []string{"acknowledged:"}},
		"nodes that confirm before they sync": {often((*World).purge).journal(hasten), []string{"does not have it on disk", "and none has"}},
		"nodes that confirm nothing":          {Config{}.journal(keepSilent), []string{"proof:"}},
		"nodes that forget who they were":     {Config{Steps: 25, Often: []func(*World){(*World).purge, (*World).crash, (*World).restart}, Wraps: Wraps{Issuers: forgetAll}}, []string{"proof: at the end, after"}},
		"nodes that wait for nobody":          {often((*World).purge).cluster(waitForNobody), []string{"was confirmed by all, and"}},
		"nodes that send nothing at once":     {Config{}.cluster(sendNothing), []string{"spread:"}},
		"nodes that supply nothing":           {often((*World).cut, (*World).purge).journal(supplyNothing), []string{"convergence: the nodes do not agree"}},
		"nodes that drop what they know not":  {Config{}.journal(dropUnknown), []string{"an entry of a later release"}},
		"nodes that revoke nothing":           {often((*World).createToken, (*World).revokeToken).items(revokeNothing), []string{"which was revoked"}},
		"nodes that lose tokens":              {often((*World).createToken).items(loseTokens), []string{"does not take token"}},
	}
}

func (c Config) engine(wrap func(control.Engine) control.Engine) Config {
	c.Engine = wrap
	return c
}

func (c Config) cluster(wrap func(control.Cluster) control.Cluster) Config {
	c.Cluster = wrap
	return c
}

func (c Config) journal(wrap func(cluster.Journal) cluster.Journal) Config {
	c.Journal = wrap
	return c
}

func (c Config) items(items func(*journal.Entry) []state.Item) Config {
	c.Items = items
	return c
}

// TestRunsFindOut breaks nodes and holds that a few runs show it, by each check
// that should. It looks for no races, which the same runs of sound nodes show.
func TestRunsFindOut(t *testing.T) {
	for what, tc := range brokenNodes() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(mostRuns) {
				tc.cfg.Seed = seed + 1
				for _, text := range run(t, tc.cfg).Broken {
					tc.want = slices.DeleteFunc(tc.want, func(want string) bool { return strings.Contains(text, want) })
				}
				if len(tc.want) == 0 {
					return
				}
			}
			t.Errorf("%d runs found nothing by %v", mostRuns, tc.want)
		})
	}
}

// leavingOut does not apply some purges.
type leavingOut struct {
	control.Engine
	n     atomic.Int64
	leave func(n int64) bool
}

func leaveOut(e control.Engine) control.Engine {
	return &leavingOut{Engine: e, leave: func(n int64) bool { return n%5 == 0 }}
}

func becomeDeaf(e control.Engine) control.Engine {
	return &leavingOut{Engine: e, leave: func(n int64) bool { return n > 5 }}
}

func (e *leavingOut) Apply(now int64, p purge.Purge) purge.Applied {
	if e.leave(e.n.Add(1)) {
		return purge.Applied{Position: p.Position}
	}
	return e.Engine.Apply(now, p)
}

// never says that it has taken purges back, and has not.
type never struct{ control.Engine }

func final(e control.Engine) control.Engine { return never{e} }

func (never) Revert(int64, purge.ID) purge.Undo { return purge.Undone }

// hasty confirms what is in force as if it were on disk.
type hasty struct{ cluster.Journal }

func hasten(j cluster.Journal) cluster.Journal { return hasty{j} }

func (j hasty) DurableRow(inc journal.Incarnation) journal.Row { return j.Known()[inc] }
func (j hasty) Sync(context.Context) error                     { return nil }

// silent confirms nothing.
type silent struct{ cluster.Journal }

func keepSilent(j cluster.Journal) cluster.Journal { return silent{j} }

func (silent) DurableRow(journal.Incarnation) journal.Row { return journal.Row{} }

// forgetAll has a node not ask who has what it issued before a restart.
func forgetAll([]journal.Incarnation) []journal.Incarnation { return nil }

// impatient says that all have confirmed.
type impatient struct{ control.Cluster }

func waitForNobody(c control.Cluster) control.Cluster { return impatient{c} }

func (impatient) Wait(context.Context, journal.ID, control.Level) ([]string, error) { return nil, nil }

// mute leaves all to comparison.
type mute struct{ control.Cluster }

func sendNothing(c control.Cluster) control.Cluster { return mute{c} }

func (mute) Publish([]journal.Entry) {}

// stingy supplies nothing to who lacks something.
type stingy struct{ cluster.Journal }

func supplyNothing(j cluster.Journal) cluster.Journal { return stingy{j} }

func (stingy) Supply(journal.Request) journal.Supply { return journal.Supply{} }

// narrow takes only entries of kinds that it knows.
type narrow struct{ cluster.Journal }

func dropUnknown(j cluster.Journal) cluster.Journal { return narrow{j} }

func (j narrow) Receive(all []journal.Entry) ([]journal.Entry, error) {
	known := slices.DeleteFunc(slices.Clone(all), func(e journal.Entry) bool { return e.Kind == kindOfLater })
	return j.Journal.Receive(known)
}

// revokeNothing keeps the tokens that are revoked.
func revokeNothing(e *journal.Entry) []state.Item {
	return slices.DeleteFunc(control.Items(e), func(i state.Item) bool { return i.Removed })
}

// loseTokens revokes each token as it is made.
func loseTokens(e *journal.Entry) []state.Item {
	all := control.Items(e)
	if e.Kind == journal.KindTokenCreate && len(all) > 0 {
		all = append(all, all[0].Removal(e.Time))
	}
	return all
}
