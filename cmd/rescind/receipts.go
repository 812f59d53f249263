package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func purgesCommand(s streams) *cobra.Command {
	c := connection{s: s}
	limit := 0
	cmd := &cobra.Command{
		Use:   "purges [ID]",
		Short: "List recent purges, or show one",
		Example: `  rescind purges --limit 10
  rescind purges show 01JGFJJZ00G7R8MA0QAW0B9V5T`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("unexpected argument %q", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 || limit > api.MaxListed {
				return usagef("--limit takes 1 to %d", api.MaxListed)
			}
			if len(args) == 1 {
				return showPurge(cmd.Context(), &c, args[0])
			}
			list := func(node *client.Client) ([]api.Receipt, error) { return node.Receipts(cmd.Context(), limit) }
			return show(&c, list, printReceipts)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 0, fmt.Sprintf("list at most this many (default %d)", api.DefaultListed))
	c.addTo(cmd)
	cmd.AddCommand(showCommand(s))
	return cmd
}

func showCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:     "show ID",
		Short:   "Show one purge, and which members have applied it",
		Example: `  rescind purges show 01JGFJJZ00G7R8MA0QAW0B9V5T`,
		Args:    arguments("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showPurge(cmd.Context(), &c, args[0])
		},
	}
	c.addTo(cmd)
	return cmd
}

func showPurge(ctx context.Context, c *connection, id string) error {
	ask := func(node *client.Client) (*api.Receipt, error) { return node.Receipt(ctx, id) }
	return show(c, ask, func(out io.Writer, receipt *api.Receipt) error {
		if err := printReceipts(out, []api.Receipt{*receipt}); err != nil {
			return err
		}
		return printConfirmations(out, receipt.Confirmations)
	})
}

func revertCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "revert ID",
		Short: "Undo a purge",
		Long: `Undo a purge: exactly its effects are removed, those of other purges stay. What
was withdrawn and is still stored is served again. It is possible within the
service's undo window, and final.`,
		Example: `  rescind revert 01JGFJJZ00G7R8MA0QAW0B9V5T`,
		Args:    arguments("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			revert := func(node *client.Client) (*api.Revert, error) { return node.Revert(cmd.Context(), args[0]) }
			return show(&c, revert, func(out io.Writer, reverted *api.Revert) error {
				_, err := fmt.Fprintf(out, "%s: %s\n", reverted.ID, outcomeText(reverted.Outcome))
				return err
			})
		},
	}
	c.addTo(cmd)
	return cmd
}

func outcomeText(o api.RevertOutcome) string {
	switch o {
	case api.RevertDone:
		return "undone"
	case api.RevertPart:
		return "undone in part: some effects had merged with those of other purges and stay"
	case api.RevertPending:
		return "this node has not seen the purge; it will have no effect when it arrives"
	case api.RevertAlready:
		return "had been undone before"
	}
	return string(o)
}
