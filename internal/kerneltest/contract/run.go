package contract

import (
	"io/fs"
	"net/netip"
	"slices"
	"syscall"
	"testing"

	"warren/plan"
	"warren/state"
)

// Run tests a kernel. newKernel may give the same world every time.
func Run(t *testing.T, newKernel func(t testing.TB) Kernel) {
	cases := []struct {
		name string
		run  func(*world)
	}{
		{"namespaces", namespaces},
		{"cables", cables},
		{"cable-refusals", cableRefusals},
		{"link-changes", linkChanges},
		{"bridges", bridges},
		{"addresses", addresses},
		{"last-address", lastAddress},
		{"routes", routes},
		{"route-refusals", routeRefusals},
		{"link-down", linkDown},
		{"ipv6", ipv6},
		{"rules", rules},
		{"neighbors", neighbors},
		{"fdb", forwarding},
		{"sysctls", sysctls},
		{"tables", tables},
		{"elements", elements},
		{"hooks", hooks},
		{"partial-failure", partialFailure},
		{"namespace-takes-cables", namespaceTakesCables},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.run(newWorld(t, newKernel(t), "ct"+string(rune('a'+i))))
		})
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

func namespaces(w *world) {
	w.do(w.node("a"))
	n := w.space("a")
	switch {
	case n == nil:
		w.Fatalf("the namespace is not there")
	case n.Mark != state.Mark{Lab: w.lab, Node: "a"}:
		w.Fatalf("its mark is %v", n.Mark)
	case len(n.Links) != 1 || n.Links[0].Name != "lo" || n.Links[0].Up:
		w.Fatalf("it has the links %v, want lo, down", n.Links)
	case len(n.Addrs) != 0:
		w.Fatalf("it has addresses: %v", n.Addrs)
	}
	w.refused(fs.ErrExist, w.node("a"))
	w.do(plan.Step{NS: w.ns("a"), Before: plan.Object{Link: &state.Link{Name: "lo"}}, After: plan.Object{Link: &state.Link{Name: "lo", Up: true}}})
	n = w.space("a")
	if !n.Link("lo").Up || !slices.ContainsFunc(n.Addrs, func(a state.Addr) bool { return a.Prefix == prefix("127.0.0.1/8") }) {
		w.Fatalf("lo is up and has %v, want 127.0.0.1/8", n.Addrs)
	}
	other := w.node("a")
	other.Before, other.After = other.After, plan.Object{}
	foreign := *other.Before.Namespace
	foreign.Mark.Lab = "somebody"
	r := w.k.Apply(w.ctx(), []plan.Step{{NS: other.NS, Before: plan.Object{Namespace: &foreign}}}, plan.Hooks{})
	if r.Err == nil || w.space("a") == nil {
		w.Fatalf("a namespace was removed that carries another mark")
	}
	w.do(other)
	if w.space("a") != nil {
		w.Fatalf("the namespace is still there")
	}
	w.do(other) // gone already is gone
	w.do(w.node("a"))
}

func cables(w *world) {
	w.do(w.node("a"), w.node("b"), w.create("a", plan.Object{Link: &state.Link{Name: "br", Kind: "bridge", Group: state.LinkGroup}}))
	mac := state.MAC{2, 0, 0, 0, 0, 7}
	c := w.cable("b", "x")
	c.Cable.A.Link.Master, c.Cable.A.Link.MTU, c.Cable.A.Link.AltNames = "br", 1400, []string{"warren.alt.a"}
	c.Cable.B.Link.MAC, c.Cable.B.Link.MTU, c.Cable.B.Link.AltNames = mac, 1300, []string{"warren.alt.b"}
	c.Cable.B.Link.Name = "y"
	w.do(w.create("a", c))
	a, b := w.link("a", "x"), w.link("b", "y")
	switch {
	case a == nil || b == nil:
		w.Fatalf("ends %v and %v", a, b)
	case !a.Up || b.Up:
		w.Fatalf("end a up %v, end b up %v; want true, false", a.Up, b.Up)
	case a.Master != "br" || a.MTU != 1400 || b.MTU != 1300 || b.MAC != mac:
		w.Fatalf("ends %+v and %+v", a, b)
	case a.Group != state.LinkGroup || b.Group != state.LinkGroup:
		w.Fatalf("groups %d and %d", a.Group, b.Group)
	case !slices.Equal(a.AltNames, []string{"warren.alt.a"}) || !slices.Equal(b.AltNames, []string{"warren.alt.b"}):
		w.Fatalf("altnames %v and %v", a.AltNames, b.AltNames)
	case a.Peer == nil || a.Peer.NS != w.ns("b") || a.Peer.Name != "y" || b.Peer == nil || b.Peer.NS != w.ns("a") || b.Peer.Name != "x":
		w.Fatalf("peers %+v and %+v", a.Peer, b.Peer)
	}
	w.do(w.remove(c))
	if w.link("a", "x") != nil || w.link("b", "y") != nil {
		w.Fatalf("an end is left")
	}
	w.refused(syscall.ENODEV, w.remove(c))
}

