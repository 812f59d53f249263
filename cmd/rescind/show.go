package main

import (
	"fmt"
	"io"

	"github.com/rescind-edge/rescind/client"
)

// show asks the node for something and prints it: as JSON where that is wanted,
// else by text.
func show[T any](c *connection, ask func(*client.Client) (T, error), text func(io.Writer, T) error) error {
	return c.call(func(node *client.Client) error {
		answer, err := ask(node)
		if err != nil {
			return err
		}
		if c.json {
			return printJSON(c.s.out, answer)
		}
		return text(c.s.out, answer)
	})
}

// confirm has the node do something to what is named, and says so: as JSON by
// what has been done, else by a line of text, where %s is the name.
func confirm(c *connection, name, done, line string, do func(*client.Client) error) error {
	ask := func(node *client.Client) (map[string]string, error) {
		return map[string]string{done: name}, do(node)
	}
	return show(c, ask, func(out io.Writer, _ map[string]string) error {
		_, err := fmt.Fprintf(out, line+"\n", name)
		return err
	})
}
