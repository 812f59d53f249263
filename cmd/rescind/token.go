package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
	"github.com/rescind-edge/rescind/internal/config"
)

func tokenCommand(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Create, list and revoke tokens",
		Long: `Create, list and revoke tokens. It takes a token with the scope global, or the
node's Unix socket as --address; and the node needs node.data_dir, where it
keeps a hash of each.`,
		Example: `  rescind token create deploy --scope purge_select --service shop --expires 90d
  rescind token list
  rescind token revoke 01JGFJJZ00G7R8MA0QAW0B9V5T`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
	}
	cmd.AddCommand(tokenCreateCommand(s), tokenListCommand(s), tokenRevokeCommand(s))
	return cmd
}

func tokenCreateCommand(s streams) *cobra.Command {
	c := connection{s: s}
	var scopes, services []string
	var expires string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a token",
		Long: `Create a token. Its value goes to the standard output, alone on a line and only
now: the node keeps a hash. All else goes to the standard error.

Scopes are purge_select (by URL, key, path and host), purge_all, global
(everything) and global:read (receipts, status and the log).`,
		Example: `  rescind token create deploy --scope purge_select --scope purge_all --service shop
  rescind token create monitoring --scope global:read --expires 2027-01-01T00:00:00Z
  TOKEN=$(rescind token create ci --scope purge_select --expires 30d)`,
		Args: arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			wanted := api.NewToken{Name: args[0], Services: services}
			for _, scope := range scopes {
				wanted.Scopes = append(wanted.Scopes, api.Scope(scope))
			}
			if len(scopes) == 0 {
				return usagef("--scope is missing; it says what the token allows: %s", strings.Join(tokenScopes(), ", "))
			}
			if err := setExpiry(&wanted, expires); err != nil {
				return err
			}
			create := func(node *client.Client) (*api.CreatedToken, error) { return node.CreateToken(cmd.Context(), wanted) }
			return show(&c, create, func(out io.Writer, created *api.CreatedToken) error {
				fmt.Fprintf(s.err, "The token %s has the id %s. Its value is shown this once:\n", created.Name, created.ID)
				_, err := fmt.Fprintln(out, created.Value)
				return err
			})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&scopes, "scope", nil, "what it allows: `SCOPE` (repeatable; required)")
	flags.StringSliceVar(&services, "service", nil, "the `ID` of a service that it is for (repeatable; default all)")
	flags.StringVar(&expires, "expires", "", "until `WHEN` it is good: a length of time such as 90d or 12h, or a time such as\n2027-01-01T00:00:00Z (default until it is revoked)")
	complete(cmd, "scope", func(*cobra.Command) []string { return tokenScopes() })
	complete(cmd, "service", c.serviceIDs)
	c.addTo(cmd)
	return cmd
}

func tokenScopes() []string {
	return []string{
		string(api.ScopePurgeSelect), string(api.ScopePurgeAll), string(api.ScopeGlobal), string(api.ScopeGlobalRead),
	}
}

func setExpiry(t *api.NewToken, text string) error {
	if text == "" {
		return nil
	}
	if length, err := config.ParseDuration(text); err == nil && length > 0 {
		t.ExpiresIn = duration(length)
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return usagef("--expires %q is neither a length of time such as 90d nor a time such as 2027-01-01T00:00:00Z", text)
	}
	t.Expires = &at
	return nil
}

func tokenListCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens",
		Long: `List the tokens that the node knows: those of its configuration, which have no
id, and those that were created. No value is shown: the node has only hashes.`,
		Example: `  rescind token list
  rescind token list --json | jq -r '.[] | select(.expired) | .id'`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(&c, func(node *client.Client) ([]api.Token, error) { return node.Tokens(cmd.Context()) }, printTokens)
		},
	}
	c.addTo(cmd)
	return cmd
}

func printTokens(out io.Writer, tokens []api.Token) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tSERVICES\tCREATED\tEXPIRES\tLAST USED")
	for _, t := range tokens {
		id, services := t.ID, "all"
		if t.Source == api.TokenConfigured {
			id = "(configured)"
		}
		if len(t.Services) > 0 {
			services = strings.Join(t.Services, " ")
		}
		scopes := make([]string, len(t.Scopes))
		for i, scope := range t.Scopes {
			scopes[i] = string(scope)
		}
		expires := timeText(t.Expires, "never")
		if t.Expired {
			expires += ", expired"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", id, printable(t.Name), strings.Join(scopes, " "), services,
			timeText(t.Created, "-"), expires, timeText(t.LastUsed, "-"))
	}
	return w.Flush()
}

func timeText(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.Local().Format(time.DateTime)
}

func tokenRevokeCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "Make a token no good, at once and for good",
		Long: `Make a token no good for every request that begins afterwards. A token of the
configuration is removed there.`,
		Example: `  rescind token revoke 01JGFJJZ00G7R8MA0QAW0B9V5T`,
		Args:    arguments("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return confirm(&c, args[0], "revoked", "%s: revoked", func(node *client.Client) error {
				return node.RevokeToken(cmd.Context(), args[0])
			})
		},
	}
	c.addTo(cmd)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var ids []string
		if len(args) == 0 {
			c.call(func(node *client.Client) error {
				tokens, err := node.Tokens(cmd.Context())
				for _, t := range slices.DeleteFunc(tokens, func(t api.Token) bool { return t.ID == "" }) {
					ids = append(ids, t.ID+"\t"+t.Name)
				}
				return err
			})
		}
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}