func cableRefusals(w *world) {
	w.do(w.node("a"), w.node("b"), w.create("a", w.cable("b", "x")))
	w.refused(syscall.EEXIST, w.create("a", w.cable("b", "x")))
	half := w.cable("b", "x")
	half.Cable.A.Link.Name = "y"
	w.refused(syscall.EEXIST, w.create("a", half))
	if w.link("a", "y") != nil {
		w.Fatalf("the refused cable has left an end")
	}
	w.refused(fs.ErrNotExist, w.create("a", w.cable("nowhere", "z")))
	alt := w.cable("b", "z")
	alt.Cable.B.Link.AltNames = []string{"x"}
	w.refused(syscall.EEXIST, w.create("a", alt))
	if w.link("a", "z") != nil || w.link("b", "z") != nil {
		w.Fatalf("the refused cable has left an end")
	}
}

func linkChanges(w *world) {
	w.do(w.node("a"), w.node("b"), w.create("a", w.cable("b", "x")),
		w.create("a", plan.Object{Link: &state.Link{Name: "br", Kind: "bridge", Group: state.LinkGroup}}))
	change := func(before, after state.Link) {
		before.Name, before.Kind, after.Name, after.Kind = "x", "veth", "x", "veth"
		before.Up, after.Up = true, true
		w.do(plan.Step{NS: w.ns("a"), Before: plan.Object{Link: &before}, After: plan.Object{Link: &after}})
	}
	hairpin, no := true, false
	change(state.Link{MTU: 1500}, state.Link{
		MTU: 1400, MAC: state.MAC{2, 0, 0, 0, 0, 9}, Alias: "an alias", AltNames: []string{"one", "two"}, Master: "br",
		Port: &state.BridgePort{Hairpin: &hairpin, Cost: 50},
	})
	l := w.link("a", "x")
	if l.MTU != 1400 || l.MAC != (state.MAC{2, 0, 0, 0, 0, 9}) || l.Alias != "an alias" || !slices.Equal(l.AltNames, []string{"one", "two"}) ||
		l.Master != "br" || l.Port == nil || l.Port.Hairpin == nil || !*l.Port.Hairpin || l.Port.Cost != 50 {
		w.Fatalf("the link is %+v port %+v", l, l.Port)
	}
	change(state.Link{Alias: "an alias", AltNames: []string{"one"}, Master: "br", Port: &state.BridgePort{Hairpin: &hairpin}}, state.Link{AltNames: []string{"three"}})
	l = w.link("a", "x")
	if l.MTU != 1400 || l.Alias != "" || !slices.Equal(l.AltNames, []string{"three", "two"}) || l.Master != "" {
		w.Fatalf("the link is %+v", l)
	}
	change(state.Link{}, state.Link{Master: "br"})
	change(state.Link{}, state.Link{Port: &state.BridgePort{Hairpin: &no, Isolated: &hairpin}})
	if l = w.link("a", "x"); l.Port == nil || *l.Port.Hairpin || !*l.Port.Isolated {
		w.Fatalf("the port is %+v", l.Port)
	}
	gone := plan.Step{NS: w.ns("a"), Before: plan.Object{Link: &state.Link{Name: "no", Kind: "veth"}}, After: plan.Object{Link: &state.Link{Name: "no", Kind: "veth", Up: true}}}
	w.refused(syscall.ENODEV, gone)
}

