//go:build !race

package sim

import "testing"

// mostTierRuns is in how many runs a broken part has to be found. The rarest is found in
// one of fifty, about: chance leaves it out once in 10^8 times.
const mostTierRuns = 1000

// TestRunsFindBrokenShields breaks each part of it and holds that runs show it.
func TestRunsFindBrokenShields(t *testing.T) {
	for name, broken := range map[string]tierFault{
		"shields that believe all is well":      shieldsBelieve,
		"edges that forget what POST did":       edgesForget,
		"edges that do not take over the times": boundsIgnored,
		"edges that ignore reverts elsewhere":   revertsIgnored,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(mostTierRuns) {
				if len(inTier(t, seed+1, broken).wrong) > 0 {
					t.Logf("found in run %d", seed+1)
					return
				}
			}
			t.Errorf("%d runs found nothing", mostTierRuns)
		})
	}
}
