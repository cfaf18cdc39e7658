package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// What "ip link xstats" shows of a bridge (BRIDGE_XSTATS_*, linux/if_bridge.h).
const (
	xstatsMcast = 2
	xstatsSTP   = 4
)

// linkXstats is "ip link xstats type bridge": counters of multicast and of the spanning tree.
func linkXstats(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "xstats: missing argument")
	}
	if w.peek() != "type" {
		invalid("unknown argument", w.peek())
	}
	which := 0
	switch word := w.next(); word {
	case "bridge":
		which = statsXstats
	case "bridge_slave":
		which = statsXstatsSlave
	case "bond", "bond_slave":
		die("ip link xstats type %s is not supported by this version of warren: use iproute2's own ip for it.", word)
	default:
		invalid("invalid type", word)
	}
	index, mcast, stp := 0, true, true
	for w.skip(); w.more(); w.skip() {
		switch word := w.peek(); {
		case matches(word, "igmp"), matches(word, "mcast"):
			stp = false
		case matches(word, "stp"):
			mcast = false
		case word == "dev":
			name := w.next()
			if index = s.indexOf(name); index == 0 {
				noDevice(name)
			}
		case word == "help":
			usageOf(linkUsage)
		default:
			invalid("unknown attribute", word)
		}
	}
	p := s.out()
	for _, msg := range s.dump(statsRequest(s, 0, 1<<(which-1))) {
		if len(msg.Data) < ifStatsLen || index != 0 && int(native.Uint32(msg.Data[4:])) != index {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[ifStatsLen:]).Nested(which)
		if !a.Has(xstatsBridge) {
			continue
		}
		p.openObject("")
		p.str("ifname", "%-16s\n", s.nameOf(int(native.Uint32(msg.Data[4:]))))
		rtnl.EachAttr(a.Bytes(xstatsBridge), func(typ uint16, b []byte) {
			switch {
			case typ == xstatsMcast && mcast && len(b) >= 26*8:
				printMcastStats(p, b)
			case typ == xstatsSTP && stp && len(b) >= 6*8:
				printSTPStats(p, b)
			}
		})
		p.closeObject()
	}
}

// statIndent is how far these counters are moved in.
const statIndent = "                    "

// printMcastStats prints struct br_mcast_stats: pairs of received and sent, per version.
func printMcastStats(p *printer, b []byte) {
	at := func(i int) uint64 { return native.Uint64(b[8*i:]) }
	p.openObject("multicast")
	versions := func(title, key string, first, n int) {
		p.openObject(key)
		p.text("%s%s:\n", statIndent, title)
		for side, name := range []string{"RX", "TX"} {
			p.text("%s  %s:", statIndent, name)
			for v := range n {
				num(p, []string{"rx_v", "tx_v"}[side]+string(rune('1'+v)), " v"+string(rune('1'+v))+" %d", at(first+2*v+side))
			}
			p.text("\n")
		}
		p.closeObject()
	}
	leaves := func(title, key string, first int) {
		p.openObject(key)
		p.text("%s%s: ", statIndent, title)
		num(p, "rx", "RX: %d", at(first))
		num(p, "tx", " TX: %d\n", at(first+1))
		p.closeObject()
	}
	versions("IGMP queries", "igmp_queries", 0, 3)
	versions("IGMP reports", "igmp_reports", 8, 3)
	leaves("IGMP leaves", "igmp_leaves", 6)
	num(p, "igmp_parse_errors", statIndent+"IGMP parse errors: %d\n", at(14))
	versions("MLD queries", "mld_queries", 15, 2)
	versions("MLD reports", "mld_reports", 21, 2)
	leaves("MLD leaves", "mld_leaves", 19)
	num(p, "mld_parse_errors", statIndent+"MLD parse errors: %d\n", at(25))
	p.closeObject()
}

// printSTPStats prints struct bridge_stp_xstats.
func printSTPStats(p *printer, b []byte) {
	at := func(i int) uint64 { return native.Uint64(b[8*i:]) }
	p.openObject("stp")
	num(p, "rx_bpdu", statIndent+"STP BPDU:  RX: %d", at(2))
	num(p, "tx_bpdu", " TX: %d\n", at(3))
	num(p, "rx_tcn", statIndent+"STP TCN:   RX: %d", at(4))
	num(p, "tx_tcn", " TX: %d\n", at(5))
	num(p, "transition_blk", statIndent+"STP Transitions: Blocked: %d", at(0))
	num(p, "transition_fwd", " Forwarding: %d\n", at(1))
	p.closeObject()
}

// linkAfstats is "ip link afstats": counters of MPLS (struct mpls_link_stats).
func linkAfstats(s *session, w *words) {
	dev := ""
	for w.more() {
		word := w.peek()
		switch {
		case word == "dev":
			if next := w.next(); dev != "" {
				garbage("dev", next)
			}
			dev = w.peek()
		case matches(word, "help"):
			usageOf(linkUsage)
		default:
			die("Command \"%s\" is unknown, try \"ip link help\".", word)
		}
		w.skip()
	}
	index := 0
	if dev != "" {
		if index = s.indexOf(dev); index == 0 {
			s.hint("Device \"" + dev + "\" does not exist.") // and all of them are shown
		}
	}
	p := s.out()
	for _, msg := range s.dump(statsRequest(s, 0, 1<<(statsAFSpec-1))) {
		if len(msg.Data) < ifStatsLen || index != 0 && int(native.Uint32(msg.Data[4:])) != index {
			continue
		}
		b := rtnl.ParseAttrs(msg.Data[ifStatsLen:]).Nested(statsAFSpec).Nested(unix.AF_MPLS).Bytes(1)
		if len(b) < 9*8 {
			continue
		}
		i := int(native.Uint32(msg.Data[4:]))
		p.openObject("")
		num(p, "ifindex", "%d: ", i)
		p.colored(colorName, "ifname", "%s\n", s.nameOf(i))
		p.openObject("mpls_stats")
		p.text("    mpls:\n")
		at := func(i int) uint64 { return native.Uint64(b[8*i:]) }
		p.text("        RX: bytes  packets  errors  dropped  noroute\n        %-10d %-8d %-7d %-8d %-7d\n", at(2), at(0), at(4), at(6), at(8))
		p.text("        TX: bytes  packets  errors  dropped\n        %-10d %-8d %-7d %-7d\n", at(3), at(1), at(5), at(7))
		for side, key := range []string{"rx", "tx"} {
			p.openObject(key)
			for j, name := range []string{"packets", "bytes", "errors", "dropped"} {
				num(p, name, "", at(2*j+side))
			}
			if side == 0 {
				num(p, "noroute", "", at(8))
			}
			p.closeObject()
		}
		p.closeObject()
		p.closeObject()
	}
}
