package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func clusterCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cluster",
		Short: "See and change who shares purges",
		Long: `See and change who shares purges. Changing takes a token with the scope global, or
the node's Unix socket.`,
		Example: `  rescind cluster members`,
		Args:    cobra.ArbitraryArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	cmd.AddCommand(membersCommand(s), forgetCommand(s), leaveCommand(s), rotateKeyCommand(s))
	return cmd
}

func membersCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:     "members",
		Short:   "List the members, as the node sees them",
		Example: `  rescind cluster members`,
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(&c, func(node *client.Client) (*api.Cluster, error) { return node.Members(cmd.Context()) }, printMembers)
		},
	}
	c.addTo(cmd)
	return cmd
}

func printMembers(out io.Writer, c *api.Cluster) error {
	fmt.Fprintln(out, standingText(&c.ClusterStatus))
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tPOP\tSTATE\tVERSION\tROUND TRIP\tHEARD\tBEHIND\tISOLATED\tDISK\tADDRESS")
	for _, m := range c.Members {
		behind := fmt.Sprint(m.Behind)
		if m.State == api.MemberSelf {
			behind = "-"
		}
		state := string(m.State)
		if len(m.Roles) > 0 {
			state += ", " + strings.Join(m.Roles, ", ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(m.Name), printable(m.POP), printable(state),
			printable(cmp.Or(m.Version, "-")), spanText(m.RTT, 10*time.Microsecond, ""), spanText(m.Heard, 100*time.Millisecond, " ago"), behind,
			cmp.Or(m.Isolation, "-"), diskText(m.Disk), cmp.Or(m.Address, "-"))
	}
	return w.Flush()
}

// diskText says whether a member has a disk.
func diskText(disk *bool) string {
	switch {
	case disk == nil:
		return "-"
	case *disk:
		return "yes"
	}
	return "no"
}

// standingText says in a line how a node stands to its cluster.
func standingText(c *api.ClusterStatus) string {
	text := fmt.Sprintf("%s: hears %d of %s, needs %d; what is stored is %s", c.State, c.Heard, count(c.Roster, "member"), c.Majority, c.Stored)
	if c.Isolated {
		text = fmt.Sprintf("ISOLATED for %v, ", time.Duration(c.Since).Round(time.Second)) + text
	}
	if c.Role == api.RoleWitness {
		text = "witness, " + text
	}
	if c.Reason != "" {
		text += " (" + printable(c.Reason) + ")"
	}
	return text
}

func spanText(d *api.Duration, unit time.Duration, suffix string) string {
	if d == nil {
		return "-"
	}
	return time.Duration(*d).Round(unit).String() + suffix
}

func forgetCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "forget NAME",
		Short: "Take a member out that will not come back",
		Long: `Take a member out of the cluster that will not come back: purges do not wait for it
any more, and it does not count for the majority. One that is alive leaves by
"rescind cluster leave". Should a forgotten node start again, it joins anew.`,
		Example: `  rescind cluster forget sin1-b`,
		Args:    arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return confirm(&c, args[0], "forgotten", "%s is forgotten", func(node *client.Client) error {
				return node.Forget(cmd.Context(), args[0])
			})
		},
	}
	c.addTo(cmd)
	return cmd
}

func leaveCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "leave",
		Short: "Have the node leave the cluster for good",
		Long: `Have the node that is asked leave the cluster for good. It serves nothing that it
has stored any more, /readyz answers 503, and it takes no purges; the others
do not wait for it. Stop it then. To stop a node that comes back, as for an
upgrade, just stop it: it stays a member.`,
		Example: `  rescind cluster leave --address unix:/run/rescind/admin.sock && systemctl disable --now rescind`,
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			leave := func(node *client.Client) (*api.ClusterStatus, error) { return node.Leave(cmd.Context()) }
			return show(&c, leave, func(out io.Writer, _ *api.ClusterStatus) error {
				_, err := fmt.Fprintln(out, "the node has left the cluster; stop it now")
				return err
			})
		},
	}
	c.addTo(cmd)
	return cmd
}

func rotateKeyCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Show how far a change of the cluster's secret has come",
		Long: `Show which secrets each member uses, by names that tell nothing about them, and
what to do next. Secrets are in the configuration (cluster.secret). To change
them without a gap, take three steps, each on every member before the next,
with SIGHUP after each:

  1. add the new one behind the old:  secret: ["${OLD}", "${NEW}"]
  2. put the new one first:           secret: ["${NEW}", "${OLD}"]
  3. remove the old one:              secret: ["${NEW}"]`,
		Example: `  rescind cluster rotate-key`,
		Args:    arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(&c, func(node *client.Client) (*api.ClusterKeys, error) { return node.Keys(cmd.Context()) }, printKeys)
		},
	}
	c.addTo(cmd)
	return cmd
}

func printKeys(out io.Writer, k *api.ClusterKeys) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "MEMBER\tPOP\tUSES\tKNOWS ALSO")
	for _, m := range k.Members {
		uses, knows := "? ("+m.Error+")", ""
		if len(m.Keys) > 0 {
			uses, knows = m.Keys[0], strings.Join(m.Keys[1:], " ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(m.Member), printable(m.POP), printable(uses), printable(cmp.Or(knows, "-")))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nnext: %s\n", printable(k.Next))
	return err
}
