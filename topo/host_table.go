package topo

import "warren/state"

// Names of the sets and maps of the host's table. A lab adds elements to them and changes nothing else; every element's
// comment begins with "LAB/".
const (
	// SetBridges holds the bridges of all uplinks.
	SetBridges = "bridges"
	// SetOpen holds the bridges whose members may reach the outside (not those of internal nets).
	SetOpen = "open"
	// SetMasquerade holds the bridges whose members get the host's address on their way out.
	SetMasquerade = "masquerade"
	// SetRouted holds the bridges whose members the outside may reach by their own addresses (uplink: {nat: false}).
	SetRouted = "routed"
	// SetSame holds pairs of a bridge with itself: members may talk to each other (not those of isolated nets).
	SetSame = "same"
	// SetSelf4 and SetSelf6 hold the address of every node with a published port, twice.
	SetSelf4 = "self4"
	SetSelf6 = "self6"
	// MapPublish4 and MapPublish6: (address of the host, protocol, port) -> (address, port).
	MapPublish4 = "publish4"
	MapPublish6 = "publish6"
	// MapPublishAny4 and MapPublishAny6: (protocol, port) -> (address, port), for any address of the host.
	MapPublishAny4 = "publish4_any"
	MapPublishAny6 = "publish6_any"
)

// PriorityForward is the priority of the host's forward chain: before 0, so that others can order their chains around it.
// Nobody's drop can be undone by it, nor its own by others.
const PriorityForward int32 = -5

// HostTable is the host's table without any lab: always the same, so that labs which come and go only add and delete elements.
//
//   - raw: packets for 127.0.0.0/8 that did not come over lo die before anything translates them.
//   - dnat, dnat_local: published ports; only for addresses of the host itself.
//   - snat: what leaves an uplink, what the host sends to a published port by its loopback address, and what a node sends to
//     a published port of its neighbour. With bridge-nf-call-iptables the latter never leaves the bridge and has no input
//     interface here; only a node's packets to itself need another source then.
//   - forward: replies, published ports, members of one net, the way out; nothing else from or to the bridges.
func HostTable() state.Table {
	addr4, addr6 := []state.DataType{state.TypeIPv4}, []state.DataType{state.TypeIPv6}
	port := []state.DataType{state.TypeProto, state.TypePort}
	concat := func(a ...[]state.DataType) []state.DataType {
		var out []state.DataType
		for _, x := range a {
			out = append(out, x...)
		}
		return out
	}
	name := []state.DataType{state.TypeIfname}
	to4, to6 := []state.DataType{state.TypeIPv4, state.TypePort}, []state.DataType{state.TypeIPv6, state.TypePort}
	iif, oif := state.MetaOf("iifname"), state.MetaOf("oifname")
	return state.Table{
		Family: "inet", Name: state.FirewallTable,
		Sets: []state.Set{
			state.SetOf(SetBridges, false, name),
			state.SetOf(SetMasquerade, false, name),
			state.SetOf(SetOpen, false, name),
			state.MapOf(MapPublish4, concat(addr4, port), to4),
			state.MapOf(MapPublishAny4, port, to4),
			state.MapOf(MapPublish6, concat(addr6, port), to6),
			state.MapOf(MapPublishAny6, port, to6),
			state.SetOf(SetRouted, false, name),
			state.SetOf(SetSame, false, concat(name, name)),
			state.SetOf(SetSelf4, false, concat(addr4, addr4)),
			state.SetOf(SetSelf6, false, concat(addr6, addr6)),
		},
		Chains: []state.Chain{
			state.BaseChain("dnat", "nat", "prerouting", state.PriorityDstNAT, "accept", publishRules(false)...),
			state.BaseChain("dnat_local", "nat", "output", state.PriorityDstNAT, "accept", publishRules(true)...),
			state.BaseChain("forward", "filter", "forward", PriorityForward, "accept",
				state.RuleOf(state.NotInSet(SetBridges, iif), state.NotInSet(SetBridges, oif), state.Accept()),
				state.RuleOf(state.CTState("established", "related"), state.Accept()),
				state.RuleOf(state.CTState("invalid"), state.Drop()),
				state.RuleOf(state.InSet(SetBridges, oif), state.CTStatus("dnat"), state.Accept()),
				state.RuleOf(state.InSet(SetSame, iif, oif), state.Accept()),
				state.RuleOf(state.InSet(SetBridges, iif), state.InSet(SetBridges, oif), state.RejectWith("icmpx admin-prohibited")),
				state.RuleOf(state.InSet(SetOpen, iif), state.Accept()),
				state.RuleOf(state.InSet(SetRouted, oif), state.Accept()),
				state.RuleOf(state.InSet(SetBridges, iif), state.RejectWith("icmpx admin-prohibited")),
				state.RuleOf(state.Drop()),
			),
			state.BaseChain("raw", "filter", "prerouting", state.PriorityRaw, "accept",
				state.RuleOf(state.IifNot("lo"), state.DaddrIn(loopback4), state.Drop()),
				state.RuleOf(state.InSet(SetBridges, iif), state.SaddrIn(loopback4), state.Drop()),
			),
			state.BaseChain("snat", "nat", "postrouting", state.PrioritySrcNAT, "accept",
				state.RuleOf(state.InSet(SetBridges, oif), state.SaddrIn(loopback4), state.Masquerade()),
				state.RuleOf(state.InSet(SetBridges, iif), state.InSet(SetBridges, oif), state.CTStatus("dnat"), state.Masquerade()),
				state.RuleOf(state.Family(false), state.CTStatus("dnat"), state.InSet(SetSelf4, state.Saddr(false), state.Daddr(false)), state.Masquerade()),
				state.RuleOf(state.Family(true), state.CTStatus("dnat"), state.InSet(SetSelf6, state.Saddr(true), state.Daddr(true)), state.Masquerade()),
				state.RuleOf(state.InSet(SetMasquerade, iif), state.NotInSet(SetBridges, oif), state.Masquerade()),
			),
		},
	}
}

// publishRules look a port up: first the ones of one address, then those of all addresses.
func publishRules(local bool) []state.FirewallRule {
	proto, port := state.MetaOf("l4proto"), state.PayloadOf("th", "dport")
	var rules []state.FirewallRule
	for _, is6 := range []bool{false, true} {
		one, every := MapPublish4, MapPublishAny4
		if is6 {
			one, every = MapPublish6, MapPublishAny6
		}
		guard := state.FIBLocal()
		if is6 && local {
			// The kernel has no way out of ::1; a proxy listens there.
			guard = append(guard, state.IsNot(state.Daddr(true), state.AddrValue(loopback6))...)
		}
		transport := state.ProtoOneOf("tcp", "udp")
		rules = append(rules,
			state.RuleOf(state.Family(is6), transport, guard, state.DNATMap(is6, one, state.Daddr(is6), proto, port)),
			state.RuleOf(state.Family(is6), transport, guard, state.DNATMap(is6, every, proto, port)))
	}
	return rules
}
