package warren

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/topo"
)

// A NodeSpec says what a new node is like.
type NodeSpec struct {
	// Name; "" in a [RunSpec] = made from the command.
	Name string
	// Nets that it joins; none = the net "default", or none at all with NoUplink. In the lab "default" a net that is not there
	// is made, with a way out unless NoUplink is set. Another lab has no net "default": there at least one is named.
	Nets []string
	// IP are fixed addresses, each on the net whose prefix it is in. A net without a prefix yet gets that of the address, which
	// then has to be given with its length.
	IP []netip.Prefix
	// DNS are resolvers; none = those of the machine that can be reached.
	DNS []netip.Addr
	// NoUplink keeps the node off nets with a way out; a net that is made is internal: a member of it that is on another net
	// too is no way out either.
	NoUplink bool
	// Publish are ports at the host.
	Publish []topo.Publish
}

// AddOptions of [Warren.Add].
type AddOptions struct {
	EditOptions
	NodeSpec
}

// Add adds a node to a lab and makes it. Errors: ErrExist, ErrNotExist (a net), ErrLocked, and those of [Warren.Up]; when it
// fails the lab is as before.
func (w *Warren) Add(ctx context.Context, o AddOptions) (*EditReport, error) {
	return w.apply(ctx, edit{
		EditOptions: o.EditOptions, create: o.lab() == topo.DefaultLab,
		change: func(e *topo.Editor, x *topo.Expanded, report *EditReport) error {
			return addNode(e, x, o.lab(), o.NodeSpec, topo.Node{Name: o.Name}, report)
		},
		touched: func() []string { return []string{o.Name} },
	})
}

// addNode is the change that both Add and Run make.
func addNode(e *topo.Editor, x *topo.Expanded, name string, spec NodeSpec, n topo.Node, report *EditReport) error {
	n.DNS = spec.DNS
	if err := e.AddNode(n); err != nil {
		if errors.Is(err, topo.ErrExist) {
			err = fmt.Errorf("%w (hint: another name, or first: warren rm %s)", err, n.Name)
		}
		return err
	}
	nets := slices.Clone(spec.Nets)
	if len(nets) == 0 && !spec.NoUplink {
		if name != topo.DefaultLab {
			return fmt.Errorf("add node %q to lab %q: no net is named (hint: --net NET joins one, --no-uplink leaves the node alone)", n.Name, name)
		}
		nets = []string{topo.DefaultNet}
	}
	for _, net := range nets {
		if err := newNet(e, name, net, spec.NoUplink); err != nil {
			return err
		}
	}
	ips, err := share(e, x, nets, spec.IP)
	if err != nil {
		return fmt.Errorf("node %q: %w", n.Name, err)
	}
	for i, net := range nets {
		if err := e.Join(net, topo.Member{Node: n.Name, IP: ips[i]}); err != nil {
			return err
		}
	}
	report.Nets = nets
	return publish(e, n.Name, spec.Publish, report)
}

// newNet sees to it that a net is there and has a way out or not, as it is wanted.
func newNet(e *topo.Editor, lab, net string, noUplink bool) error {
	n := e.Net(net)
	switch {
	case n == nil && lab != topo.DefaultLab && net != topo.DefaultNet:
		return nil // Join says that it is missing
	case n == nil:
		fresh := topo.Net{Name: net, Internal: noUplink} // nor by a member that is on another net too
		if !noUplink {
			fresh.Uplink = &topo.Uplink{}
		}
		return e.AddNet(fresh)
	case n.Uplink != nil && noUplink:
		return fmt.Errorf("net %q of lab %q has a way out (hint: --no-uplink goes with another net, or with none)", net, lab)
	}
	return nil
}

// share gives each net the addresses that belong to it. The prefixes of a net with a fixed address do not change any more.
func share(e *topo.Editor, x *topo.Expanded, nets []string, ips []netip.Prefix) ([][]netip.Prefix, error) {
	out := make([][]netip.Prefix, len(nets))
	for _, ip := range ips {
		at := -1
		for i, net := range nets {
			for _, p := range slices.Concat(e.Net(net).CIDR, known(x, net)) {
				if p.Contains(ip.Addr()) {
					at, ip = i, netip.PrefixFrom(ip.Addr(), p.Bits())
				}
			}
			if at == i {
				break
			}
		}
		if at < 0 && len(nets) == 1 { // of its family the net may have no prefix yet
			at = 0
		}
		if at < 0 {
			return nil, fmt.Errorf("address %s is in none of its nets (%s)", ip, netsText(e, x, nets))
		}
		has := prefixOf(slices.Concat(e.Net(nets[at]).CIDR, known(x, nets[at])), ip.Addr())
		switch {
		case has.IsValid() && !has.Contains(ip.Addr()):
			return nil, fmt.Errorf("address %s is not in %s of net %q", ip.Addr(), has, nets[at])
		case has.IsValid():
			e.Fix(nets[at], []netip.Prefix{has})
		case ip.IsSingleIP():
			return nil, fmt.Errorf("net %q has no prefix for %s yet (hint: give the length, as in --ip %s)", nets[at], ip.Addr(), withLength(ip.Addr()))
		}
		out[at] = append(out[at], ip)
	}
	return out, nil
}

func prefixOf(list []netip.Prefix, a netip.Addr) netip.Prefix {
	for _, p := range list {
		if p.Addr().Is4() == a.Is4() {
			return p
		}
	}
	return netip.Prefix{}
}

func withLength(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.PrefixFrom(a, 24)
	}
	return netip.PrefixFrom(a, 64)
}

func netsText(e *topo.Editor, x *topo.Expanded, nets []string) string {
	list := make([]string, 0, len(nets))
	for _, net := range nets {
		for _, p := range slices.Compact(slices.Concat(e.Net(net).CIDR, known(x, net))) {
			net += " " + p.String()
		}
		list = append(list, net)
	}
	return strings.Join(list, ", ")
}

// Remove removes nodes from a lab, with what runs in them. With the last node the lab goes whole. A node that is not there is
// ErrNotExist, and then none is removed.
func (w *Warren) Remove(ctx context.Context, nodes []string, o EditOptions) (*EditReport, error) {
	return w.apply(ctx, edit{EditOptions: o, change: func(e *topo.Editor, _ *topo.Expanded, report *EditReport) error {
		for _, n := range nodes {
			if slices.Contains(report.Removed, n) {
				continue
			}
			if err := e.RemoveNode(n); err != nil {
				return err
			}
			report.Removed = append(report.Removed, n)
		}
		return nil
	}})
}
