//go:build !race

package sim

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

// mostRuns is more than a broken node has needed: which of its faults a run meets
// depends on the order in which goroutines run as well as on the seed.
const mostRuns = 150

// TestRunsFindOut breaks nodes and holds that a few runs show it, by each check
// that should.
func TestRunsFindOut(t *testing.T) {
	for what, tc := range brokenNodes() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(mostRuns) {
				tc.cfg.Seed = seed + 1
				for _, text := range run(t, tc.cfg).Broken {
					tc.want = slices.DeleteFunc(tc.want, func(want string) bool { return strings.HasPrefix(text, want) })
				}
				if len(tc.want) == 0 {
					return
				}
			}
			t.Errorf("%d runs found nothing by %v", mostRuns, tc.want)
		})
	}
}

// broken is a way in which nodes are broken, and the checks that should show it.
type broken struct {
	cfg  Config
	want []string
}

func brokenNodes() map[string]broken {
	return map[string]broken{
		"an engine that leaves purges out":  {Config{Engine: leaveOut}, []string{"visibility:", "receipt:", "isolation:", "convergence:"}},
		"an engine that takes nothing back": {Config{Engine: final}, []string{"revert:"}},
		"disks that do not sync":            {Config{Liar: true}, []string{"start"}}, // the journal notices
	}
}

// leavingOut does not apply every fifth purge.
type leavingOut struct {
	control.Engine
	n atomic.Int64
}

func leaveOut(e control.Engine) control.Engine { return &leavingOut{Engine: e} }

func (e *leavingOut) Apply(now int64, p purge.Purge) purge.Applied {
	if e.n.Add(1)%5 == 0 {
		return purge.Applied{Position: p.Position}
	}
	return e.Engine.Apply(now, p)
}

// never says that it has taken purges back, and has not.
type never struct{ control.Engine }

func final(e control.Engine) control.Engine { return never{e} }

func (never) Revert(int64, purge.ID) purge.Undo { return purge.Undone }
