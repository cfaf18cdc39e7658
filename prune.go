package warren

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"warren/plan"
	"warren/state"
)

// foreignTables lists the nftables tables that others have put into the lab's own namespaces. No plan looks at them, so they
// are not read with the rest.
func (w *Warren) foreignTables(ctx context.Context, want state.Desired) ([]plan.Other, error) {
	q := state.Query{Parts: state.PartFirewall}
	for i := range want.Namespaces {
		if n := &want.Namespaces[i]; n.Owned() {
			q.Names = append(q.Names, n.Name)
		}
	}
	if q.Names == nil {
		return nil, nil
	}
	have, err := w.kernel.Observe(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("lab %q: read the nodes' firewalls: %w", want.Lab, err)
	}
	var out []plan.Other
	for _, n := range have.Namespaces {
		declared := want.Namespace(n.Name)
		for i := range n.Tables {
			t := &n.Tables[i]
			if t.Name == state.FirewallTable || slices.ContainsFunc(declared.Tables, func(d state.Table) bool { return d.Key() == t.Key() }) {
				continue
			}
			out = append(out, plan.Other{NS: n.Name, Object: plan.Object{Table: t}})
		}
	}
	return out, nil
}

// prune adds to a plan the removal of what others have put into the lab's own namespaces. It comes last, when the lab itself
// stands: should that fail, what others made is as it was. Left alone, and told in the notes, are devices that no command made
// and that cannot be deleted. What routing daemons, router advertisements and DHCP keep there is left alone without a word.
func prune(p *plan.Plan) (removed, notes []string) {
	var steps [5][]plan.Step
	for _, o := range p.Other {
		phase := 0
		switch x := o.Object; {
		case x.Rule != nil:
			if !typed(x.Rule.Protocol) {
				continue
			}
		case x.Route != nil:
			if phase = 1; !typed(x.Route.Protocol) {
				continue
			}
		case x.Addr != nil:
			phase = 2
		case x.Table != nil:
			phase = 3
		case x.Link != nil:
			if phase = 4; x.Link.Kind == "" {
				notes = append(notes, o.NS+": "+x.String()+" is a device of the machine's and stays")
				continue
			}
			if peer := x.Link.Peer; peer != nil && slices.ContainsFunc(steps[4], func(s plan.Step) bool { return s.NS == peer.NS && s.Before.Link.Name == peer.Name }) {
				continue // goes with its other end
			}
		default:
			continue
		}
		steps[phase] = append(steps[phase], plan.Step{NS: o.NS, Before: o.Object, Reason: "not declared, --prune"})
		removed = append(removed, o.NS+": "+o.Object.String())
	}
	p.Steps = append(p.Steps, slices.Concat(steps[:]...)...)
	return removed, notes
}

// typed reports whether a route or rule of this protocol was given by a person, not kept by a daemon (linux/rtnetlink.h).
func typed(protocol uint8) bool {
	return protocol == unix.RTPROT_UNSPEC || protocol == unix.RTPROT_BOOT || protocol == unix.RTPROT_STATIC
}

func withoutTables(list []plan.Other) []plan.Other {
	return slices.DeleteFunc(slices.Clone(list), func(o plan.Other) bool { return o.Object.Table != nil })
}
