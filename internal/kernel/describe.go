package kernel

import (
	"fmt"

	"warren/plan"
	"warren/state"
)

// describe names an object as a person would.
func describe(o plan.Object) string {
	switch {
	case o.Namespace != nil:
		return "namespace"
	case o.Cable != nil:
		return fmt.Sprintf("cable %s/%s -- %s/%s", o.Cable.A.NS, o.Cable.A.Link.Name, o.Cable.B.NS, o.Cable.B.Link.Name)
	case o.Link != nil:
		if o.Link.Kind != "" {
			return o.Link.Kind + " link " + o.Link.Name
		}
		return "link " + o.Link.Name
	case o.Addr != nil:
		return fmt.Sprintf("address %v on %s", o.Addr.Prefix, o.Addr.Link)
	case o.Route != nil:
		return "route " + describeRoute(o.Route)
	case o.Rule != nil:
		return fmt.Sprintf("rule %d", o.Rule.Priority)
	case o.Neighbor != nil:
		return fmt.Sprintf("neighbour %v on %s", o.Neighbor.IP, o.Neighbor.Link)
	case o.FDB != nil:
		return fmt.Sprintf("forwarding entry %v on %s", o.FDB.MAC, o.FDB.Link)
	case o.Table != nil:
		return "table " + o.Table.Key()
	case o.Elements != nil:
		return fmt.Sprintf("elements of %s %s %s", o.Elements.Family, o.Elements.Table, o.Elements.Set)
	case o.Sysctl != nil:
		return "sysctl " + o.Sysctl.Dotted()
	}
	return "nothing"
}

func describeRoute(r *state.Route) string {
	s := r.Dst.String()
	if r.Dst.Bits() == 0 {
		s = "default"
	}
	if t := r.TypeName(); t != "unicast" {
		s = t + " " + s
	}
	if len(r.NextHops) > 0 {
		if h := r.NextHops[0]; h.Via.IsValid() {
			s += " via " + h.Via.String()
		} else if h.Link != "" {
			s += " dev " + h.Link
		}
	}
	if r.TableID() != state.MainTable {
		s += fmt.Sprintf(" table %d", r.Table)
	}
	return s
}

// linkOf is the link that an object is or brings.
func linkOf(o plan.Object) (*state.Link, bool) {
	switch {
	case o.Link != nil:
		return o.Link, true
	case o.Cable != nil:
		return &o.Cable.A.Link, true
	}
	return nil, false
}
