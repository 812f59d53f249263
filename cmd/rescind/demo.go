package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/internal/demo"
)

// demoCommand returns `rescind demo`.
func demoCommand(s streams) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the product working: a sample site, and three POPs in front of it",
		Long: `Demo starts a sample origin (a small shop whose pages change) and three POPs in
front of it, each a process of its own, prints commands to try, and serves until
it is interrupted. All of it is on the loopback address and gone at the end.

With --once it plays a story instead: a page is cached at all POPs, changed, and
withdrawn everywhere by a purge at one of them, by key, softly and by URL; a purge
is taken back; a POP is killed and another frozen while there are purges, and what
they have missed does not come back. It prints what is seen at each POP and how
long it took, and exits with 1 at the first step that is not as expected.`,
		Example: "  rescind demo\n  rescind demo --once",
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), s.out, once)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "play the story and exit")
	return cmd
}

func runDemo(ctx context.Context, out io.Writer, once bool) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	network, err := demo.Start(ctx, demo.Config{Program: program, Usual: !once})
	if err != nil {
		return err
	}
	if once {
		story := demo.Story{Network: network, Out: out}
		err = story.Play(ctx)
	} else {
		printDemo(out, network, commandName(os.Args[0]))
		err = network.Watch(ctx, out)
	}
	return errors.Join(err, network.Stop())
}

// commandName returns how this program was called, so that what is printed can
// be copied: `go run` builds it into a directory that is soon gone.
func commandName(arg0 string) string {
	if strings.Contains(arg0, string(filepath.Separator)+"go-build") {
		return "go run ./cmd/rescind"
	}
	return arg0
}

func printDemo(out io.Writer, n *demo.Network, command string) {
	fmt.Fprintf(out, "A sample shop runs at %s, and three POPs in front of it:\n\n", n.Origin)
	fmt.Fprintf(out, "  %-6s%-24s%s\n", "POP", "SITE", "ADMIN")
	for _, p := range n.POPs {
		fmt.Fprintf(out, "  %-6s%-24s%s\n", p.Name, p.Site, p.Admin)
	}
	first, second, third := n.POPs[0], n.POPs[1], n.POPs[2]
	fmt.Fprintf(out, `
Ask each POP twice: the second answer comes from its cache (X-Cache: HIT).
  curl -i %[1]s/products/1
  curl -i %[3]s/products/1
  curl -i %[5]s/products/1

Change the product at its origin. No cache can know yet:
  curl -X POST %[7]s/change/1
  curl -i %[3]s/products/1

Purge all that shows it (its page, the front page, the API) by one key, at one
POP. It is gone at all of them:
  curl -X POST %[2]s/service/shop/purge/product-1
  curl -i %[3]s/products/1
  curl -i %[5]s/products/1

The same at another POP, softly: answered stale at once, refreshed behind your back:
  curl -X POST -H 'Fastly-Soft-Purge: 1' %[4]s/service/shop/purge/product-1

By URL, with all its variants; and everything:
  curl -X PURGE %[5]s/products/1
  curl -X POST %[2]s/service/shop/purge_all

See what each POP has applied, and take a purge back, at whichever you like:
  %[8]s purges --address %[6]s
  %[8]s revert ID --address %[4]s

Kill a POP and purge meanwhile: it is started again after a while, and what it
missed does not come back.
  kill -9 %[9]d    # %[10]s

Interrupt to stop.
`, first.Site, first.Admin, second.Site, second.Admin, third.Site, third.Admin, n.Origin, command, third.PID(), third.Name)
}
