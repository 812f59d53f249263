package cluster_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
)

// TestAGuestThatVanishes has a node join that is never enlisted, since nothing but its
// membership gets through, and die while an entry waits for it.
func TestAGuestThatVanishes(t *testing.T) {
	for _, holdsBack := range []bool{true, false} {
		run(t, func(t *testing.T) {
			r := newRig(t, anySeed(), perfect(20*time.Millisecond))
			defer r.stop()
			nodes := r.many(4, 1)
			members, guest := nodes[:3], nodes[3]
			way := &mute{Network: guest.host}
			way.closed.Store(true)
			guest.cfg = func(c *cluster.Config) { c.Network, c.HoldsBack = way, holdsBack }
			r.start(members...)
			r.ready(members...)
			r.start(guest)
			r.until(time.Minute, "the guest is alive", func() bool { return len(nodes[0].cluster.Members()) == 4 })
			id := nodes[0].issue(1, 50)[0]
			if missing := wait(t, nodes[0], id, cluster.WaitAll, 5*time.Second); !slices.Equal(missing, []string{guest.name}) {
				t.Fatalf("missing %v, want the guest, which is alive", missing)
			}
			guest.crash()
			r.until(time.Minute, "it is seen to have gone", func() bool { return len(nodes[0].cluster.Members()) == 3 })
			missing := wait(t, nodes[0], id, cluster.WaitAll, 10*time.Second)
			if holdsBack && len(missing) > 0 {
				t.Errorf("missing %v, who has never served anything", missing)
			}
			if !holdsBack && !slices.Equal(missing, []string{guest.name}) {
				t.Errorf("missing %v; the guest may be anywhere and serve", missing)
			}
		})
	}
}

// TestNoGuestIsReadyWithoutWhatIsConfirmed has a node join while entries are issued
// and everything around it is cut at random moments: whenever somebody says that all
// have an entry, the newcomer has it too, or is not ready.
func TestNoGuestIsReadyWithoutWhatIsConfirmed(t *testing.T) {
	confirmed, apart := 0, 0
	for range 25 {
		run(t, func(t *testing.T) {
			seed := anySeed()
			rng := rand.New(rand.NewPCG(seed, 1))
			ms := func(n int) time.Duration { return time.Duration(rng.IntN(n)) * time.Millisecond }
			r := newRig(t, seed, func(_, _ netip.Addr) simnet.Link {
				return simnet.Link{Delay: 20 * time.Millisecond, Jitter: 15 * time.Millisecond, Loss: 0.02}
			})
			defer r.stop()
			nodes := r.many(3+rng.IntN(3), 1)
			guest := nodes[len(nodes)-1]
			members := nodes[:len(nodes)-1]
			guest.cfg = func(c *cluster.Config) { c.HoldsBack, c.Empty = true, true }
			r.start(members...)
			r.ready(members...)
			issuer := members[rng.IntN(len(members))]
			r.start(guest)
			r.until(time.Minute, "the newcomer is seen", func() bool { return len(issuer.cluster.Members()) == len(nodes) })
			time.Sleep(120*time.Millisecond + ms(80)) // about when it is ready, or would be
			// Some or all of the others do not hear the guest any more, nor it them.
			others := slices.Clone(members)
			rng.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
			if rng.IntN(3) == 0 {
				others = others[:rng.IntN(len(others))]
			}
			cut := []netip.Addr{issuer.host.Addr()}
			for _, n := range others {
				cut = append(cut, n.host.Addr())
			}
			at := []netip.Addr{guest.host.Addr()}
			block := func(on bool) {
				r.net.Block(at, cut, on)
				r.net.Block(cut, at, on)
			}
			block(true)
			time.Sleep(ms(20))
			id := issuer.issue(1, 50)[0]
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			missing, err := issuer.cluster.WaitFor(ctx, id, cluster.WaitAll)
			if err != nil {
				t.Fatal(err)
			}
			if len(missing) == 0 {
				confirmed++
				has := guest.journal.Known().Knows(id)
				if !has {
					apart++
				}
				if guest.cluster.Ready() && !has {
					t.Errorf("%s says that all have the entry; the guest is ready without it", issuer.name)
				}
			}
			// However it was cut off, it joins in the end.
			block(false)
			r.until(2*time.Minute, "the guest is ready and has it", func() bool {
				return guest.cluster.Ready() && guest.journal.Known().Knows(id)
			})
		})
	}
	t.Logf("confirmed %d times, %d of them without the newcomer", confirmed, apart)
}
