package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Options of tunnels of IP in IP (IFLA_GRE_*, IFLA_IPTUN_*, IFLA_VTI_*, IFLA_GENEVE_*; linux/if_tunnel.h, linux/if_link.h).
func tunnelOpts(kind string) []kindOpt {
	switch kind {
	case "ipip", "sit", "ip6tnl":
		return append(endpointOpts(1, 2, 3, 4, 5), iptunOpts(kind)...)
	case "vti", "vti6":
		return append(endpointOpts(1, 4, 5, 0, 0), []kindOpt{{"key", 2, asKeys}, {"ikey", 2, asKey}, {"okey", 3, asKey}, {"fwmark", 6, as32}}...)
	case "geneve":
		return []kindOpt{
			{"id", 1, as32},
			{"vni", 1, as32},
			{"remote", 2, asAddr27},
			{"ttl", 3, asTTL},
			{"hoplimit", 3, asTTL},
			{"tos", 4, asTOS},
			{"dsfield", 4, asTOS},
			{"dstport", 5, asBE16},
			{"external", 6, asNothing},
			{"udpcsum", 8, asOne},
			{"noudpcsum", 8, asZero},
			{"udp6zerocsumtx", 9, asOne},
			{"noudp6zerocsumtx", 9, asZero},
			{"udp6zerocsumrx", 10, asOne},
			{"noudp6zerocsumrx", 10, asZero},
		}
	}
	return nil
}

// endpointOpts are those that all these tunnels have; 0 is one that is not there.
func endpointOpts(link, local, remote, ttl, tos uint16) []kindOpt {
	list := []kindOpt{{"dev", link, asDevice}, {"local", local, asAddr}, {"remote", remote, asAddr}}
	if ttl != 0 {
		list = append(list, kindOpt{"ttl", ttl, asTTL}, kindOpt{"hoplimit", ttl, asTTL}, kindOpt{"hlim", ttl, asTTL})
	}
	if tos != 0 {
		list = append(list, kindOpt{"tos", tos, asTOS}, kindOpt{"tclass", tos, asTOS}, kindOpt{"dsfield", tos, asTOS})
	}
	return list
}

func iptunOpts(kind string) []kindOpt {
	list := []kindOpt{
		{"nopmtudisc", 10, asZero}, {"pmtudisc", 10, asOne}, {"external", 19, asNothing}, {"fwmark", 20, as32}, {"mode", 9, asMode}, {"ip6ip", 9, asProto},
	}
	if kind == "ip6tnl" {
		list = append(list, kindOpt{"encaplimit", 6, as8})
	}
	return list
}

// tunnelBase writes what holds where no word says otherwise; of attributes that come twice the kernel takes the last. A change
// resets what it does not name, so what the tunnel has comes first.
func (r *linkRequest) tunnelBase(kind string) {
	const ttl, encapLimit, encapFlags = 4, 6, 16
	switch {
	case r.set:
		rtnl.EachAttr(r.presentBytes(), func(typ uint16, b []byte) { r.m.Bytes(typ, b) })
	case kind == "ip6tnl":
		r.m.U8(ttl, 64)
		r.m.U8(encapLimit, 4)
		r.m.U16(encapFlags, encapCsum6)
	}
}

// tunnelMode is the protocol that a tunnel's mode stands for.
func tunnelMode(word string) uint8 {
	switch word {
	case "ipip", "ip4ip4", "ipv4/ipv4", "ipip6", "ip4ip6", "ipv4/ipv6":
		return unix.IPPROTO_IPIP
	case "ip6ip", "ipv6/ipv4", "ip6ip6", "ipv6/ipv6":
		return unix.IPPROTO_IPV6
	case "mplsip", "mpls/ipv4":
		return unix.IPPROTO_MPLS
	case "any", "any/ipv4", "any/ipv6":
		return 0
	}
	invalid("Cannot guess tunnel mode.", word)
	return 0
}

// bondOpts are the commonest options of a bond (IFLA_BOND_*).
func bondOpts() []kindOpt {
	return []kindOpt{
		{"mode", 1, asBondMode},
		{"active_slave", 2, asDevice},
		{"miimon", 3, as32},
		{"updelay", 4, as32},
		{"downdelay", 5, as32},
		{"use_carrier", 6, as8},
		{"arp_interval", 7, as32},
		{"primary", 11, asDevice},
		{"resend_igmp", 15, as32},
		{"num_grat_arp", 16, as8},
		{"num_unsol_na", 16, as8},
		{"all_slaves_active", 17, as8},
		{"min_links", 18, as32},
		{"lp_interval", 19, as32},
		{"packets_per_slave", 20, as32},
		{"tlb_dynamic_lb", 27, as8},
	}
}

func bondMode(word string) uint8 {
	for i, name := range []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"} {
		if name == word {
			return uint8(i)
		}
	}
	return u8(word, "invalid mode")
}

// withoutOptions are kinds whose words iproute2 passes over.
func withoutOptions(kind string) bool {
	switch kind {
	case "dummy", "ifb", "nlmon", "team", "team_slave", "vcan", "netdevsim":
		return true
	}
	return false
}

// encapWords reads how a tunnel's packets are wrapped once more: type, flags, source and destination port.
func encapWords(w *words, encap *[4]uint16) bool {
	flags := []string{"encap-csum", "encap-udp6-csum", "encap-remcsum"}
	for i, name := range flags {
		switch w.peek() {
		case name:
			encap[1] |= 1 << i
			return true
		case "no" + name:
			encap[1] &^= 1 << i
			return true
		}
	}
	switch w.peek() {
	case "noencap":
		encap[0] = 0
	case "encap":
		v, ok := map[string]uint16{"none": 0, "fou": 1, "gue": 2}[w.next()]
		if !ok {
			invalid("Invalid encap type.", w.peek())
		}
		encap[0] = v
	case "encap-sport":
		if encap[2] = 0; w.next() != "auto" {
			encap[2] = u16(w.peek(), "Invalid source port.")
		}
	case "encap-dport":
		encap[3] = u16(w.next(), "Invalid destination port.")
	default:
		return false
	}
	return true
}

// writeEncap writes them; the attribute of the type is the first of four.
func (r *linkRequest) writeEncap(typ uint16, encap [4]uint16) {
	r.m.U16(typ, encap[0])
	r.m.U16(typ+1, encap[1])
	r.m.BE16(typ+2, encap[2])
	r.m.BE16(typ+3, encap[3])
}