func bridges(w *world) {
	off := false
	br := state.Link{Name: "br", Kind: "bridge", Group: state.LinkGroup, AltNames: []string{"warren.n"}, Bridge: &state.Bridge{STP: &off, AgeingTime: 10000}}
	w.do(w.node("a"), w.node("b"), w.create("a", plan.Object{Link: &br}))
	c := w.cable("b", "x")
	c.Cable.A.Link.Master = "br"
	w.do(w.create("a", c), w.setUp("a", "br", "bridge", true), w.setUp("b", "x", "veth", true))
	l := w.link("a", "br")
	if l == nil || !l.Up || l.Bridge == nil || l.Bridge.STP == nil || *l.Bridge.STP || l.Bridge.AgeingTime != 10000 || l.Kind != "bridge" {
		w.Fatalf("the bridge is %+v", l)
	}
	w.refused(syscall.EEXIST, w.create("a", plan.Object{Link: &state.Link{Name: "br", Kind: "bridge"}}))
	w.do(w.remove(plan.Object{Link: &br}))
	if p := w.link("a", "x"); p == nil || p.Master != "" {
		w.Fatalf("the port of a removed bridge is %+v, want it there and free", p)
	}
	w.refused(syscall.ENODEV, w.remove(plan.Object{Link: &br}))
}

// pair is two nodes with a cable, up, with 10.1.0.1 and 10.1.0.2.
func pair(w *world) {
	w.do(w.node("a"), w.node("b"), w.create("a", w.cable("b", "x")),
		w.create("a", plan.Object{Addr: &state.Addr{Link: "x", Prefix: prefix("10.1.0.1/24"), Protocol: state.Protocol}}),
		w.create("b", plan.Object{Addr: &state.Addr{Link: "x", Prefix: prefix("10.1.0.2/24"), Protocol: state.Protocol}}),
		w.setUp("b", "x", "veth", true))
}

func (w *world) hasRoute(node, dst string) bool {
	w.Helper()
	return slices.ContainsFunc(w.space(node).Routes, func(r state.Route) bool { return r.Dst == prefix(dst) && r.TableID() == state.MainTable })
}

func (w *world) hasAddr(node, p string) bool {
	w.Helper()
	return slices.ContainsFunc(w.space(node).Addrs, func(a state.Addr) bool { return a.Prefix == prefix(p) })
}

func addresses(w *world) {
	pair(w)
	a := &state.Addr{Link: "x", Prefix: prefix("10.1.0.1/24"), Protocol: state.Protocol}
	i := slices.IndexFunc(w.space("a").Addrs, func(x state.Addr) bool { return x.Prefix == a.Prefix })
	if i < 0 || w.space("a").Addrs[i].Protocol != state.Protocol || w.space("a").Addrs[i].Link != "x" {
		w.Fatalf("addresses are %v", w.space("a").Addrs)
	}
	if !w.hasRoute("a", "10.1.0.0/24") {
		w.Fatalf("no connected route: %v", w.space("a").Routes)
	}
	w.refused(syscall.EEXIST, w.create("a", plan.Object{Addr: a}))
	w.refused(syscall.ENODEV, w.create("a", plan.Object{Addr: &state.Addr{Link: "no", Prefix: prefix("10.9.0.1/24")}}))
	w.do(w.remove(plan.Object{Addr: a}))
	if w.hasRoute("a", "10.1.0.0/24") || w.hasAddr("a", "10.1.0.1/24") {
		w.Fatalf("the address has left %v, %v", w.space("a").Addrs, w.space("a").Routes)
	}
	w.refused(syscall.EADDRNOTAVAIL, w.remove(plan.Object{Addr: a}))
}

func rules(w *world) {
	w.do(w.node("a"))
	r := &state.Rule{Priority: 100, From: prefix("10.1.0.0/16"), Table: 77, Protocol: state.Protocol}
	v6 := &state.Rule{IPv6: true, Priority: 200, Mark: 7, MarkMask: 0xff, Action: "blackhole", Protocol: state.Protocol}
	for _, r := range []*state.Rule{r, v6} {
		w.do(w.create("a", plan.Object{Rule: r}))
		w.refused(syscall.EEXIST, w.create("a", plan.Object{Rule: r}))
	}
	want := state.Desired{Lab: w.lab, Namespaces: []state.DesiredNamespace{{
		Name: w.ns("a"), Mark: state.Mark{Lab: w.lab, Node: "a"},
		Contents: state.Contents{Rules: []state.Rule{*r, *v6}},
	}}}
	w.same(want)
	for _, r := range []*state.Rule{r, v6} {
		w.do(w.remove(plan.Object{Rule: r}))
		w.refused(syscall.ENOENT, w.remove(plan.Object{Rule: r}))
	}
}

