package reach

import (
	"net/netip"
	"slices"

	"warren/state"
)

func defaultRules(is6 bool) []state.Rule {
	out := []state.Rule{{IPv6: is6, Table: state.LocalTable}, {IPv6: is6, Priority: 32766, Table: state.MainTable}}
	if !is6 {
		out = append(out, state.Rule{Priority: 32767, Table: 253})
	}
	return out
}

// derive makes the routes that the kernel gives itself for addresses, for snapshots that come without them.
func (f *fib) derive(is6 bool) {
	i := fam(is6)
	add := func(r state.Route) { f.tables[i][r.TableID()] = append(f.tables[i][r.TableID()], &r) }
	for k := range f.r.Addrs {
		a := &f.r.Addrs[k]
		ip, l := a.Prefix.Addr(), f.r.byName[a.Link]
		if ip.Is6() != is6 || l == nil || !l.Up {
			continue
		}
		dst := netip.PrefixFrom(ip, ip.BitLen())
		if ip.IsLoopback() && !is6 {
			dst = a.Prefix.Masked()
		}
		add(state.Route{
			Dst: dst, Table: state.LocalTable, Type: "local", Protocol: protoKernel, Src: srcOf(ip, is6),
			NextHops: []state.NextHop{{Link: a.Link}},
		})
		net := a.Prefix.Masked()
		known := slices.ContainsFunc(f.r.Routes, func(r state.Route) bool {
			return r.Dst == net && r.TableID() == state.MainTable && len(r.NextHops) > 0 && r.NextHops[0].Link == a.Link
		})
		if net.Bits() < ip.BitLen() && !known && a.Flags&state.AddrNoPrefixRoute == 0 && !ip.IsLoopback() {
			add(state.Route{Dst: net, Protocol: protoKernel, Src: srcOf(ip, is6), Scope: 253, NextHops: []state.NextHop{{Link: a.Link}}})
		}
	}
	if lo := f.r.byName["lo"]; lo != nil && lo.Up && !is6 && len(f.r.addrsOn("lo", false)) == 0 {
		add(state.Route{
			Dst: netip.MustParsePrefix("127.0.0.0/8"), Table: state.LocalTable, Type: "local", Protocol: protoKernel,
			NextHops: []state.NextHop{{Link: "lo"}},
		})
	}
}

func srcOf(ip netip.Addr, is6 bool) netip.Addr {
	if is6 {
		return netip.Addr{}
	}
	return ip
}
