package cluster_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/cluster/simnet"
	"github.com/rescind-edge/rescind/internal/journal"
)

// TestAReceiptIsWholeSoonAfterARestart has the issuer of entries restart, while
// another member was away or restarts too, and packets are lost: who has applied
// them is known a second or so after all have company. As in the product, who
// starts has nothing stored, and may so acknowledge what it never received.
func TestAReceiptIsWholeSoonAfterARestart(t *testing.T) {
	for range 15 {
		run(t, func(t *testing.T) {
			seed := anySeed()
			r := newRig(t, seed, func(_, _ netip.Addr) simnet.Link {
				return simnet.Link{Delay: 15 * time.Millisecond, Jitter: 10 * time.Millisecond, Loss: 0.05}
			})
			defer r.stop()
			rng := rand.New(rand.NewPCG(seed, 1))
			nodes := r.many(3+rng.IntN(4), 3)
			var issuers []journal.Incarnation
			nodes[0].cfg = func(c *cluster.Config) { c.Issuers = issuers; c.Empty = true }
			// By two addresses, so that the others meet without the issuer.
			for _, n := range nodes[1:] {
				n.cfg = func(c *cluster.Config) {
					c.Empty = true
					c.Join = []string{netip.AddrPortFrom(nodes[0].host.Addr(), port).String(), netip.AddrPortFrom(nodes[1].host.Addr(), port).String()}
				}
			}
			r.start(nodes...)
			r.ready(nodes...)
			away := nodes[1:][rng.IntN(len(nodes)-1)]
			if rng.IntN(2) == 0 {
				away.crash()
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
			}
			ids := nodes[0].issue(1+rng.IntN(5), 60)
			time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
			inc, _ := nodes[0].journal.Own()
			issuers = []journal.Incarnation{inc}
			nodes[0].crash()
			if away.cluster == nil && rng.IntN(2) == 0 {
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
				away.start()
			}
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
			nodes[0].start()
			if away.cluster == nil {
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
				away.start()
			}
			alive := func() bool {
				for _, m := range nodes[0].cluster.Members() {
					if m.State != cluster.MemberSelf && m.State != cluster.MemberAlive {
						return false
					}
				}
				return len(nodes[0].cluster.Members()) == len(nodes)
			}
			r.until(time.Minute, "the issuer has company", alive)
			took := r.until(10*time.Second, "the issuer knows who has its entries", func() bool {
				for _, n := range nodes[1:] {
					for _, id := range ids {
						if !nodes[0].cluster.Row(inc, n.name).Knows(id.Seq) {
							return false
						}
					}
				}
				return true
			})
			t.Logf("took %v", took)
		})
	}
}
