package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
	"github.com/rescind-edge/rescind/internal/config"
)

func purgeCommand(s streams) *cobra.Command {
	c := connection{s: s}
	var p api.Purge
	var extra purgeFlags
	cmd := &cobra.Command{
		Use:   "purge",
		Short: "Withdraw content",
		Long: `Withdraw content from the node. When the command returns, no request that begins
afterwards gets what was withdrawn.

All that one command names is withdrawn at one instant under one id, with which
"rescind revert" undoes it. More than 256 keys are sent as several purges.

With --wait it returns once others have it too, with a line for each member as
that confirms: peer, one other member; pop, all of the node's POP; all, all
members. Where some are missing when --timeout is over, it names them, and the
exit code is 3: the purge stands, and reaches them when they can be reached.

A node with cluster.durable_on: 2 waits for one other member in any case; where
none has the purge in time, the exit code is 3 as well.`,
		Example: `  rescind purge --url https://www.example.com/product/42
  rescind purge --key product-42 --key category-7 --soft
  rescind purge --path www.example.com/images --soft --grace 10m
  rescind purge --header 'X-Product: shoes/*' --under www.example.com/shop
  rescind purge --ban 'obj.status == 404 && req.url ~ ^/api/' --service shop
  list-changed-keys | rescind purge --file - --service shop
  rescind purge --all --service shop --note "price list replaced"
  rescind purge --key product-42 --wait all --timeout 10s`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := extra.finish(&p, cmd.Flags(), s.in); err != nil {
				return err
			}
			return c.call(func(node *client.Client) error {
				receipts, err := extra.sendPurge(cmd.Context(), node, p)
				if err != nil {
					return errors.Join(err, printSent(&c, receipts))
				}
				return extra.wait(cmd.Context(), &c, node, receipts)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&p.URLs, "url", nil, "a `URL` with all its variants, http and https (repeatable)")
	flags.BoolVar(&extra.oneScheme, "one-scheme", false, "with --url: only the scheme that the URL has")
	flags.StringArrayVar(&p.Keys, "key", nil, "all that carries a surrogate `KEY` (repeatable)")
	flags.StringVar(&extra.file, "file", "", "`FILE` with one surrogate key a line; - is the standard input")
	flags.StringArrayVar(&p.Paths, "path", nil, "a `PATH` and all below it: /path or host/path (repeatable)")
	flags.StringArrayVar(&p.Hosts, "host", nil, "all of a `HOST` (repeatable)")
	flags.StringArrayVar(&extra.headers, "header", nil, "responses with a header field such as `'NAME: VALUE'`; * and ? match anything but / (repeatable)")
	flags.StringVar(&extra.separator, "separator", "", "with --header: the value is a list with this `TEXT` between its elements")
	flags.StringArrayVar(&p.Bans, "ban", nil, "responses for which a `CONDITION` holds, as Varnish writes it (repeatable)")
	flags.StringVar(&p.Under, "under", "", "with --header and --ban: only below a `PATH`: /path or host/path")
	flags.BoolVar(&p.All, "all", false, "everything of the service")
	c.addService(cmd, &p.Service, "the service's `ID`; needed where neither hosts nor the token say it")
	flags.BoolVar(&extra.soft, "soft", false, "make it stale instead of unusable")
	flags.Var(&extra.ttl, "ttl", "with --soft: still fresh for at most this long, such as 90s or 1d (default not at all)")
	flags.Var(&extra.grace, "grace", "with --soft: then served stale for at most this long (default as the response says)")
	flags.Var(&extra.keep, "keep", "with --soft: then kept for revalidation for at most this long (default as the response says)")
	flags.StringVar(&extra.level, "wait", "", "return once others have it too: `LEVEL` is peer, pop or all")
	complete(cmd, "wait", func(*cobra.Command) []string { return waitLevels })
	extra.timeout = length(30 * time.Second)
	flags.Var(&extra.timeout, "timeout", "with --wait: for at most this long (default 30s)")
	for _, name := range []string{"ttl", "grace", "keep", "timeout"} {
		flags.Lookup(name).DefValue = "" // said in words above
	}
	flags.StringVar(&p.Note, "note", "", "`TEXT` for the receipt and the log")
	c.addTo(cmd)
	return cmd
}

// purgeFlags are the flags that do not stand for one member of a purge.
type purgeFlags struct {
	file, separator  string
	headers          []string
	soft, oneScheme  bool
	ttl, grace, keep length
	level            string
	timeout          length
}

var waitLevels = []string{string(api.WaitPeer), string(api.WaitPOP), string(api.WaitAll)}

// length is a duration as a flag, written as in a configuration.
type length time.Duration

func (l *length) String() string { return time.Duration(*l).String() }
func (l *length) Type() string   { return "duration" }

func (l *length) Set(text string) error {
	d, err := config.ParseDuration(text)
	if err == nil {
		*l = length(d)
	}
	return err
}

// finish completes a purge.
func (f *purgeFlags) finish(p *api.Purge, flags *pflag.FlagSet, stdin io.Reader) error {
	if f.soft {
		p.Mode = api.Soft
	}
	switch {
	case f.level == "" && flags.Changed("timeout"):
		return usagef("--timeout has a meaning only together with --wait")
	case f.level != "" && f.level != string(api.WaitNone) && !slices.Contains(waitLevels, f.level):
		return usagef("--wait takes peer, pop or all")
	case f.timeout <= 0:
		return usagef("--timeout takes a time above zero")
	}
	for name, bound := range map[string]struct {
		into **api.Duration
		flag length
	}{"ttl": {&p.TTL, f.ttl}, "grace": {&p.Grace, f.grace}, "keep": {&p.Keep, f.keep}} {
		if !flags.Changed(name) {
			continue
		}
		if p.Mode != api.Soft {
			return usagef("--%s has a meaning only together with --soft", name)
		}
		*bound.into = duration(time.Duration(bound.flag))
	}
	if f.file != "" {
		keys, err := readKeys(f.file, stdin)
		if err != nil {
			return err
		}
		p.Keys = append(p.Keys, keys...)
		if len(keys) == 0 {
			return fmt.Errorf("there is no key in %s; nothing was purged", f.file)
		}
	}
	for _, line := range f.headers {
		name, value, _ := strings.Cut(line, ":")
		p.Headers = append(p.Headers, api.Header{
			Name: strings.TrimSpace(name), Value: strings.TrimSpace(value), Separator: f.separator,
		})
	}
	if !f.oneScheme {
		for i, url := range p.URLs {
			p.URLs[i] = bothSchemes(url)
		}
	}
	return checkSelectors(p)
}

// bothSchemes takes the scheme off a URL: whoever copies one from a browser
// means the page.
func bothSchemes(url string) string {
	for _, scheme := range []string{"https:", "http:"} {
		if len(url) > len(scheme) && strings.EqualFold(url[:len(scheme)], scheme) && strings.HasPrefix(url[len(scheme):], "//") {
			return url[len(scheme):]
		}
	}
	return url
}

// checkSelectors refuses what is more likely a slip than meant.
func checkSelectors(p *api.Purge) error {
	tested := len(p.Headers)+len(p.Bans) > 0
	some := len(p.URLs)+len(p.Keys)+len(p.Paths)+len(p.Hosts) > 0 || tested
	switch {
	case !some && !p.All:
		return usagef("nothing to purge: give --url, --key, --file, --path, --host, --header, --ban or --all")
	case p.Under != "" && !tested:
		return usagef("--under has a meaning only together with --header or --ban")
	case some && p.All:
		return usagef("--all takes everything; leave it out, or the others")
	}
	for _, key := range p.Keys {
		if strings.ContainsAny(key, " \t") {
			return usagef("the key %q has a space in it, which no response can carry; repeat --key for several", key)
		}
	}
	return nil
}

func duration(d time.Duration) *api.Duration {
	out := api.Duration(d)
	return &out
}

// readKeys reads one key a line. White space around a key and empty lines are
// left out, because keys have none.
func readKeys(file string, stdin io.Reader) ([]string, error) {
	from := stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("read the keys: %w", err)
		}
		defer opened.Close()
		from = opened
	}
	var keys []string
	lines := bufio.NewScanner(from) // its limit of 64 KiB a line is far above that of a key
	for lines.Scan() {
		if key := strings.TrimSpace(lines.Text()); key != "" {
			keys = append(keys, key)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the keys of %s: %w", file, err)
	}
	return keys, nil
}

// sendPurge sends p, its keys in as many purges as they need, and returns the
// receipts of those that were carried out.
func (f *purgeFlags) sendPurge(ctx context.Context, node *client.Client, p api.Purge) (receipts []api.Receipt, err error) {
	send := node.Purge
	if f.level != "" { // a node that waits by itself waits no longer than that
		send = func(ctx context.Context, p api.Purge) (*api.Receipt, error) {
			return node.PurgeAndWait(ctx, p, api.WaitNone, time.Duration(f.timeout))
		}
	}
	parts := slices.Collect(slices.Chunk(p.Keys, api.MaxKeys))
	if len(parts) == 0 {
		parts = [][]string{nil}
	}
	for i, keys := range parts {
		if i > 0 { // the rest went with the first
			p.URLs, p.Paths, p.Hosts, p.All = nil, nil, nil, false
			p.Headers, p.Bans, p.Under = nil, nil, ""
		}
		p.Keys = keys
		receipt, err := send(ctx, p)
		if err != nil {
			if i > 0 {
				err = fmt.Errorf("the first %d keys were purged, the rest was not: %w", i*api.MaxKeys, err)
			}
			return receipts, err
		}
		receipts = append(receipts, *receipt)
	}
	return receipts, nil
}

// wait prints receipts and, where that is asked for, who confirms them.
func (f *purgeFlags) wait(ctx context.Context, c *connection, node *client.Client, receipts []api.Receipt) error {
	if f.level == "" || f.level == string(api.WaitNone) {
		if err := printSent(c, receipts); err != nil {
			return err
		}
		return secondDisk(receipts)
	}
	follow := follower{node: node, level: api.WaitLevel(f.level), timeout: time.Duration(f.timeout)}
	if c.json {
		err := follow.follow(ctx, receipts)
		return errors.Join(err, printSent(c, receipts))
	}
	if err := printSent(c, receipts); err != nil {
		return err
	}
	fmt.Fprintln(c.s.out)
	follow.confirm = func(m api.Confirmation) { printConfirmation(c.s.out, m) }
	err := follow.follow(ctx, receipts)
	alone := err == nil
	for i := range receipts {
		if confirmations := receipts[i].Confirmations; confirmations != nil {
			printSummary(c.s.out, confirmations)
			alone = false
		}
	}
	if alone {
		fmt.Fprintln(c.s.out, "the node belongs to no cluster: there is nobody to wait for")
	}
	return err
}

func printSent(c *connection, receipts []api.Receipt) error {
	if !c.json {
		if len(receipts) == 0 {
			return nil
		}
		return printReceipts(c.s.out, receipts)
	}
	for i := range receipts {
		if err := printJSON(c.s.out, &receipts[i]); err != nil {
			return err
		}
	}
	return nil
}
