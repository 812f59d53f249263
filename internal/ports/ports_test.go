package ports

import (
	"net"
	"slices"
	"testing"
)

// Two pools are as two processes are: they know nothing of each other.
func TestNoPortIsGivenTwice(t *testing.T) {
	var one, two pool
	defer one.close()
	defer two.close()
	seen := map[int]bool{}
	for range 3 { // more than a block has, for each
		for _, p := range []*pool{&one, &two} {
			drawn, _, err := p.draw(pairs / 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, port := range drawn {
				if port <= firstPort || port >= lastPort || seen[port] || seen[port+1] {
					t.Errorf("%d is given twice, or is none of ours", port)
				}
				seen[port], seen[port+1] = true, true
			}
		}
	}
}

func TestWhoListensKeepsItsPort(t *testing.T) {
	var p pool
	defer p.close()
	drawn, release, err := p.draw(1)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", address(drawn[0]+1))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	release()
	for range 2 {
		again, release, err := p.draw(pairs - 1)
		if err != nil || slices.Contains(again, drawn[0]) {
			t.Errorf("%v, %v", again, err)
		}
		release()
	}
}

// close gives a pool's blocks back.
func (p *pool) close() {
	for _, b := range p.mu.blocks {
		b.lead.Close()
	}
}
