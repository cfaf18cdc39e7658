package warren

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"warren/topo"
)

// ConnectOptions of [Warren.Connect].
type ConnectOptions struct {
	EditOptions
	// Name is that of the cable between two nodes, and of the interface at both ends; "" = A-B.
	Name string
	// IP are fixed addresses: of a node on a net, one of each family; of a cable, those of the first node and then those of
	// the second, with their length.
	IP []netip.Prefix
	// MTU of a cable in bytes; 0 = the lab's.
	MTU uint32
}

// Connect connects a node with another one by a cable of their own, or makes it a member of a net. ErrNotExist when to is
// neither.
func (w *Warren) Connect(ctx context.Context, node, to string, o ConnectOptions) (*EditReport, error) {
	touched := []string{node}
	return w.apply(ctx, edit{
		EditOptions: o.EditOptions,
		change: func(e *topo.Editor, x *topo.Expanded, report *EditReport) error {
			isNode, isNet := e.HasNode(to), e.Net(to) != nil
			switch {
			case isNode && isNet && node != to:
				return fmt.Errorf("lab %q has a node and a net called %q (hint: rename one of them in the lab file)", o.lab(), to)
			case isNet:
				return joinNet(e, x, node, to, o, report)
			case !isNode:
				return nothingCalled(e, to, o.lab())
			}
			touched = append(touched, to)
			return cable(e, node, to, o, report)
		},
		touched: func() []string { return touched },
	})
}

func nothingCalled(e *topo.Editor, name, lab string) error {
	hint := "warren add NODE --net " + name + " makes a net"
	if known := e.Nodes(); len(known) > 0 && len(known) < 8 {
		hint = "there are " + strings.Join(known, ", ") + "; " + hint
	}
	return &editError{fmt.Errorf("lab %q has no node and no net %q (hint: %s)", lab, name, hint), ErrNotExist}
}

func joinNet(e *topo.Editor, x *topo.Expanded, node, net string, o ConnectOptions, report *EditReport) error {
	if o.Name != "" || o.MTU != 0 {
		return fmt.Errorf("connect %s to net %s: a name and an MTU are for a cable between two nodes", node, net)
	}
	ips, err := share(e, x, []string{net}, o.IP)
	if err != nil {
		return fmt.Errorf("node %q: %w", node, err)
	}
	report.Nets = []string{net}
	return e.Join(net, topo.Member{Node: node, IP: ips[0]})
}

// cable puts a cable between two nodes. Half of the addresses are for each end, in order of the families that are given.
func cable(e *topo.Editor, a, b string, o ConnectOptions, report *EditReport) error {
	ends := [2]topo.Member{{Node: a}, {Node: b}}
	for _, is6 := range []bool{false, true} {
		at := 0
		for _, ip := range o.IP {
			if ip.Addr().Is6() != is6 {
				continue
			}
			switch {
			case at == 2:
				return fmt.Errorf("connect %s %s: a cable has two ends, so %s is one address too many", a, b, ip)
			case ip.IsSingleIP():
				return fmt.Errorf("connect %s %s: address %s needs the length of its prefix (hint: --ip %s)", a, b, ip.Addr(), cableLength(ip.Addr()))
			}
			ends[at].IP = append(ends[at].IP, ip)
			at++
		}
	}
	name, err := e.Link(topo.Net{Name: o.Name, MTU: o.MTU}, ends[0], ends[1])
	if err != nil {
		return err
	}
	report.Nets = []string{name}
	return nil
}

func cableLength(a netip.Addr) netip.Prefix {
	if a.Is4() {
		return netip.PrefixFrom(a, 30)
	}
	return netip.PrefixFrom(a, 64)
}

// Disconnect undoes [Warren.Connect]: it takes a node off a net, or away the cables between two nodes. ErrNotExist when there
// is no such connection.
func (w *Warren) Disconnect(ctx context.Context, node, from string, o EditOptions) (*EditReport, error) {
	touched := []string{node}
	return w.apply(ctx, edit{
		EditOptions: o,
		change: func(e *topo.Editor, _ *topo.Expanded, report *EditReport) error {
			if e.Net(from) != nil {
				report.Nets = []string{from}
				return e.Leave(from, node)
			}
			if !e.HasNode(from) {
				return nothingCalled(e, from, o.lab())
			}
			cables := e.Links(node, from)
			if len(cables) == 0 {
				return notConnected(e, node, from, o.lab())
			}
			for _, c := range cables {
				if err := e.Leave(c, node); err != nil {
					return err
				}
			}
			report.Nets = cables
			touched = append(touched, from)
			return nil
		},
		touched: func() []string { return touched },
	})
}

func notConnected(e *topo.Editor, a, b, lab string) error {
	hint := ""
	if nets := e.NetsOf(a, b); len(nets) > 0 {
		hint = fmt.Sprintf(" (hint: both are on net %s; warren disconnect %s %s takes one off)", strings.Join(nets, ", "), a, nets[0])
	}
	return &editError{fmt.Errorf("lab %q has no cable between %q and %q%s", lab, a, b, hint), ErrNotExist}
}
