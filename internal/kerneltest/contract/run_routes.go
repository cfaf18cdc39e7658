package contract

import (
	"slices"
	"syscall"

	"warren/plan"
	"warren/state"
)

// ours is a route to dst via a gateway, marked.
func ours(dst, via, link string) *state.Route {
	r := &state.Route{Dst: prefix(dst), Protocol: state.Protocol}
	if via != "" || link != "" {
		h := state.NextHop{Link: link}
		if via != "" {
			h.Via = addr(via)
		}
		r.NextHops = []state.NextHop{h}
	}
	return r
}

func lastAddress(w *world) {
	pair(w)
	second := &state.Addr{Link: "x", Prefix: prefix("10.2.0.1/24"), Protocol: state.Protocol}
	w.do(w.create("a", plan.Object{Addr: second}), w.create("a", plan.Object{Route: ours("10.7.0.0/16", "10.2.0.9", "x")}))
	w.do(w.remove(plan.Object{Addr: &state.Addr{Link: "x", Prefix: prefix("10.1.0.1/24")}}))
	if !w.hasRoute("a", "10.7.0.0/16") {
		w.Fatalf("a route went with an address that it does not use")
	}
	w.do(w.remove(plan.Object{Addr: second}))
	if w.hasRoute("a", "10.7.0.0/16") {
		w.Fatalf("a route outlived the last address of its link")
	}
}

func routes(w *world) {
	pair(w)
	def := ours("0.0.0.0/0", "10.1.0.2", "x")
	hole := ours("10.66.0.0/16", "", "")
	hole.Type = "blackhole"
	multi := &state.Route{Dst: prefix("10.77.0.0/16"), Protocol: state.Protocol, NextHops: []state.NextHop{
		{Via: addr("10.1.0.7"), Link: "x"}, {Via: addr("10.1.0.8"), Link: "x", Weight: 3},
	}}
	table := ours("10.88.0.0/16", "10.1.0.2", "x")
	table.Table, table.Metric, table.Metrics.MTU = 77, 12, 1280
	for _, r := range []*state.Route{def, hole, multi, table} {
		w.do(w.create("a", plan.Object{Route: r}))
		w.refused(syscall.EEXIST, w.create("a", plan.Object{Route: r}))
	}
	i := slices.IndexFunc(w.space("a").Routes, func(r state.Route) bool { return r.Dst == multi.Dst })
	if got := w.space("a").Routes[i].NextHops; len(got) != 2 || got[1].Weight != 3 || got[1].Via != addr("10.1.0.8") {
		w.Fatalf("multipath route is %+v", got)
	}
	other := ours("0.0.0.0/0", "10.1.0.3", "x")
	w.do(plan.Step{NS: w.ns("a"), Before: plan.Object{Route: def}, After: plan.Object{Route: other}})
	i = slices.IndexFunc(w.space("a").Routes, func(r state.Route) bool { return r.Dst == def.Dst })
	if got := w.space("a").Routes[i]; got.NextHops[0].Via != addr("10.1.0.3") {
		w.Fatalf("the default route was not replaced: %+v", got)
	}
	for _, r := range []*state.Route{other, hole, multi, table} {
		w.do(w.remove(plan.Object{Route: r}))
		w.refused(syscall.ESRCH, w.remove(plan.Object{Route: r}))
	}
}

func routeRefusals(w *world) {
	pair(w)
	w.refused(syscall.ENETUNREACH, w.create("a", plan.Object{Route: ours("10.7.0.0/16", "10.99.0.1", "x")}))
	w.refused(syscall.ENODEV, w.create("a", plan.Object{Route: ours("10.7.0.0/16", "10.1.0.2", "no")}))
	src := ours("10.7.0.0/16", "10.1.0.2", "x")
	src.Src = addr("10.5.5.5")
	w.refused(syscall.EINVAL, w.create("a", plan.Object{Route: src}))
	w.do(w.setUp("a", "x", "veth", false))
	w.refused(syscall.ENETDOWN, w.create("a", plan.Object{Route: ours("10.7.0.0/16", "", "x")}))
	onlink := ours("10.7.0.0/16", "10.99.0.1", "x")
	onlink.NextHops[0].Flags = state.NextHopOnLink
	w.do(w.setUp("a", "x", "veth", true), w.create("a", plan.Object{Route: onlink}))
}

func linkDown(w *world) {
	pair(w)
	w.do(w.create("a", plan.Object{Route: ours("10.7.0.0/16", "10.1.0.2", "x")}), w.setUp("a", "x", "veth", false))
	if w.hasRoute("a", "10.7.0.0/16") || w.hasRoute("a", "10.1.0.0/24") || !w.hasAddr("a", "10.1.0.1/24") {
		w.Fatalf("after the link went down: routes %v, addresses %v", w.space("a").Routes, w.space("a").Addrs)
	}
	w.do(w.setUp("a", "x", "veth", true))
	if w.hasRoute("a", "10.7.0.0/16") || !w.hasRoute("a", "10.1.0.0/24") {
		w.Fatalf("after the link came up again: routes %v", w.space("a").Routes)
	}
}

func ipv6(w *world) {
	w.do(w.node("a"), w.node("b"),
		w.create("b", plan.Object{Sysctl: &state.Sysctl{Key: "net/ipv6/conf/default/disable_ipv6", Value: "1"}}),
		w.create("a", plan.Object{Sysctl: &state.Sysctl{Key: "net/ipv6/conf/default/addr_gen_mode", Value: "1"}}),
		w.create("a", w.cable("b", "x")), w.setUp("b", "x", "veth", true))
	six := &state.Addr{Link: "x", Prefix: prefix("fd00:1::1/64"), Flags: state.AddrNoDAD, Protocol: state.Protocol}
	w.refused(syscall.EACCES, w.create("b", plan.Object{Addr: six}))
	w.do(w.create("a", plan.Object{Addr: six}))
	if !w.hasRoute("a", "fd00:1::/64") {
		w.Fatalf("no connected route: %v", w.space("a").Routes)
	}
	for _, a := range w.space("a").Addrs {
		if a.Link == "x" && a.Prefix != six.Prefix {
			w.Fatalf("the link has %v although it generates none", a)
		}
	}
	r := ours("fd00:7::/64", "fd00:1::2", "x")
	w.do(w.create("a", plan.Object{Route: r}))
	w.refused(syscall.EEXIST, w.create("a", plan.Object{Route: r}))
	w.refused(syscall.EHOSTUNREACH, w.create("a", plan.Object{Route: ours("fd00:8::/64", "fd00:99::1", "x")}))
	w.refused(syscall.EINVAL, w.create("a", plan.Object{Route: ours("fd00:8::/64", "fd00:1::1", "x")}))
	w.do(w.remove(plan.Object{Route: r}))
	w.do(w.setUp("a", "x", "veth", false))
	if w.hasAddr("a", "fd00:1::1/64") {
		w.Fatalf("an IPv6 address outlived its link's going down")
	}
}
