package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/internal/app"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/demo"
)

// demoCommand returns `rescind demo`.
func demoCommand(s streams) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the product working: a sample site, and a node in front of it",
		Long: `Demo starts a sample origin (a small shop whose pages change) and a node in front
of it, prints commands to try, and serves until it is interrupted.

With --once it plays a story instead — cached, changed, purged by key, softly, by
URL and as a whole, and a purge taken back — and prints what was expected and
what was seen. It exits with 1 if any step differs.`,
		Example: "  rescind demo\n  rescind demo --once",
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if once {
				return playDemo(cmd.Context(), s.out)
			}
			return serveDemo(cmd.Context(), s.out)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "play the story and exit")
	return cmd
}

// demoDelay is how long the sample origin takes for a page: what a dynamic
// site in the same country does.
const demoDelay = 40 * time.Millisecond

// demoNode is the sample site with a node in front, running.
type demoNode struct {
	shop       *demo.Shop
	origin     *http.Server
	originAddr string
	node       *app.App
}

// startDemo starts both on the given ports of the loopback address; 0, or a
// port that is taken, means any.
func startDemo(sitePort, adminPort, originPort int) (*demoNode, error) {
	d := &demoNode{shop: demo.NewShop(demoDelay)}
	listener, err := loopback(originPort)
	if err != nil {
		return nil, err
	}
	d.originAddr = listener.Addr().String()
	d.origin = &http.Server{Handler: d.shop, ReadHeaderTimeout: 10 * time.Second}
	go d.origin.Serve(listener) // ends by Close
	cfg, err := demoConfig(free(sitePort), free(adminPort), d.originAddr)
	if err == nil {
		d.node, err = app.New(app.Options{Config: cfg, Version: version()})
	}
	if err == nil {
		err = d.node.Start()
	}
	if err != nil {
		d.origin.Close()
		return nil, err
	}
	return d, nil
}

// loopback listens on a port, or on any where that is taken.
func loopback(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil && port != 0 {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

// free returns the port where it is free, and else 0.
func free(port int) int {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func demoConfig(site, admin int, origin string) (*config.Config, error) {
	return config.Parse(config.Source{File: "demo", Dir: "/", Data: fmt.Appendf(nil, `
node: {name: demo, pop: local}
listen: {http: "127.0.0.1:%d", admin: "127.0.0.1:%d"}
storage: {memory: 64MiB}
drain_timeout: 2s
services:
  - id: shop
    domains: ["*"]
    origins: [{url: "http://%s"}]
`, site, admin, origin)})
}

func (d *demoNode) site() string  { return "http://" + d.node.Addrs()[0].String() }
func (d *demoNode) admin() string { return "http://" + d.node.AdminAddr().String() }

func (d *demoNode) stop() error {
	return errors.Join(d.node.Stop(), d.origin.Close())
}

// commandName returns how this program was called, so that what is printed can
// be copied: `go run` builds it into a directory that is soon gone.
func commandName(arg0 string) string {
	if strings.Contains(arg0, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/rescind"
	}
	return arg0
}

func playDemo(ctx context.Context, out io.Writer) error {
	d, err := startDemo(0, 0, 0)
	if err != nil {
		return err
	}
	story := demo.Story{Site: d.site(), Admin: d.admin(), Shop: d.shop, Out: out}
	return errors.Join(story.Play(ctx), d.stop())
}

func serveDemo(ctx context.Context, out io.Writer) error {
	d, err := startDemo(8080, 8081, 9000)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `A sample shop runs at http://%[3]s, and Rescind in front of it at %[1]s

Ask twice: the second answer comes from the cache (X-Cache: HIT).
  curl -i %[1]s/products/1

Change the product at its origin. The cache cannot know yet:
  curl -X POST http://%[3]s/change/1
  curl -i %[1]s/products/1

Purge all that shows it — its page, the front page, the API — by one key:
  curl -X POST %[2]s/service/shop/purge/product-1
  curl -i %[1]s/products/1

The same, softly: answered stale at once, refreshed behind your back:
  curl -X POST -H 'Fastly-Soft-Purge: 1' %[2]s/service/shop/purge/product-1

By URL, with all its variants; and everything:
  curl -X PURGE %[1]s/products/1
  curl -X POST %[2]s/service/shop/purge_all

See the tags of a page, what the node does, and take a purge back:
  curl -sI -H 'Fastly-Debug: 1' %[1]s/
  %[4]s status --address %[2]s
  %[4]s purges --address %[2]s
  %[4]s revert ID --address %[2]s

Interrupt to stop.
`, d.site(), d.admin(), d.originAddr, commandName(os.Args[0]))
	<-ctx.Done()
	return d.stop()
}
