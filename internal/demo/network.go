package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/ports"
)

// Network is the shop with POPs in front of it, running.
type Network struct {
	Shop   *Shop
	Origin string // base URL of the shop
	POPs   []*POP

	origin  *http.Server
	dir     string // of all POPs
	usual   bool   // the usual ports are this demonstration's
	release func() // gives back the others
}

// Config says what to start.
type Config struct {
	// Program is the path of the binary; it is run with "serve --config FILE".
	Program string
	// Usual asks for the ports that instructions can name, where they are free.
	Usual bool
}

// shopDelay is how long the shop takes for a page: what a dynamic site in the
// same country does.
const shopDelay = 40 * time.Millisecond

// Where the POPs pretend to be, and their usual ports for the site; the admin
// listener has the one above.
var places = []struct {
	name, place string
	port        int
}{{"fra1", "frankfurt", 8080}, {"nyc1", "new-york", 8180}, {"sin1", "singapore", 8280}}

const usualOrigin = 9000

// Start starts a shop and three POPs that form a cluster, and returns when they
// are ready. They run until Stop. Where that fails, or ctx ends, nothing is left
// behind.
func Start(ctx context.Context, c Config) (*Network, error) {
	n := &Network{Shop: NewShop(shopDelay)}
	err := n.start(ctx, c)
	if err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

func (n *Network) start(ctx context.Context, c Config) (err error) {
	if n.dir, err = os.MkdirTemp("", "rescind-demo-"); err != nil {
		return errors.New("no folder could be made for temporary files; TMPDIR may name one where that is possible")
	}
	if err := n.startOrigin(c.Usual); err != nil {
		return err
	}
	if err := n.plan(c); err != nil {
		return err
	}
	for _, p := range n.POPs {
		if err := p.launch(); err != nil {
			return err
		}
	}
	if err := together(n.POPs, func(_ int, p *POP) error { return p.ready(ctx) }); err != nil {
		return err
	}
	return wait(ctx, settleTime)
}

// settleTime is how long new POPs take to agree on who belongs to the cluster:
// they look once a second, and until then none counts whom it does not hear.
const settleTime = 2500 * time.Millisecond

// wait waits for some time, or returns the error of ctx.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Network) startOrigin(usual bool) error {
	port := 0
	if usual {
		port = usualOrigin
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	n.usual = usual && err == nil
	if err != nil && usual {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return err
	}
	n.Origin = "http://" + listener.Addr().String()
	n.origin = &http.Server{Handler: n.Shop, ReadHeaderTimeout: 10 * time.Second}
	go n.origin.Serve(listener) // ends by Close
	return nil
}

// errNoPort is returned where other processes have all ports.
var errNoPort = errors.New("no free port was found on the loopback address")

// plan chooses ports and writes the configurations. Of demonstrations that run at
// once, the one whose shop has its usual port has the others of those too.
func (n *Network) plan(c Config) error {
	const each = 3
	drawn, release, err := ports.Draw(each * len(places))
	if err != nil {
		return errNoPort
	}
	n.release = release
	usual := func(port, other int) int {
		if n.usual && ports.Free(port) {
			return port
		}
		return other
	}
	all := make([]settings, len(places))
	var members []int
	for i, place := range places {
		s, mine := &all[i], drawn[each*i:]
		s.site, s.admin, s.member = usual(place.port, mine[0]), usual(place.port+1, mine[1]), mine[2]
		members = append(members, s.member)
		n.POPs = append(n.POPs, &POP{
			Name: place.name, Place: place.place, program: c.Program, dir: filepath.Join(n.dir, place.name),
			Site: fmt.Sprintf("http://127.0.0.1:%d", s.site), Admin: fmt.Sprintf("http://127.0.0.1:%d", s.admin),
		})
	}
	secret := rand.Text()
	for i, p := range n.POPs {
		all[i].members, all[i].secret, all[i].origin = members, secret, strings.TrimPrefix(n.Origin, "http://")
		if err := p.configure(all[i]); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends all processes, whatever state they are in, and removes what they had
// on disk. The error is of what could not be ended or removed as it should.
func (n *Network) Stop() error {
	err := together(n.POPs, func(_ int, p *POP) error {
		if p.process == nil {
			return nil
		}
		if err := p.process.stop(); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		return nil
	})
	if n.origin != nil {
		err = errors.Join(err, n.origin.Close())
	}
	if n.release != nil {
		n.release()
	}
	if n.dir != "" {
		err = errors.Join(err, os.RemoveAll(n.dir))
	}
	return err
}