func neighbors(w *world) {
	pair(w)
	n := &state.Neighbor{Link: "x", IP: addr("10.1.0.50"), MAC: state.MAC{2, 0, 0, 0, 0, 5}, State: "permanent", Protocol: state.Protocol}
	w.do(w.create("a", plan.Object{Neighbor: n}))
	i := slices.IndexFunc(w.space("a").Neighbors, func(x state.Neighbor) bool { return x.IP == n.IP })
	if i < 0 || w.space("a").Neighbors[i] != *n {
		w.Fatalf("neighbours are %+v", w.space("a").Neighbors)
	}
	w.refused(syscall.EEXIST, w.create("a", plan.Object{Neighbor: n}))
	m := *n
	m.MAC[5] = 6
	w.do(plan.Step{NS: w.ns("a"), Before: plan.Object{Neighbor: n}, After: plan.Object{Neighbor: &m}})
	w.do(w.remove(plan.Object{Neighbor: &m}))
	if slices.ContainsFunc(w.space("a").Neighbors, func(x state.Neighbor) bool { return x.IP == n.IP }) {
		w.Fatalf("the neighbour is still there")
	}
}

func forwarding(w *world) {
	w.do(w.node("a"), w.node("b"), w.create("a", plan.Object{Link: &state.Link{Name: "br", Kind: "bridge", Up: true, Group: state.LinkGroup}}))
	c := w.cable("b", "x")
	c.Cable.A.Link.Master = "br"
	w.do(w.create("a", c), w.setUp("b", "x", "veth", true))
	e := &state.FDBEntry{Link: "x", Master: "br", MAC: state.MAC{2, 0, 0, 0, 0, 5}, State: "static", Flags: 4}
	w.do(w.create("a", plan.Object{FDB: e}))
	if !slices.ContainsFunc(w.space("a").FDB, func(x state.FDBEntry) bool { return x.MAC == e.MAC && x.Link == "x" && x.State == "static" }) {
		w.Fatalf("the table is %+v", w.space("a").FDB)
	}
	w.do(w.remove(plan.Object{FDB: e}))
	if slices.ContainsFunc(w.space("a").FDB, func(x state.FDBEntry) bool { return x.MAC == e.MAC }) {
		w.Fatalf("the entry is still there")
	}
}

func sysctls(w *world) {
	write := func(key, value string) plan.Step {
		return w.create("a", plan.Object{Sysctl: &state.Sysctl{Key: key, Value: value}})
	}
	w.do(w.node("a"), w.node("b"), write("net/ipv4/ip_forward", "1"), write("net/ipv6/conf/default/accept_ra", "0"), w.create("a", w.cable("b", "x")))
	keys := []string{"net/ipv4/conf/x/forwarding", "net/ipv4/ip_forward", "net/ipv6/conf/x/accept_ra", "net/ipv6/conf/no/accept_ra"}
	n := w.space("a", keys...)
	for key, want := range map[string]string{keys[0]: "1", keys[1]: "1", keys[2]: "0"} {
		if v, ok := n.Sysctl(key); !ok || v != want {
			w.Fatalf("%s is %q, %v; want %s", key, v, ok, want)
		}
	}
	if _, ok := n.Sysctl(keys[3]); ok {
		w.Fatalf("%s is there", keys[3])
	}
	w.refused(fs.ErrNotExist, write("net/ipv4/conf/no/forwarding", "1"))
	w.do(plan.Step{NS: w.ns("a"), Before: plan.Object{Sysctl: &state.Sysctl{Key: keys[1], Value: "1"}}, After: plan.Object{Sysctl: &state.Sysctl{Key: keys[1], Value: "0"}}})
	if v, _ := w.space("a", keys...).Sysctl(keys[0]); v != "0" {
		w.Fatalf("ip_forward=0 has not taken the link along: %s", v)
	}
	q := state.Query{Names: []string{w.ns("a")}, SysctlKeys: map[string][]string{w.ns("a"): {"net/ipv6/conf/default/accept_ra"}}, Fresh: true}
	s, err := w.k.Observe(w.ctx(), q)
	if err != nil || !slices.Contains(s.Fresh, state.Sysctl{Key: "net/ipv6/conf/default/accept_ra", Value: "1"}) {
		w.Fatalf("fresh values are %v, %v", s.Fresh, err)
	}
}

func namespaceTakesCables(w *world) {
	pair(w)
	n := w.node("b")
	w.do(plan.Step{NS: n.NS, Before: n.After})
	if l := w.link("a", "x"); l != nil {
		w.Fatalf("a cable outlived one of its namespaces: %+v", l)
	}
	w.do(w.node("b"), w.create("a", w.cable("b", "x")))
}
