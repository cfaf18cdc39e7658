package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"warren"
	"warren/draw"
	"warren/state"
)

func (a *app) show() *cobra.Command {
	var lab string
	var conntrack, asJSON bool
	var src source
	c := &cobra.Command{
		Use:     "show NAMESPACE",
		GroupID: groupSeeing,
		Short:   "Show all of one namespace on a page",
		Long: `Show a namespace: what it is, who made it and what keeps it alive; its links and where their other ends are, in whatever
namespace; addresses, routes of all tables, rules, neighbours, forwarding tables; nftables in nft's syntax and legacy tables in
that of iptables-save; listening sockets with their processes; counters, processes, and what could not be read.

NAMESPACE is a node's name while only one lab has it, or LAB.NODE; or any other name below /run/netns, a path, pid:N, id:N (as
seen from here), cookie:N, container:ID or host.
Exit status: 0, 1 an error or no such namespace, 2 wrong usage.`,
		Example: `  warren show web
  warren show host --conntrack       with the connections that are tracked
  warren show pid:4711
  warren show web --snapshot h.json  of a host that was saved
  warren show web --json             for a program`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			s, key, err := a.inspect(c.Context(), src, lab, args[0], conntrack)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(shownOf(s, key))
			}
			_, err = io.WriteString(a.Out, draw.Page(&s, key, draw.PageOptions{Color: bool(a.style(a.Out)), Firewall: warren.FirewallText, LegacyFirewall: warren.LegacyFirewallText}))
			return err
		},
	}
	c.Flags().StringVarP(&lab, "lab", "l", "", "the lab that NAMESPACE is a node of")
	c.Flags().BoolVar(&conntrack, "conntrack", false, "with conntrack's table of connections")
	c.Flags().BoolVar(&asJSON, "json", false, "print the namespace as JSON")
	a.sourceFlag(c, &src)
	a.completeFlag(c, "lab", a.completeLabs)
	c.ValidArgsFunction = a.completeNamespaces
	return c
}

// inspect reads one namespace from the kernel or a file.
func (a *app) inspect(ctx context.Context, src source, lab, name string, conntrack bool) (s state.Snapshot, key string, err error) {
	if src.given() {
		if s, err = warren.LoadSnapshot(src.file); err != nil {
			return s, "", err
		}
		key, err = warren.KeyIn(s, lab, name)
		if n := s.Namespace(key); n != nil && !conntrack {
			n.Conntrack = nil
		}
		return s, key, err
	}
	err = a.with(ctx, func(ctx context.Context, w *warren.Warren) (err error) {
		s, key, err = w.Inspect(ctx, lab, name, conntrack)
		return err
	})
	return s, key, err
}

// shown is the JSON form of show.
type shown struct {
	state.Namespace
	Unread []state.Unread `json:"unread,omitempty"`
}

func shownOf(s state.Snapshot, key string) shown {
	out := shown{Namespace: *s.Namespace(key)}
	for _, u := range s.Unread {
		if u.NS == key || u.NS == "" {
			out.Unread = append(out.Unread, u)
		}
	}
	return out
}

// completeNamespaces offers names for the first argument, and host.
func (a *app) completeNamespaces(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	names, directive := a.completeNodes(c, args, word)
	return append(names, state.HostNS), directive
}
