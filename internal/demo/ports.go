package demo

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
)

// Ports are taken below those that systems give to outgoing connections, so that
// a POP that is started again finds its own free.
const (
	firstPort = 20000
	lastPort  = 30000
	// portTries is how many ports are tried before the machine counts as full.
	portTries = 200
)

var errNoPort = errors.New("no free port was found on the loopback address")

// ports finds free ports and holds them until release, so that none is given
// twice.
type ports struct{ held []io.Closer }

// one returns a port that is free for TCP: the wanted one if it is, which 0
// never is.
func (p *ports) one(wanted int) (int, error) {
	if wanted != 0 && p.take(wanted, false) {
		return wanted, nil
	}
	return p.any(func(port int) bool { return p.take(port, false) })
}

// pair returns a port that is free for TCP and UDP, as is the one above it.
func (p *ports) pair() (int, error) {
	return p.any(func(port int) bool { return p.take(port, true) && p.take(port+1, true) })
}

func (p *ports) any(take func(int) bool) (int, error) {
	for range portTries {
		if port := firstPort + rand.IntN(lastPort-firstPort); take(port) {
			return port, nil
		}
	}
	return 0, errNoPort
}

// take holds a port if it is free.
func (p *ports) take(port int, udp bool) bool {
	address := fmt.Sprintf("127.0.0.1:%d", port)
	stream, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	p.held = append(p.held, stream)
	if !udp {
		return true
	}
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	p.held = append(p.held, packets)
	return true
}

// release frees the ports for those who are to have them.
func (p *ports) release() {
	for _, h := range p.held {
		_ = h.Close() // nothing was written
	}
	p.held = nil
}
