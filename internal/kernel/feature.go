package kernel

import (
	"slices"
	"strings"

	"warren/state"
)

// A Feature is something that a kernel may lack.
type Feature struct {
	// Name says what it is: "link kind vxlan", "nftables", "bridge port attribute isolated".
	Name string
	// Needs says where it comes from: the minimum kernel, the module, the build option.
	Needs string

	probe func(*scratch) error
}

// A Need is a feature with the object that wants it.
type Need struct {
	Feature Feature
	Object  string // "link lan", "table inet warren"
	NS      string // key of the namespace
}

// linkKinds lists the kinds of links with what the kernel needs for them.
func linkKinds() [][2]string {
	return [][2]string{
		{"veth", "Linux 2.6.24 with CONFIG_VETH (modprobe veth)"},
		{"bridge", "CONFIG_BRIDGE (modprobe bridge)"},
		{"vxlan", "Linux 3.7 with CONFIG_VXLAN (modprobe vxlan)"},
		{"macvlan", "CONFIG_MACVLAN (modprobe macvlan)"},
		{"macvtap", "CONFIG_MACVTAP (modprobe macvtap)"},
		{"ipvlan", "Linux 3.19 with CONFIG_IPVLAN (modprobe ipvlan)"},
		{"vlan", "CONFIG_VLAN_8021Q (modprobe 8021q)"},
		{"dummy", "CONFIG_DUMMY (modprobe dummy)"},
		{"ifb", "CONFIG_IFB (modprobe ifb)"},
	}
}

// linkFeature is the feature of a kind; a hardware link needs none.
func linkFeature(kind string) Feature {
	if kind == "" || kind == "tun" { // tun has no rtnetlink creation; /dev/net/tun says itself that it is missing
		return Feature{}
	}
	f := Feature{Name: "link kind " + kind, Needs: "its module is not there (modprobe " + kind + ")"}
	for _, e := range linkKinds() {
		if e[0] == kind {
			f.Needs = e[1]
		}
	}
	f.probe = func(s *scratch) error { return s.linkKind(kind) }
	return f
}

func nftFeature() Feature {
	return Feature{
		Name: "nftables", Needs: "Linux 5.2 with CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET and CONFIG_NFT_NAT (modprobe nf_tables)",
		probe: func(s *scratch) error { return s.nftables() },
	}
}

func altnameFeature() Feature {
	return Feature{Name: "alternative names of links", Needs: "Linux 5.5", probe: func(s *scratch) error { return s.altname() }}
}

func isolatedFeature() Feature {
	return Feature{Name: "bridge port attribute isolated", Needs: "Linux 4.18", probe: func(s *scratch) error { return s.isolated() }}
}

// Needs lists what a desired state wants of the kernel, each feature once, with the first object that wants it.
func Needs(want state.Desired) []Need {
	var needs []Need
	add := func(f Feature, object, ns string) {
		if f.Name != "" && !slices.ContainsFunc(needs, func(n Need) bool { return n.Feature.Name == f.Name }) {
			needs = append(needs, Need{Feature: f, Object: object, NS: ns})
		}
	}
	for i := range want.Namespaces {
		n := &want.Namespaces[i]
		if n.Owned() {
			add(altnameFeature(), "mark "+n.Mark.AltName(), n.Name)
		}
		for j := range n.Links {
			l := &n.Links[j]
			add(linkFeature(l.Kind), "link "+l.Name, n.Name)
			if l.Port != nil && l.Port.Isolated != nil && *l.Port.Isolated {
				add(isolatedFeature(), "port "+l.Name, n.Name)
			}
		}
		for j := range n.Tables {
			add(nftFeature(), "table "+n.Tables[j].Key(), n.Name)
		}
		for _, s := range n.Sysctls {
			if strings.HasPrefix(s.Key, "net/ipv6/") && !strings.HasSuffix(s.Key, "/disable_ipv6") {
				add(ipv6Feature(), "sysctl "+s.Dotted(), n.Name)
			}
		}
		for _, a := range n.Addrs {
			if a.Prefix.Addr().Is6() {
				add(ipv6Feature(), "address "+a.Prefix.String(), n.Name)
			}
		}
	}
	return needs
}

func ipv6Feature() Feature {
	return Feature{Name: "IPv6", Needs: "CONFIG_IPV6, and not booted with ipv6.disable=1", probe: func(s *scratch) error { return s.ipv6() }}
}
