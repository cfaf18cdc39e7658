package nft_test

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/nft"
	. "warren/state" //nolint:revive // rules read as phrases
	"warren/topo"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hostTable is the constant skeleton that all labs on a host share, with the elements of one lab: a net with IPv4 and IPv6, two published ports.
func hostTable() Table {
	publish := func(is6 bool) []Expr {
		return DNATMap(is6, map[bool]string{false: "ports4", true: "ports6"}[is6], MetaOf("l4proto"), PayloadOf("th", "dport"))
	}
	publishAt := func(is6 bool) []Expr {
		return DNATMap(is6, map[bool]string{false: "addrports4", true: "addrports6"}[is6], Daddr(is6), MetaOf("l4proto"), PayloadOf("th", "dport"))
	}
	translate := []FirewallRule{
		RuleOf(FIBLocal(), publishAt(false)), RuleOf(FIBLocal(), publishAt(true)),
		RuleOf(FIBLocal(), publish(false)), RuleOf(FIBLocal(), publish(true)),
	}
	wild4 := []DataType{TypeProto, TypePort}
	addr := netip.MustParseAddr
	bridge := IfnameValue("wb0123456789")
	owner := "classic/br0"
	pair := func(p string) Element { return ElemConcatPrefix(netip.MustParsePrefix(p), bridge).WithComment(owner) }
	return Table{
		Family: "inet", Name: FirewallTable, Comment: "made by warren; elements belong to the labs in their comments",
		Sets: []Set{
			SetOf("bridges", false, []DataType{TypeIfname}, Elem(bridge).WithComment(owner)),
			SetOf("nets4", true, []DataType{TypeIfname, TypeIPv4}, pair("10.100.0.0/24")),
			SetOf("nets6", true, []DataType{TypeIfname, TypeIPv6}, pair("fd00:1::/64")),
			SetOf("same", false, []DataType{TypeIfname, TypeIfname}, Elem(bridge, bridge).WithComment(owner)),
			MapOf("ports4", wild4, []DataType{TypeIPv4, TypePort},
				MapElem([]Value{ProtoValue("tcp"), PortValue(8080)}, AddrValue(addr("10.100.0.2")), PortValue(80)).WithComment("classic/c1")),
			MapOf("ports6", wild4, []DataType{TypeIPv6, TypePort},
				MapElem([]Value{ProtoValue("tcp"), PortValue(8080)}, AddrValue(addr("fd00:1::2")), PortValue(80)).WithComment("classic/c1")),
			MapOf("addrports4", append([]DataType{TypeIPv4}, wild4...), []DataType{TypeIPv4, TypePort},
				MapElem([]Value{AddrValue(addr("127.0.0.1")), ProtoValue("udp"), PortValue(53)}, AddrValue(addr("10.100.0.2")), PortValue(53)).WithComment("classic/c1")),
			MapOf("addrports6", append([]DataType{TypeIPv6}, wild4...), []DataType{TypeIPv6, TypePort}),
		},
		Chains: []Chain{
			BaseChain("raw", "filter", "prerouting", PriorityRaw, "accept",
				RuleOf(IifNot("lo"), DaddrIn(netip.MustParsePrefix("127.0.0.0/8")), Drop())),
			BaseChain("prerouting", "nat", "prerouting", PriorityDstNAT, "accept", translate...),
			BaseChain("output", "nat", "output", PriorityDstNAT, "accept", translate...),
			BaseChain("forward", "filter", "forward", PriorityFilter-10, "accept",
				RuleOf(CTState("established", "related"), Accept()),
				RuleOf(InSet("bridges", MetaOf("oifname")), CTState("invalid"), Drop()),
				RuleOf(InSet("bridges", MetaOf("oifname")), CTStatus("dnat"), Accept()),
				RuleOf(InSet("same", MetaOf("iifname"), MetaOf("oifname")), Accept()),
				RuleOf(InSet("bridges", MetaOf("iifname")), NotInSet("bridges", MetaOf("oifname")), Accept()),
				RuleOf(InSet("bridges", MetaOf("oifname")), Count(), Drop()).WithComment("not published")),
			BaseChain("postrouting", "nat", "postrouting", PrioritySrcNAT, "accept",
				RuleOf(InSet("nets4", MetaOf("oifname"), Saddr(false)), CTStatus("dnat"), Masquerade()).WithComment("hairpin"),
				RuleOf(InSet("bridges", MetaOf("oifname")), SaddrIn(netip.MustParsePrefix("127.0.0.0/8")), CTStatus("dnat"), Masquerade()),
				RuleOf(InSet("nets4", MetaOf("iifname"), Saddr(false)), NotInSet("bridges", MetaOf("oifname")), Masquerade()),
				RuleOf(InSet("nets6", MetaOf("iifname"), Saddr(true)), NotInSet("bridges", MetaOf("oifname")), Masquerade())),
		},
	}
}

