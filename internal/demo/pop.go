package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// POP is one point of presence: one node, a process.
type POP struct {
	Name  string // as in its receipts
	Place string
	Site  string // base URL of its data plane
	Admin string // base URL of its admin listener

	program string
	dir     string // with its configuration and its data
	process *process
}

// readyWithin is how long a POP may take to start on a busy machine.
const readyWithin = 20 * time.Second

// errStart is wrapped by the errors of a POP that does not start.
var errStart = errors.New("a POP does not start")

// launch starts the POP's process; it waits for nothing.
func (p *POP) launch() (err error) {
	if p.process, err = start(p.program, "serve", "--config", filepath.Join(p.dir, "rescind.yaml")); err != nil {
		return fmt.Errorf("%w: %s: %w", errStart, p.Name, err)
	}
	return nil
}

// ready waits until the POP says that it is ready to serve.
func (p *POP) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if code, err := status(ctx, p.Admin+"/readyz"); err == nil && code == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s: %w; it said:\n%s", errStart, p.Name, ctx.Err(), p.said())
		case <-p.process.ended:
			return fmt.Errorf("%w: %s ended; it said:\n%s", errStart, p.Name, p.said())
		case <-time.After(glance):
		}
	}
}

// glance is the pause between two looks at a POP.
const glance = 2 * time.Millisecond

// said is the end of the POP's log, without the names of this machine's folders.
func (p *POP) said() string {
	return strings.ReplaceAll(p.process.said.String(), p.dir, p.Name)
}

func status(ctx context.Context, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// settings are what a POP's configuration is made of.
type settings struct {
	site, admin, member int // ports
	members             []int
	secret, origin      string
}

// isolatedAfter is how long a POP may hear nobody before it asks the origin about
// what it has stored: short, so that a story can wait for it, and long enough for
// a busy machine.
const isolatedAfter = 3 * time.Second

// configure writes the POP's configuration, which only this user may read: it
// holds the secret of the cluster.
func (p *POP) configure(s settings) error {
	var join []string
	for _, port := range s.members {
		join = append(join, fmt.Sprintf("127.0.0.1:%d", port))
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.dir, "rescind.yaml"), fmt.Appendf(nil, `
node: {name: %s, pop: %s, data_dir: data}
listen: {http: "127.0.0.1:%d", admin: "127.0.0.1:%d"}
cluster:
  bind: "127.0.0.1:%d"
  join: ["%s"]
  secret: %s
  isolation: {after: %s, policy: revalidate}
storage: {memory: 64MiB}
drain_timeout: 2s
services:
  - id: shop
    domains: ["*"]
    origins: [{url: "http://%s"}]
`, p.Name, p.Place, s.site, s.admin, s.member, strings.Join(join, `", "`), s.secret, isolatedAfter, s.origin), 0o600)
}

// together does something for all POPs at the same time.
func together(pops []*POP, do func(i int, p *POP) error) error {
	errs := make([]error, len(pops))
	var wg sync.WaitGroup
	for i, p := range pops {
		wg.Go(func() { errs[i] = do(i, p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
