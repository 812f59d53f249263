package main

import (
	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func servicesCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "services",
		Short: "List the services of the node",
		Long:  "List the services that the token may see, with the state of their origins.",
		Example: `  rescind services
  rescind services --json | jq -r '.[].id'`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(&c, func(node *client.Client) ([]api.ServiceStatus, error) { return node.Services(cmd.Context()) }, printServices)
		},
	}
	c.addTo(cmd)
	return cmd
}
