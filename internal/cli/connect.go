package cli

import (
	"context"

	"github.com/spf13/cobra"

	"warren"
)

func (a *app) connect() *cobra.Command {
	var e editing
	var opt warren.ConnectOptions
	var ips []string
	c := &cobra.Command{
		Use:     "connect NODE NODE|NET",
		GroupID: groupRooms,
		Short:   "Connect two nodes by a cable, or a node to a net",
		Long: `Connect two nodes by a cable of their own, a net of these two that is called A-B, or make a node a member of a net. The
interface in a node is called after the net. A node that is on two nets forwards between them, as in every lab.

` + editHelp + `

Exit status: 0, 1 an error (no such node or net, connected already), 2 wrong usage; after an error all is as before.`,
		Example: `  warren connect a b                       a cable: interface a-b in both
  warren connect a b --ip 10.9.0.1/30 --ip 10.9.0.2/30
  warren connect a b --name mgmt --mtu 9000
  warren connect web back                  web becomes a member of net back
  warren connect web back --ip 10.193.0.9`,
		Args: arguments(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			nodes, err := e.nodes(c, args[:1])
			if err != nil {
				return err
			}
			to, err := e.node(c, args[1])
			if err != nil {
				return err
			}
			if opt.IP, err = addresses(c, ips); err != nil {
				return err
			}
			return a.edit(c, &e, nodes[0], func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				opt.EditOptions = e.opt
				return w.Connect(ctx, nodes[0], to, opt)
			})
		},
	}
	c.Flags().StringArrayVar(&ips, "ip", nil, "address on the net; of a cable that of the first node, then that of the second")
	c.Flags().StringVar(&opt.Name, "name", "", "name of the cable and of its interfaces (default A-B)")
	c.Flags().Uint32Var(&opt.MTU, "mtu", 0, "MTU of the cable in bytes (default: the lab's)")
	for _, f := range []string{"ip", "name", "mtu"} {
		a.completeFlag(c, f, fixed())
	}
	a.editFlags(c, &e)
	c.ValidArgsFunction = a.completeOwn(2, true)
	return c
}

func (a *app) disconnect() *cobra.Command {
	var e editing
	c := &cobra.Command{
		Use:     "disconnect NODE NODE|NET",
		GroupID: groupRooms,
		Short:   "Take the cable between two nodes away, or a node off a net",
		Long: `Take the cables between two nodes away, or a node off a net. What was declared about the connection goes with it; the nodes
stay.

` + editHelp + `

Exit status: 0, 1 an error (not connected), 2 wrong usage; after an error all is as before.`,
		Example: `  warren disconnect a b
  warren disconnect web back
  warren disconnect web default   no way out any more`,
		Args: arguments(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			node, err := e.node(c, args[0])
			if err != nil {
				return err
			}
			from, err := e.node(c, args[1])
			if err != nil {
				return err
			}
			return a.edit(c, &e, node, func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				return w.Disconnect(ctx, node, from, e.opt)
			})
		},
	}
	a.editFlags(c, &e)
	c.ValidArgsFunction = a.completeOwn(2, true)
	return c
}
