package reach

import (
	"fmt"
	"strings"

	"warren/state"
)

// remade makes a tunnel anew with another id and port, and gives it what it had: neither can be changed on one that is there.
func remade(c *seat, vni uint32, port uint16) string {
	v, name := c.dev.VXLAN, c.dev.Name
	add := c.r.ip("link add %s type vxlan id %d dstport %d", name, vni, port)
	if v.Local.IsValid() {
		add += " local " + v.Local.String()
	}
	if v.Remote.IsValid() {
		what := " remote "
		if v.Remote.IsMulticast() {
			what = " group "
		}
		add += what + v.Remote.String()
	}
	if l := c.r.lowerOf(c.dev); l != nil {
		add += " dev " + l.Name
	}
	cmds := []string{c.r.ip("link del %s", name), add}
	for _, is6 := range []bool{false, true} {
		for _, a := range c.r.addrsOn(name, is6) {
			if !a.Prefix.Addr().IsLinkLocalUnicast() {
				cmds = append(cmds, c.r.ip("addr add %s dev %s%s", a.Prefix, name, nodad(a.Prefix.Addr())))
			}
		}
	}
	if c.dev.Master != "" {
		cmds = append(cmds, c.r.ip("link set %s master %s", name, c.dev.Master))
	}
	return strings.Join(append(cmds, c.r.ip("link set %s up", name)), " && ")
}

// otherEnd tells a tunnel where a tunnel with the same id is that its underlay has a route to.
func (t *tracer) otherEnd(r, under *room, dev *state.Link) string {
	const cmd = "bridge -n %s fdb append 00:00:00:00:00:00 dev %s dst %s"
	for i := range t.s.Namespaces {
		ns := &t.s.Namespaces[i]
		for j := range ns.Links {
			l := &ns.Links[j]
			if l.Kind != "vxlan" || l.VXLAN == nil || l.VXLAN.ID != dev.VXLAN.ID || ns.Name == under.Namespace.Name || ns.Name == r.Namespace.Name {
				continue
			}
			for k := range ns.Addrs {
				a := ns.Addrs[k].Prefix.Addr()
				if l.VXLAN.Local.IsValid() && a != l.VXLAN.Local || ns.Addrs[k].Link == l.Name || a.IsLoopback() || a.IsLinkLocalUnicast() || under.owns(a) != nil {
					continue
				}
				if to := under.fib.lookup(query{dst: a, local: true}); to.typ == "unicast" && len(to.hops) > 0 {
					return fmt.Sprintf(cmd, r.ref(), dev.Name, a)
				}
			}
		}
	}
	return "# " + fmt.Sprintf(cmd, r.ref(), dev.Name, "REMOTE")
}

// lowerOf is the link of the same namespace that a tunnel uses; nil = the routes say.
func (r *room) lowerOf(dev *state.Link) *state.Link {
	if dev.Lower == nil || dev.Lower.NSID >= 0 {
		return nil
	}
	return r.byIndex[dev.Lower.Index]
}
