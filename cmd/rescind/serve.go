package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/internal/app"
)

func serveCommand(s streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Run an edge node",
		Long: `Run an edge node until SIGTERM or SIGINT; then requests in flight are finished
for as long as drain_timeout allows, after drain_delay in which the node serves
on and /readyz says 503. A second signal ends the node at once.

SIGHUP takes up a changed configuration without dropping a connection or an
object. If it is wrong, the node says why and goes on with the one it has.`,
		Example: `  rescind serve --config /etc/rescind/rescind.yaml`,
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usagef("--config is missing; it takes the path of the configuration")
			}
			return serve(cmd.Context(), path, s)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `FILE`")
	return cmd
}

func serve(ctx context.Context, path string, s streams) error {
	hangup := make(chan os.Signal, 1) // one is enough: a reload takes up all changes before it
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	node, err := app.New(app.Options{ConfigPath: path, Stderr: s.err, Version: version()})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var reloads sync.WaitGroup
	reloads.Go(func() { reloadOn(ctx, hangup, node) })
	err = node.Run(ctx)
	stop()
	reloads.Wait()
	return err
}

// reloader is what a hangup signal is for.
type reloader interface {
	// Reload takes up the configuration again. Where it is wrong, nothing
	// changes.
	Reload() error
}

func reloadOn(ctx context.Context, hangup <-chan os.Signal, node reloader) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			node.Reload() // what is wrong with it is in the node's log
		}
	}
}
