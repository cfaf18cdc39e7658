package cli

import (
	"context"

	"github.com/spf13/cobra"

	"warren"
	"warren/topo"
)

func (a *app) publish() *cobra.Command {
	var e editing
	c := &cobra.Command{
		Use:     "publish NODE [ADDRESS:]HOSTPORT:PORT[/PROTOCOL]...",
		GroupID: groupRooms,
		Short:   "Make ports of a node reachable at the host",
		Long: `Make ports of a node reachable at the host: at all of its addresses, or at the one that is named. A range stands for as
many ports, the protocol is tcp or udp. A port that is taken is refused with its owner's name: another node, another lab, or
somebody's process.

` + editHelp + `

Exit status: 0, 1 an error (no such node, the port is taken), 2 wrong usage; after an error all is as before.`,
		Example: `  warren publish web 8080:80
  warren publish web 127.0.0.1:8080:80 8443:443
  warren publish dns 53:53/udp 53:53/tcp
  warren publish web '[::1]:8080:80'
  warren publish web 8000-8010:9000-9010`,
		Args: arguments(2, -1),
		RunE: func(c *cobra.Command, args []string) error {
			node, err := e.node(c, args[0])
			if err != nil {
				return err
			}
			list, err := ports(c, args[1:])
			if err != nil {
				return err
			}
			return a.edit(c, &e, node, func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				return w.Publish(ctx, node, list, e.opt)
			})
		},
	}
	a.editFlags(c, &e)
	c.ValidArgsFunction = a.completeOwn(1, false)
	return c
}

func (a *app) unpublish() *cobra.Command {
	var e editing
	var all bool
	c := &cobra.Command{
		Use:     "unpublish NODE [PORT...]",
		GroupID: groupRooms,
		Short:   "Take published ports of a node back",
		Long: `Take published ports of a node back. PORT is what was given to "publish", or only the host's port, with its protocol where
that matters.

` + editHelp + `

Exit status: 0, 1 an error (no such port), 2 wrong usage; after an error all is as before.`,
		Example: `  warren unpublish web 8080:80
  warren unpublish web 8080
  warren unpublish dns 53/udp
  warren unpublish web --all`,
		Args: arguments(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 1) {
				return usagef(c, "unpublish: name ports, or give --all")
			}
			node, err := e.node(c, args[0])
			if err != nil {
				return err
			}
			var matches []warren.PortMatch
			for _, arg := range args[1:] {
				m, err := portMatch(arg)
				if err != nil {
					return usagef(c, "unpublish: %w", err)
				}
				matches = append(matches, m)
			}
			return a.edit(c, &e, node, func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				return w.Unpublish(ctx, node, matches, e.opt)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all ports of the node")
	a.editFlags(c, &e)
	c.ValidArgsFunction = a.completePublished
	return c
}

// portMatch reads PORT[/PROTOCOL], or the whole of what was published.
func portMatch(s string) (warren.PortMatch, error) {
	if host, proto, err := topo.ParsePorts(s); err == nil {
		return warren.PortMatch{Host: host, Proto: proto}, nil
	}
	p, err := topo.ParsePublish(s)
	return warren.PortMatch{Publish: p, Whole: true}, err
}

// completePublished offers nodes, and then the ports of the node.
func (a *app) completePublished(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeOwn(1, false)(c, args, word)
	}
	var e editing
	node, err := e.node(c, args[0])
	x := a.recorded(c, args)
	if err != nil || x == nil {
		return nil, noFiles
	}
	var out []string
	for _, n := range x.Source.Nodes {
		if n.Name != node {
			continue
		}
		for _, p := range n.Publish {
			out = append(out, p.String())
		}
	}
	return out, noFiles
}
