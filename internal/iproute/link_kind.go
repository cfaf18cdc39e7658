package iproute

import (
	"strings"

	"golang.org/x/sys/unix"
)

// linkInfo writes IFLA_LINKINFO from "type KIND ARGS".
func (r *linkRequest) linkInfo(w *words) {
	kind, slave := strings.CutSuffix(r.kind, "_slave")
	info := r.m.Begin(unix.IFLA_LINKINFO)
	kindType, dataType := uint16(unix.IFLA_INFO_KIND), uint16(unix.IFLA_INFO_DATA)
	if slave {
		kindType, dataType = unix.IFLA_INFO_SLAVE_KIND, unix.IFLA_INFO_SLAVE_DATA
	}
	r.m.Bytes(kindType, []byte(kind))
	if w.more() {
		parse := r.kindParser(r.kind)
		switch {
		case withoutOptions(r.kind):
			r.m.Flag(dataType)
		case parse != nil:
			data := r.m.Begin(dataType)
			parse(w)
			r.m.End(data)
		case matches(w.peek(), "help"):
			usageOf(linkUsage)
		default:
			fail(exitFailed, "Garbage instead of arguments \"%s ...\". Try \"ip link help\".", w.peek())
		}
	}
	r.m.End(info)
}

func (r *linkRequest) kindParser(kind string) func(*words) {
	switch kind {
	case "veth", "vxcan":
		return r.parseVeth
	case "bridge":
		return func(w *words) { r.parseTable(kind, w, bridgeOpts()) }
	case "bridge_slave":
		return func(w *words) { r.parseTable(kind, w, portOpts()) }
	case "macvlan", "macvtap":
		return r.parseMacvlan
	case "ipvlan", "ipvtap":
		return r.parseIpvlan
	case "vlan":
		return r.parseVlan
	case "vxlan":
		return r.parseVxlan
	case "gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan":
		return r.parseGre
	case "bareudp":
		return r.parseBareudp
	case "xfrm":
		return r.parseXfrmKind
	case "ipip", "sit", "ip6tnl":
		return r.parseIptun
	case "vti", "vti6":
		return r.parseVTI
	case "geneve":
		return r.parseGeneve
	case "gtp":
		return r.parseGTP
	case "hsr", "amt", "rmnet", "ipoib", "wwan", "dsa", "batadv":
		return func(w *words) { r.parseTable(kind, w, rareOpts(kind)) }
	case "bond_slave":
		return func(w *words) { r.parseTable(kind, w, bondSlaveOpts()) }
	case "bond":
		return func(w *words) { r.parseTable(kind, w, bondOpts()) }
	case "vrf":
		return func(w *words) { r.parseTable(kind, w, []kindOpt{{"table", unix.IFLA_VRF_TABLE, asTable}}) }
	}
	return nil
}

// parseVeth reads "peer ...", which is a link like the first.
func (r *linkRequest) parseVeth(w *words) {
	if w.peek() != "peer" {
		s := r.s
		s.out().text("Usage: ip link <options> type %s [peer <options>]\nTo get <options> type 'ip link add help'\n", r.kind)
		fail(exitFailed, "%s: unknown option \"%s\"?", r.kind, w.peek())
	}
	w.skip()
	const vethInfoPeer = 1
	at := r.m.Begin(vethInfoPeer)
	mark := r.m.Mark()
	r.m.Raw(make([]byte, unix.SizeofIfInfomsg))
	peer := &linkRequest{s: r.s, m: r.m, group: -1}
	peer.parse(w)
	r.open = append(r.open, peer.open...)
	if peer.kind != "" {
		fail(exitFailed, "veth: unknown option \"type\"?")
	}
	if peer.both() {
		die("both \"name\" and \"dev\" cannot be used when creating devices.")
	}
	if peer.name == "" {
		peer.name = peer.dev
	}
	if peer.name != "" {
		r.m.Str(unix.IFLA_IFNAME, peer.name)
	}
	if peer.group >= 0 {
		r.m.U32(unix.IFLA_GROUP, uint32(peer.group))
	}
	head := r.m.Patch(mark)
	native.PutUint32(head[4:], uint32(peer.index))
	native.PutUint32(head[8:], peer.flags)
	native.PutUint32(head[12:], peer.change)
	r.m.End(at)
}

func (r *linkRequest) unknownOption(kind string, w *words) {
	if matches(w.peek(), "help") {
		fail(exitFailed, "%s", kindUsage(kind))
	}
	fail(exitFailed, "%s: unknown option \"%s\"?", kind, w.peek())
}

func (r *linkRequest) parseMacvlan(w *words) {
	const nopromisc, nodst = 1, 2
	mode, flags, hasFlags := uint32(0), uint16(0), false
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "mode"):
			word := w.next()
			for _, m := range macvlanModes() {
				if m.name == word {
					mode = m.value
				}
			}
			if mode == 0 {
				fail(exitFailed, "Error: argument of \"mode\" must be \"private\", \"vepa\", \"bridge\", \"passthru\" or \"source\", not \"%s\"", word)
			}
		case matches(word, "nopromisc"):
			flags, hasFlags = flags|nopromisc, true
		case matches(word, "nodst"):
			flags, hasFlags = flags|nodst, true
		case matches(word, "bcqueuelen"):
			r.m.U32(unix.IFLA_MACVLAN_BC_QUEUE_LEN, u32(w.next(), "bcqueuelen"))
		case matches(word, "flag"):
			if w.next() != "nopromisc" && w.peek() != "null" {
				fail(exitFailed, "Error: argument of \"flag\" must be \"nopromisc\" or \"null\", not \"%s\"", w.peek())
			}
			if hasFlags = true; w.peek() == "nopromisc" {
				flags |= nopromisc
			}
		case matches(word, "macaddr"):
			r.macaddr(w)
		default:
			r.unknownOption(r.kind, w)
		}
		w.skip()
	}
	if mode != 0 {
		r.m.U32(unix.IFLA_MACVLAN_MODE, mode)
	}
	if hasFlags {
		if flags&nopromisc != 0 && mode != 8 {
			fail(exitFailed, "Error: nopromisc flag only valid in passthru mode")
		}
		r.m.U16(unix.IFLA_MACVLAN_FLAGS, flags)
	}
}

