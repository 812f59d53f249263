package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/client"
)

// connection are the flags of every command that talks to a node.
type connection struct {
	s                       streams
	address, token, context string
	json                    bool
}

func (c *connection) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.address, "address", "",
		"the node's administrative listener: http://, https:// or unix:/path\n(default $RESCIND_ADDRESS, else that of the context, else "+client.DefaultAddress+")")
	flags.StringVar(&c.token, "token", "", "token for the node (default $RESCIND_TOKEN, where other users do not see it,\nelse that of the context)")
	flags.StringVar(&c.context, "context", "", "`NAME` in the client's file (default $RESCIND_CONTEXT, else the file's current)")
	flags.BoolVar(&c.json, "json", false, "print the answer as JSON")
	complete(cmd, "context", func(cmd *cobra.Command) []string { return contextNames(c.s.env) })
}

// addService adds the flag --service with the node's services as completions.
func (c *connection) addService(cmd *cobra.Command, into *string, usage string) {
	cmd.Flags().StringVar(into, "service", "", usage)
	complete(cmd, "service", c.serviceIDs)
}

// complete lists the values of a flag where the shell asks for them.
func complete(cmd *cobra.Command, flag string, values func(*cobra.Command) []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return values(cmd), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // the flag was defined a line before
	}
}

// completionTimeout bounds how long a shell waits after the tabulator.
const completionTimeout = 2 * time.Second

// serviceIDs returns the ids of the node's services, or none where it does not
// answer: a completion has nowhere to report an error.
func (c *connection) serviceIDs(cmd *cobra.Command) (ids []string) {
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	c.call(func(node *client.Client) error {
		services, err := node.Services(ctx)
		for _, service := range services {
			ids = append(ids, service.ID)
		}
		return err
	})
	return ids
}

// call runs f with a client of the node.
func (c *connection) call(f func(*client.Client) error) error {
	address, token, err := c.target()
	if err != nil {
		return err
	}
	node, err := client.New(address, client.Options{Token: token})
	if err != nil {
		return usageError{err}
	}
	defer node.Close()
	err = f(node)
	if errors.Is(err, client.ErrUnreachable) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w\nIs the node running? --address or RESCIND_ADDRESS says where its administrative listener is", err)
	}
	return err
}

// target says which node is meant, and with which token: a flag goes before the
// environment, and that before the client's file. A context's token goes to the
// context's address only.
func (c *connection) target() (address, token string, err error) {
	named, chosen := c.context, c.context != ""
	if chosen && c.address != "" {
		return "", "", usagef("--address and --context both say which node is meant; give one")
	}
	envAddress, envToken := c.s.env("RESCIND_ADDRESS"), c.s.env("RESCIND_TOKEN")
	if !chosen {
		named = c.s.env("RESCIND_CONTEXT")
	}
	switch {
	case c.address != "":
		return c.address, cmp.Or(c.token, envToken), nil
	case envAddress != "" && !chosen:
		return envAddress, cmp.Or(c.token, envToken), nil
	}
	found, err := findContext(c.s.env, named)
	if err != nil {
		return "", "", err
	}
	address = cmp.Or(found.Address, client.DefaultAddress)
	if chosen {
		return address, cmp.Or(c.token, found.Token), nil
	}
	return address, cmp.Or(c.token, envToken, found.Token), nil
}
