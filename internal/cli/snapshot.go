package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"warren"
	"warren/state"
)

func (a *app) snapshot() *cobra.Command {
	var out string
	var conntrack bool
	c := &cobra.Command{
		Use:     "snapshot [NAMESPACE...]",
		GroupID: groupSeeing,
		Short:   "Write all that the host's namespaces hold to a file",
		Long: `Read every network namespace of the host, named or not, and write it as one JSON document ("docs/json.md" describes it):
links and where their other ends are, addresses, routes, rules, neighbours, forwarding tables, firewall rules, sockets,
the sysctls that decide forwarding, processes, what keeps a namespace alive and who made it. With NAMESPACEs (a name, a
path, pid:N, cookie:N, container:ID, host) only those.

A snapshot can be looked at elsewhere and without root: commands that read take --snapshot FILE. Keys (of WireGuard) are
never in it; addresses and command lines are. What could not be read is in it too, by name and with the reason.

Exit status: 0 also when not everything could be read, 1 an error, 2 wrong usage.`,
		Example: `  warren snapshot -o host.json.gz       all of the host
  warren snapshot web db                two namespaces, to standard output
  warren snapshot --conntrack -o h.json with the connections that are tracked
  warren graph --snapshot h.json        look at one that was taken elsewhere`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(ctx context.Context, w *warren.Warren) error {
				s, err := w.Snapshot(ctx, warren.SnapshotOptions{Names: args, Conntrack: conntrack})
				if err != nil {
					return err
				}
				if err := missing(s, args); err != nil {
					return err
				}
				if n := len(s.Unread); n > 0 {
					a.note("%d things could not be read; the snapshot names them", n)
				}
				if out == "" || out == "-" {
					return warren.WriteSnapshot(a.Out, s)
				}
				return warren.SaveSnapshot(out, s)
			})
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", `file to write, compressed when its name ends in ".gz" (default: standard output)`)
	c.Flags().BoolVar(&conntrack, "conntrack", false, "with conntrack's table of connections")
	return c
}

// missing is the error of namespaces that were asked for and are not there.
func missing(s state.Snapshot, names []string) error {
	var errs []error
	for _, n := range names {
		if s.Namespace(n) == nil {
			errs = append(errs, notThere(n))
		}
	}
	return errors.Join(errs...)
}
