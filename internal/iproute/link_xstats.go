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

// linkXstats is "ip link xstats type bridge" or "bond": counters of multicast and of the spanning tree, or of the link aggregation
// protocol.
func linkXstats(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "xstats: missing argument")
	}
	if w.peek() != "type" {
		invalid("unknown argument", w.peek())
	}
	kind := w.next()
	which, bond := statsXstats, false
	switch kind {
	case "bridge":
	case "bridge_slave":
		which = statsXstatsSlave
	case "bond":
		bond = true
	case "bond_slave":
		which, bond = statsXstatsSlave, true
	default:
		if kindWords(kind) == nil {
			invalid("invalid type", kind)
		}
		fail(exitFailed, "xstats: link type %s doesn't support xstats", kind)
	}
	w.skip()
	x := s.xstatsWords(w, kind, bond)
	if x == nil {
		return // help
	}
	p := s.out()
	for _, msg := range s.dump(statsRequest(s, 0, 1<<(which-1))) {
		if len(msg.Data) < ifStatsLen || x.index != 0 && int(native.Uint32(msg.Data[4:])) != x.index {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[ifStatsLen:]).Nested(which)
		if bond && !a.Has(xstatsBond) || !bond && !a.Has(xstatsBridge) {
			continue
		}
		p.openObject("")
		p.str("ifname", "%-16s\n", s.nameOf(int(native.Uint32(msg.Data[4:]))))
		if bond {
			if suite := a.Nested(xstatsBond); suite.Has(bond3AD) {
				printBondStats(p, suite.Nested(bond3AD))
			}
		}
		rtnl.EachAttr(a.Bytes(xstatsBridge), func(typ uint16, b []byte) {
			switch {
			case bond:
			case typ == xstatsMcast && x.mcast && len(b) >= 26*8:
				printMcastStats(p, b)
			case typ == xstatsSTP && x.stp && len(b) >= 6*8:
				printSTPStats(p, b)
			}
		})
		p.closeObject()
	}
}

// An xstatsFilter is which counters are to be shown.
type xstatsFilter struct {
	index      int // of a link; 0 = all
	mcast, stp bool
}

// xstatsWords reads what follows the kind; nil when that was help.
func (s *session) xstatsWords(w *words, kind string, bond bool) *xstatsFilter {
	x := &xstatsFilter{mcast: true, stp: true}
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case bond && (word == "lacp" || word == "802.3ad"):
		case !bond && (matches(word, "igmp") || matches(word, "mcast")):
			x.stp = false
		case !bond && matches(word, "stp"):
			x.mcast = false
		case word == "dev":
			name := w.next()
			if x.index = s.indexOf(name); x.index == 0 {
				noDevice(name)
			}
		case word == "help":
			suites := "[ mcast | stp ]"
			if bond {
				suites = "[ 802.3ad ]"
			}
			s.out().text("Usage: ip link xstats type %s %s [ dev DEVICE ]\n", kind, suites)
			return nil
		default:
			invalid("unknown attribute", word)
		}
	}
	return x
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
