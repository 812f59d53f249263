package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/internal/app"
)

func configCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Work with configuration files",
		Example: "  rescind config check /etc/rescind/rescind.yaml",
		Args:    cobra.ArbitraryArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	cmd.AddCommand(configCheckCommand(s))
	return cmd
}

func configCheckCommand(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration without starting",
		Long: `Check a configuration without starting: every mistake is listed with its line
and column. The environment must be that of the node, because ${NAME} in the
file is taken from it, and the certificates that it names must be readable.
Directories that this user could not write to are warned of.`,
		Example: `  rescind config check /etc/rescind/rescind.yaml`,
		Args:    arguments("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := app.LoadConfig(args[0])
			if err != nil {
				return fmt.Errorf("the configuration cannot be used:\n%w", err)
			}
			for _, warning := range app.Warnings(c) {
				fmt.Fprintf(s.err, "%s: warning: %s\n", args[0], warning)
			}
			fmt.Fprintf(s.out, "%s: ok: node %s with %s, %s and %s\n", args[0], c.Node.Name,
				count(len(c.Listen.HTTP)+len(c.Listen.HTTPS), "listener"), count(len(c.Services), "service"), count(len(c.Tokens), "token"))
			return nil
		},
	}
}