// nodeTable is a router's: masquerade, a fixed source address, forwarded ports, a policy for what it forwards and for itself.
func nodeTable() Table {
	web := netip.MustParseAddr("10.1.0.2")
	return Table{
		Family: "inet", Name: FirewallTable,
		Chains: []Chain{
			BaseChain("prerouting", "nat", "prerouting", PriorityDstNAT, "accept",
				RuleOf(IifIs("inet"), FIBLocal(), Dport("tcp", OnePort(80)), DNATTo(web, 8080)),
				RuleOf(IifIs("inet"), FIBLocal(), DNATPorts("tcp", PortRange{First: 8000, Last: 8010}, web, 8000)),
				RuleOf(IifIs("inet"), FIBLocal(), DNATPorts("udp", PortRange{First: 8000, Last: 8003}, web, 9000)),
				RuleOf(IifIs("inet"), FIBLocal(), Dport("tcp", OnePort(443)), DNATTo(netip.MustParseAddr("fd00:1::2"), 8443))),
			BaseChain("postrouting", "nat", "postrouting", PrioritySrcNAT, "accept",
				RuleOf(OifIs("inet"), Masquerade()),
				RuleOf(OifIs("wan"), SNATTo(netip.MustParseAddr("192.0.2.1")))),
			BaseChain("forward", "filter", "forward", PriorityFilter, "drop",
				RuleOf(CTState("established", "related"), Accept()),
				RuleOf(CTState("invalid"), Drop()),
				RuleOf(CTStatus("dnat"), IifIs("inet"), DaddrIs(web), Dport("tcp", OnePort(8080)), Accept()).WithComment("allow inet -> web:8080/tcp"),
				RuleOf(IifIs("app"), OifIs("inet"), Accept()).WithComment("allow app -> inet"),
				RuleOf(IifOneOf("dmz", "app"), SaddrIn(netip.MustParsePrefix("10.1.0.0/24"), netip.MustParsePrefix("10.2.0.5/32")),
					Dport("udp", OnePort(53), PortRange{First: 5000, Last: 5010}), Accept()),
				RuleOf(RejectWith("tcp reset")),
				RuleOf(RejectWith("icmpx admin-prohibited"))),
			BaseChain("input", "filter", "input", PriorityFilter, "accept",
				RuleOf(CTState("established", "related"), Accept()),
				RuleOf(IifIs("lo"), Accept()),
				RuleOf(PayloadIs("icmpv6", "type", Value{Type: TypeICMPv6, Data: "\x87"}), Accept()),
				RuleOf(Jump("rules"))),
			SubChain("rules",
				RuleOf(IifIs("lan"), Dport("tcp", OnePort(22)), Accept()),
				RuleOf(ProtoOneOf("udp", "sctp"), RejectWith("icmpx port-unreachable")),
				RuleOf(LimitTo(5, "second"), LogPrefix("in: "), Count(), Drop())),
		},
	}
}

func written() map[string]Table { return map[string]Table{"host": hostTable(), "node": nodeTable()} }

func TestTablesAsText(t *testing.T) {
	for name, table := range written() {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name+".nft")
			got := nft.Text(table.Canonical())
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-golden +got:\n%s", diff)
			}
		})
	}
}

func TestTablesInTheKernel(t *testing.T) {
	c := world(t)
	for name, table := range written() {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time it replaces
				if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := nft.ReadTable(t.Context(), c, "inet", FirewallTable)
			if err != nil || got == nil {
				t.Fatal(got, err)
			}
			if diff := cmp.Diff(table.Canonical(), got.Canonical()); diff != "" {
				t.Errorf("-written +read:\n%s", diff)
			}
			sorted := table.Canonical()
			if err := nft.Apply(c, []nft.Op{{Replace: &sorted}}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(witness(t, "", "list", "ruleset"), nft.Text(sorted)); diff != "" {
				t.Errorf("-nft +ours:\n%s", diff)
			}
			// What we print, nft loads, and it means the same.
			witness(t, "flush ruleset\n"+nft.Text(sorted), "-f", "-")
			got, err = nft.ReadTable(t.Context(), c, "inet", FirewallTable)
			if err != nil || got == nil {
				t.Fatal(got, err)
			}
			if diff := cmp.Diff(nft.Text(sorted), nft.Text(got.Canonical())); diff != "" {
				t.Errorf("-printed +loaded by nft:\n%s", diff)
			}
		})
	}
}

// TestHostTableOfTopo writes the table that every host with an uplink gets.
func TestHostTableOfTopo(t *testing.T) {
	c := world(t)
	table := topo.HostTable().Canonical()
	if err := nft.Apply(c, []nft.Op{{Replace: &table}}); err != nil {
		t.Fatal(err)
	}
	got, err := nft.ReadTable(t.Context(), c, table.Family, table.Name)
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	if diff := cmp.Diff(table, got.Canonical()); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
	if diff := cmp.Diff(witness(t, "", "list", "ruleset"), nft.Text(table)); diff != "" {
		t.Errorf("-nft +ours:\n%s", diff)
	}
}
