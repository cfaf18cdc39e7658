package iproute

import "slices"

// linkUsage is the grammar of "ip link".
const linkUsage = `Usage: ip link add [ link DEV | parentdev NAME ] [ name ] NAME [ ARGS ] [ numtxqueues COUNT ] [ numrxqueues COUNT ] [ index N ]
                  type TYPE [ OPTIONS ]
       ip link delete { [ dev ] DEVICE | group GROUP } [ type TYPE [ OPTIONS ] ]
       ip link set { [ dev ] DEVICE | group GROUP } [ { up | down } ] [ type TYPE OPTIONS ] [ ARGS ]
                  [ arp { on | off } ] [ dynamic { on | off } ] [ multicast { on | off } ] [ allmulticast { on | off } ]
                  [ promisc { on | off } ] [ trailers { on | off } ] [ carrier { on | off } ] [ name NEWNAME ] [ alias TEXT ]
                  [ vf N [ mac LLADDR ] [ vlan ID [ qos N ] [ proto P ] ] [ rate N ] [ max_tx_rate N ] [ min_tx_rate N ]
                    [ spoofchk { on | off } ] [ query_rss { on | off } ] [ state { auto | enable | disable } ]
                    [ trust { on | off } ] ]
                  [ { xdp | xdpgeneric | xdpdrv | xdpoffload } off ] [ master DEVICE | nomaster ] [ vrf NAME ]
                  [ addrgenmode { eui64 | none | stable_secret | random } ] [ protodown { on | off } ]
                  [ protodown_reason N { on | off } ]
       ip link show [ [ dev ] DEVICE | group GROUP ] [ up ] [ master DEV ] [ vrf NAME ] [ type TYPE ] [ nomaster ]
       ip link xstats type { bridge | bridge_slave | bond | bond_slave } [ SUITE ] [ dev LINK ]
       ip link afstats [ dev LINK ]
       ip link property { add | del } [ dev ] DEVICE [ altname NAME ... ]
       ip link help [ TYPE ]
ARGS := [ txqueuelen N ] [ address LLADDR ] [ broadcast LLADDR ] [ mtu N ] [ group GROUP ] [ netns { PID | NAME } ]
        [ link-netns NAME | link-netnsid ID ] [ gso_max_size N ] [ gso_max_segs N ] [ gro_max_size N ] [ mode M ] [ state S ]
TYPE := { amt | bareudp | bond | bond_slave | bridge | bridge_slave | dsa | dummy | erspan | geneve | gre | gretap | ifb |
          ip6erspan | ip6gre | ip6gretap | ip6tnl | ipip | ipvlan | ipvtap | macvlan | macvtap | netdevsim | netkit | nlmon |
          sit | team | vcan | veth | virt_wifi | vlan | vrf | vti | vxcan | vxlan | wireguard | wwan | xfrm }`

// helpOfKind is "ip link help TYPE": the options of a kind, to standard output, and all is well. It reports whether there is
// such a kind.
func (s *session) helpOfKind(kind string) bool {
	words := kindWords(kind)
	if words == nil {
		return false
	}
	p := s.out()
	p.text("Usage: ... %s", kind)
	width := 0
	for i, word := range words {
		if i > 0 && slices.Contains(words[:i], word) {
			continue
		}
		if width += len(word) + 5; width > 100 {
			p.text("\n          ")
			width = 0
		}
		p.text(" [ %s ]", word)
	}
	p.text("\n")
	return true
}

// kindWords are the words of a kind's options, in order; nil when there is no such kind.
func kindWords(kind string) []string {
	table := func(opts []kindOpt) []string {
		list := make([]string, 0, len(opts)+1)
		for _, o := range opts {
			list = append(list, o.word)
		}
		return list
	}
	encap := []string{"noencap", "encap", "encap-sport", "encap-dport", "[no]encap-csum", "[no]encap-udp6-csum", "[no]encap-remcsum"}
	switch kind {
	case "veth", "vxcan":
		return []string{"peer"}
	case "bridge":
		return table(bridgeOpts())
	case "bridge_slave":
		return table(portOpts())
	case "bond":
		return table(bondOpts())
	case "macvlan", "macvtap":
		return []string{"mode { private | vepa | bridge | passthru | source }", "flag", "nopromisc", "nodst", "bcqueuelen", "macaddr"}
	case "ipvlan", "ipvtap":
		return []string{"mode { l2 | l3 | l3s }", "private", "vepa", "bridge"}
	case "vlan":
		return []string{"id", "protocol { 802.1q | 802.1ad }", "reorder_hdr", "gvrp", "mvrp", "loose_binding", "bridge_binding", "ingress-qos-map", "egress-qos-map"}
	case "vxlan":
		list := []string{"id", "group", "remote", "local", "dev", "ttl", "tos", "df", "flowlabel", "ageing", "maxaddress", "srcport", "dstport", "[no]vnifilter"}
		for _, o := range vxlanSwitches() {
			if len(o.word) < 3 || o.word[:2] != "no" {
				list = append(list, "[no]"+o.word)
			}
		}
		return list
	case "gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan":
		list := append([]string{"remote", "local", "[no][i|o]key", "[no][i|o]seq", "[no][i|o]csum", "ttl", "tos", "[no]pmtudisc", "dev", "fwmark", "external"}, encap...)
		if kind[:2] == "ip" {
			list = append(list, "encaplimit", "flowlabel", "dscp inherit", "[no]allow-localremote")
		} else {
			list = append(list, "[no]ignore-df")
		}
		return append(list, "erspan_ver", "erspan", "erspan_dir", "erspan_hwid")
	case "ipip", "sit":
		list := append([]string{"mode", "remote", "local", "ttl", "tos", "[no]pmtudisc", "dev", "fwmark", "external"}, encap...)
		if kind == "sit" {
			list = append(list, "isatap", "6rd-prefix", "6rd-relay_prefix", "6rd-reset")
		}
		return list
	case "ip6tnl":
		return append([]string{
			"mode", "remote", "local", "dev", "encaplimit", "hoplimit", "tclass", "flowlabel", "dscp inherit", "fwmark",
			"[no]allow-localremote", "external",
		}, encap...)
	case "vti", "vti6":
		return []string{"[i|o]key", "remote", "local", "dev", "fwmark"}
	case "geneve":
		return []string{
			"id", "remote", "ttl", "tos", "df { unset | set | inherit }", "flowlabel", "dstport", "[no]external", "[no]udpcsum",
			"[no]udp6zerocsumtx", "[no]udp6zerocsumrx", "innerprotoinherit",
		}
	case "gtp":
		return []string{"role { sgsn | ggsn }", "hsize", "restart_count"}
	case "bond_slave":
		return table(bondSlaveOpts())
	case "hsr", "amt", "rmnet", "ipoib", "wwan", "dsa", "batadv":
		return table(rareOpts(kind))
	case "vrf":
		return []string{"table"}
	case "bareudp":
		return []string{"dstport", "ethertype", "srcportmin", "[no]multiproto"}
	case "xfrm":
		return []string{"dev", "if_id", "external"}
	}
	if withoutOptions(kind) {
		return []string{}
	}
	return nil
}
