package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

func statusCommand(s streams) *cobra.Command {
	c := connection{s: s}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the node is and does",
		Example: `  rescind status
  rescind status --address http://10.0.0.7:8081 --json`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return show(&c, func(node *client.Client) (*api.Status, error) { return node.Status(cmd.Context()) }, printStatus)
		},
	}
	c.addTo(cmd)
	return cmd
}

func printStatus(out io.Writer, st *api.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	t := st.Traffic
	fmt.Fprintf(w, "node\t%s (POP %s), version %s\n", st.Node, st.POP, st.Version)
	fmt.Fprintf(w, "up\t%s, since %s\n", time.Duration(st.Uptime).Round(time.Second), st.Started.Local().Format(time.DateTime))
	fmt.Fprintf(w, "traffic\t%s: %d hits, %d stale, %d misses, %d passes, %d errors; %s\n", count(t.Requests, "request"),
		t.Hits, t.Stale, t.Misses, t.Passes, t.Errors, count(t.OriginRequests, "origin request"))
	fmt.Fprintf(w, "store\t%s, %s of %s; evicted %d, swept %d, expired %d, refused %d\n", count(st.Store.Objects, "object"),
		bytesText(st.Store.Bytes), bytesText(st.Store.Budget), st.Store.Evicted, st.Store.Swept, st.Store.Expired, st.Store.Refused)
	fmt.Fprintf(w, "purges\t%d applied, %d reverted; %s in %s, %d folded\n", st.Purges.Applied, st.Purges.Reverted,
		count(st.Purges.Marks, "mark"), bytesText(st.Purges.MarkBytes), st.Purges.Folded)
	if st.Purges.NotSaved != "" {
		fmt.Fprintf(w, "journal\ttakes nothing: %s; purges are in force here, answered 500, and would not survive a crash\n", printable(st.Purges.NotSaved))
	}
	if st.Cluster != nil {
		fmt.Fprintf(w, "cluster\t%s\n", standingText(st.Cluster))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return printServices(out, st.Services)
}

func printServices(out io.Writer, services []api.ServiceStatus) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tDOMAINS\tPURGE-ALLS\tORIGINS")
	for _, service := range services {
		origins := make([]string, len(service.Origins))
		for i, origin := range service.Origins {
			origins[i] = originText(origin)
		}
		if service.Shield != nil {
			origins = append(origins, shieldText(service.Shield))
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\n", service.ID, strings.Join(service.Domains, " "), service.Generation, strings.Join(origins, ", "))
	}
	return w.Flush()
}

// shieldText says how a service's requests go, beside its origins.
func shieldText(s *api.ShieldStatus) string {
	var resting []string
	for _, m := range s.Members {
		if m.Resting {
			resting = append(resting, m.Name)
		}
	}
	switch {
	case s.Here:
		return "shield of others"
	case s.Direct != "":
		return "past the shield " + s.POP + " (" + s.Direct + ")"
	case len(resting) > 0:
		return "through " + s.POP + ", without " + strings.Join(resting, " ")
	}
	return "through " + s.POP
}

func originText(o api.OriginStatus) string {
	switch {
	case o.Healthy:
		return o.URL + " healthy"
	case o.Reason == "":
		return o.URL + " not healthy"
	}
	return fmt.Sprintf("%s not healthy (%s)", o.URL, o.Reason)
}
