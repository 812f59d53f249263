package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/client"
)

// connection are the flags of every command that talks to a node.
type connection struct {
	s              streams
	address, token string
	json           bool
}

func (c *connection) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.address, "address", "",
		"the node's administrative listener: http://, https:// or unix:/path\n(default $RESCIND_ADDRESS, else "+client.DefaultAddress+")")
	flags.StringVar(&c.token, "token", "", "token for the node (default $RESCIND_TOKEN, where other users do not see it)")
	flags.BoolVar(&c.json, "json", false, "print the answer as JSON")
}

// call runs f with a client of the node.
func (c *connection) call(f func(*client.Client) error) error {
	address := cmp.Or(c.address, c.s.env("RESCIND_ADDRESS"), client.DefaultAddress)
	node, err := client.New(address, client.Options{Token: cmp.Or(c.token, c.s.env("RESCIND_TOKEN"))})
	if err != nil {
		return usageError{err}
	}
	defer node.Close()
	err = f(node)
	if errors.Is(err, client.ErrUnreachable) {
		return fmt.Errorf("%w\nIs the node running? --address or RESCIND_ADDRESS says where its administrative listener is", err)
	}
	return err
}
