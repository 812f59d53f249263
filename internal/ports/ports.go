// Package ports draws ports on loopback for tests, measurements and the demo, whose
// nodes are told a port before they listen. A port that was drawn by listening on port 0 and
// closing again may be anybody's by the time it is used; those that are drawn here
// are given to nobody else meanwhile, neither by this package in another process
// nor by the system.
//
// Where a node says on which port it listens, port 0 is better, and where a program
// takes over a listener, that is.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

const (
	// firstPort to lastPort are below the ports that systems give to whoever asks for
	// any or dials: those begin at 32768 on Linux and at 49152 elsewhere.
	firstPort, lastPort = 10_000, 29_999
	// blockSize is how many ports a process takes at once: enough for one test, and
	// 200 processes can have some.
	blockSize = 100
)

// ErrNone is returned when other processes have all ports.
var ErrNone = errors.New("ports: all are taken")

// Draw returns n ports of 127.0.0.1. Each is free for TCP and for UDP, and so is
// the port after it, which nobody else is given either. Release gives them back,
// once nobody listens on them or dials them any more; without it they come back
// with the end of the process.
func Draw(n int) (drawn []int, release func(), err error) { return process.draw(n) }

// Test is what For needs of testing.TB.
type Test interface {
	Helper()
	Fatal(...any)
	Cleanup(func())
}

// For is Draw for a test, which has the ports until its end.
func For(t Test, n int) []int {
	t.Helper()
	drawn, release, err := Draw(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return drawn
}

// process is this process's share of the ports.
var process pool

// pool is a share of the ports. Processes agree on who has which block by listening
// on the block's first port, which the system permits to one, and takes back from
// whoever ends.
type pool struct {
	mu struct {
		sync.Mutex
		blocks []block
		used   map[int]bool // drawn and not released
	}
}

type block struct {
	lead net.Listener
	base int
	next int // pairs drawn; the one that was free for the longest comes first
}

const pairs = (blockSize - 1) / 2 // of a block: its first port is the lead

func (p *pool) draw(n int) (drawn []int, release func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(drawn) < n {
		port, err := p.oneLocked()
		if err != nil {
			p.releaseLocked(drawn)
			return nil, nil, err
		}
		drawn = append(drawn, port)
	}
	release = sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.releaseLocked(drawn)
	})
	return drawn, release, nil
}

func (p *pool) oneLocked() (int, error) {
	for i := range p.mu.blocks {
		if port, ok := p.fromLocked(&p.mu.blocks[i]); ok {
			return port, nil
		}
	}
	for {
		b, err := claim()
		if err != nil {
			return 0, err
		}
		p.mu.blocks = append(p.mu.blocks, b)
		if port, ok := p.fromLocked(&p.mu.blocks[len(p.mu.blocks)-1]); ok {
			return port, nil
		}
	}
}

// fromLocked takes a port of a block, if one is left.
func (p *pool) fromLocked(b *block) (port int, ok bool) {
	for range pairs {
		port := b.base + 1 + 2*(b.next%pairs)
		b.next++
		if !p.mu.used[port] && Free(port) && Free(port+1) { // programs that do not draw here may listen

			if p.mu.used == nil {
				p.mu.used = map[int]bool{}
			}
			p.mu.used[port] = true
			return port, true
		}
	}
	return 0, false
}

func (p *pool) releaseLocked(drawn []int) {
	for _, port := range drawn {
		delete(p.mu.used, port)
	}
}

// claim takes a block that no process has.
func claim() (block, error) {
	const blocks = (lastPort - firstPort + 1) / blockSize
	begin := rand.IntN(blocks)
	for i := range blocks {
		base := firstPort + blockSize*((begin+i)%blocks)
		if lead, err := net.Listen("tcp", address(base)); err == nil {
			return block{lead: lead, base: base}, nil
		}
	}
	return block{}, ErrNone
}

// Free tells whether nobody listens on a port of 127.0.0.1 at this moment, by TCP or
// UDP.
func Free(port int) bool {
	stream, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	defer stream.Close()
	packets, err := net.ListenPacket("udp", address(port))
	if err != nil {
		return false
	}
	return packets.Close() == nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
