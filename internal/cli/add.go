package cli

import (
	"context"
	"net/netip"

	"github.com/spf13/cobra"

	"warren"
)

// nodeFlags are those that say what a new node is like.
type nodeFlags struct {
	nets, ips, dns, publish []string
	noUplink                bool
}

func (a *app) nodeFlags(c *cobra.Command, n *nodeFlags) {
	c.Flags().StringArrayVar(&n.nets, "net", nil, `join this net, which in the lab "default" is made when it is not there (may be repeated; default "default")`)
	c.Flags().StringArrayVar(&n.ips, "ip", nil, "have this address, such as 10.1.0.7 or 10.1.0.7/24 (may be repeated; default: the next free one)")
	c.Flags().StringArrayVar(&n.dns, "dns", nil, "ask this resolver (may be repeated; default: the machine's)")
	c.Flags().StringArrayVarP(&n.publish, "publish", "p", nil, "publish a port at the host: [ADDRESS:]HOSTPORT:PORT[/udp], such as 8080:80 (may be repeated)")
	c.Flags().BoolVar(&n.noUplink, "no-uplink", false, "no way out: a net that is made is internal, and without --net the node is on no net")
	a.completeFlag(c, "net", a.completeNets)
	for _, f := range []string{"ip", "dns", "publish"} {
		a.completeFlag(c, f, fixed())
	}
}

func (n *nodeFlags) spec(c *cobra.Command, name string) (warren.NodeSpec, error) {
	s := warren.NodeSpec{Name: name, Nets: n.nets, NoUplink: n.noUplink}
	var err error
	if s.IP, err = addresses(c, n.ips); err != nil {
		return s, err
	}
	if s.Publish, err = ports(c, n.publish); err != nil {
		return s, err
	}
	for _, d := range n.dns {
		addr, err := netip.ParseAddr(d)
		if err != nil {
			return s, usagef(c, "%s: --dns %q is not an address", c.Name(), d)
		}
		s.DNS = append(s.DNS, addr)
	}
	if n.noUplink && len(s.Publish) > 0 {
		return s, usagef(c, "%s: --publish needs a way out, which --no-uplink takes away", c.Name())
	}
	return s, nil
}

func (a *app) add() *cobra.Command {
	var e editing
	var flags nodeFlags
	c := &cobra.Command{
		Use:     "add NODE",
		GroupID: groupRooms,
		Short:   "Add a node to a lab",
		Long: `Add a node, a network namespace with an address of its own, and print its name and addresses.

` + editHelp + `

Exit status: 0, 1 an error (the name or a port is taken, no such net), 2 wrong usage; after an error all is as before.`,
		Example: `  warren add web                     on the net "default": it reaches the outside
  warren add web -p 8080:80          and its port 80 is reached at the host's port 8080
  warren add db --net back           on another net, made when it is not there
  warren add db --net back --no-uplink     ... without a way out
  warren add pc --ip 10.192.0.50     with this address
  warren add web2 --net dmz --lab shop     to the lab called shop`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			node, err := e.node(c, args[0])
			if err != nil {
				return err
			}
			spec, err := flags.spec(c, node)
			if err != nil {
				return err
			}
			return a.edit(c, &e, "", func(ctx context.Context, w *warren.Warren) (*warren.EditReport, error) {
				return w.Add(ctx, warren.AddOptions{EditOptions: e.opt, NodeSpec: spec})
			})
		},
	}
	a.editFlags(c, &e)
	a.nodeFlags(c, &flags)
	c.ValidArgsFunction = fixed()
	return c
}
