package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// streams are what a command has of its process.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(name string) string
	terminal bool // out is a terminal that can be drawn on
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitAbsent = 3 // a purge is in force, and members are missing that were waited for
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// run executes a command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := rootCommand(s)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(s.err, "rescind: %s\n", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(s.err, "Run %q for help.\n", command.CommandPath()+" --help")
		return exitUsage
	}
	var missing *missingError
	if errors.As(err, &missing) {
		return exitAbsent
	}
	return exitFailed
}

func rootCommand(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "rescind",
		Short: "An HTTP edge cache whose content can be withdrawn at once",
		Long: `Rescind is an HTTP edge cache whose content can be withdrawn at once.

"rescind serve" runs a node; the other commands talk to one through its
administrative listener. Which node is said by --address, else by the
environment's RESCIND_ADDRESS, else by a context of the client's file
(~/.config/rescind/cli.yaml, readable by its owner only):

  current: fra1
  contexts:
    fra1: {address: "https://fra1.example.net:8081", token: rsc_…}
    here: {address: "unix:/run/rescind/admin.sock"}

Exit codes: 0 done; 1 failed: the node refused or did not answer, or a file is
wrong; 2 the command line is wrong, and nothing was asked; 3 a purge is in
force, and not all that it was to wait for have confirmed it.`,
		Example: `  rescind config check rescind.yaml
  rescind serve --config rescind.yaml
  rescind purge --key product-42
  rescind explain https://www.example.com/product/42
  rescind status`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		serveCommand(s),
		configCommand(s),
		purgeCommand(s),
		purgesCommand(s),
		revertCommand(s),
		explainCommand(s),
		statusCommand(s),
		clusterCommand(s),
		servicesCommand(s),
		topCommand(s),
		logCommand(s),
		tokenCommand(s),
		demoCommand(s),
		versionCommand(s),
	)
	return root
}

// unknownCommand runs for a command that only groups others.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usagef("unknown command %q; did you mean %q?", args[0], cmd.CommandPath()+" "+near[0])
	}
	return usagef("unknown command %q", args[0])
}

// arguments refuses any other number of arguments than that of their names.
func arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) > len(names):
			return usagef("unexpected argument %q", args[len(names)])
		case len(args) < len(names):
			return usagef("%s is missing", names[len(args)])
		}
		return nil
	}
}