// macaddr reads "macaddr { add | del | set | flush } [ MAC ... ]" of a macvlan in source mode.
func (r *linkRequest) macaddr(w *words) {
	const add, del, flush, set = 0, 1, 2, 3
	one := func() {
		b, ok := parseHW(w.next())
		if !ok || len(b) != 6 {
			invalid("invalid mac address", w.peek())
		}
		r.m.Bytes(unix.IFLA_MACVLAN_MACADDR, b)
	}
	switch word := w.next(); {
	case matches(word, "add"):
		r.m.U32(unix.IFLA_MACVLAN_MACADDR_MODE, add)
		one()
	case matches(word, "del"):
		r.m.U32(unix.IFLA_MACVLAN_MACADDR_MODE, del)
		one()
	case matches(word, "set"):
		r.m.U32(unix.IFLA_MACVLAN_MACADDR_MODE, set)
		at := r.m.Begin(unix.IFLA_MACVLAN_MACADDR_DATA)
		for w.left() > 1 {
			if b, ok := parseHW(w.list[w.at+1]); !ok || len(b) != 6 {
				break
			}
			one()
		}
		r.m.End(at)
	case matches(word, "flush"):
		r.m.U32(unix.IFLA_MACVLAN_MACADDR_MODE, flush)
	default:
		fail(exitFailed, "Error: argument of \"macaddr\" must be \"add\", \"del\", \"set\" or \"flush\", not \"%s\"", word)
	}
}

// qosMap reads "1:2 3:4": priorities of the kernel and of the tag.
func (r *linkRequest) qosMap(typ uint16, w *words) {
	const mapping = 1
	at := r.m.Begin(typ)
	for w.left() > 1 {
		from, to, ok := strings.Cut(w.list[w.at+1], ":")
		a, good := parseUint(from, 0, 32)
		b, fine := parseUint(to, 0, 32)
		if !ok || !good || !fine {
			break
		}
		w.skip()
		r.m.Bytes(mapping, native.AppendUint32(native.AppendUint32(nil, uint32(a)), uint32(b)))
	}
	r.m.End(at)
}

func (r *linkRequest) parseIpvlan(w *words) {
	flags, hasFlags := uint16(0), false
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "mode"):
			switch word := w.next(); word {
			case "l2":
				r.m.U16(unix.IFLA_IPVLAN_MODE, 0)
			case "l3":
				r.m.U16(unix.IFLA_IPVLAN_MODE, 1)
			case "l3s":
				r.m.U16(unix.IFLA_IPVLAN_MODE, 2)
			default:
				fail(exitFailed, "Error: argument of \"mode\" must be either \"l2\", \"l3\" or \"l3s\"")
			}
		case matches(word, "private") && !hasFlags:
			flags, hasFlags = 1, true
		case matches(word, "vepa") && !hasFlags:
			flags, hasFlags = 2, true
		case matches(word, "bridge") && !hasFlags:
			flags, hasFlags = 0, true
		default:
			r.unknownOption(r.kind, w)
		}
		w.skip()
	}
	r.m.U16(unix.IFLA_IPVLAN_FLAGS, flags)
}

func (r *linkRequest) parseVlan(w *words) {
	var flags, mask uint32
	for w.more() {
		word := w.peek()
		switch {
		case matches(word, "protocol"):
			proto, ok := map[string]uint16{"802.1q": unix.ETH_P_8021Q, "802.1ad": unix.ETH_P_8021AD}[strings.ToLower(w.next())]
			if !ok {
				invalid("protocol is invalid", w.peek())
			}
			r.m.BE16(unix.IFLA_VLAN_PROTOCOL, proto)
		case matches(word, "id"):
			r.m.U16(unix.IFLA_VLAN_ID, u16(w.next(), "id is invalid"))
		case matches(word, "ingress-qos-map"):
			r.qosMap(unix.IFLA_VLAN_INGRESS_QOS, w)
		case matches(word, "egress-qos-map"):
			r.qosMap(unix.IFLA_VLAN_EGRESS_QOS, w)
		default:
			bit := uint32(0)
			for i, name := range []string{"reorder_hdr", "gvrp", "loose_binding", "mvrp", "bridge_binding"} {
				if matches(word, name) && bit == 0 {
					bit = 1 << i
				}
			}
			if bit == 0 {
				r.unknownOption(r.kind, w)
			}
			mask |= bit
			flags &^= bit
			if onOff(word, w.next()) {
				flags |= bit
			}
		}
		w.skip()
	}
	if mask != 0 {
		b := native.AppendUint32(nil, flags)
		r.m.Bytes(unix.IFLA_VLAN_FLAGS, native.AppendUint32(b, mask))
	}
}
