package iproute

import (
	"cmp"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// parseVF reads "vf NUM ...": what the driver of a card is to do for a virtual function (IFLA_VF_*, linux/if_link.h).
func (r *linkRequest) parseVF(w *words) {
	n, ok := parseInt(w.next())
	if !ok || n < 0 {
		invalid("Invalid \"vf\" value\n", w.peek())
	}
	vf := uint32(n)
	list := r.m.Begin(unix.IFLA_VFINFO_LIST)
	info := r.m.Begin(1) // IFLA_VF_INFO
	pair := func(typ uint16, v uint32) {
		r.m.Bytes(typ, native.AppendUint32(native.AppendUint32(nil, vf), v))
	}
	var minRate, maxRate *uint32 // nil = as it is
	// Where one of the limits is named, "rate" is no more than the upper one when that is not.
	upper := slices.ContainsFunc(w.rest(), func(word string) bool { return matches(word, "max_tx_rate") })
	rates := upper || slices.ContainsFunc(w.rest(), func(word string) bool { return matches(word, "min_tx_rate") })
	any := false
	onOff := func(key string) uint32 {
		if onOff(key, w.next()) {
			return 1
		}
		return 0
	}
words:
	for w.left() > 1 {
		last := w.at
		switch word := w.next(); {
		case matches(word, "mac"):
			b := make([]byte, 36)
			native.PutUint32(b, vf)
			mac := hwWord(w.next())
			r.checkLength(len(mac))
			copy(b[4:], mac)
			r.m.Bytes(1, b)
		case matches(word, "vlan"):
			r.vfVlan(vf, w)
		case matches(word, "rate"):
			switch v := u32(w.next(), "Invalid \"rate\" value\n"); {
			case !rates:
				pair(3, v)
			case !upper:
				maxRate = &v
			}
		case matches(word, "max_tx_rate"):
			v := u32(w.next(), "Invalid \"max tx rate\" value\n")
			maxRate = &v
		case matches(word, "min_tx_rate"):
			v := u32(w.next(), "Invalid \"min tx rate\" value\n")
			minRate = &v
		case matches(word, "spoofchk"):
			pair(4, onOff("spoofchk"))
		case matches(word, "query_rss"):
			pair(7, onOff("query_rss"))
		case matches(word, "trust"):
			pair(9, onOff("trust"))
		case matches(word, "state"):
			v, ok := map[string]uint32{"auto": 0, "enable": 1, "disable": 2}[w.next()]
			if !ok {
				invalid("Invalid \"state\" value\n", w.peek())
			}
			pair(5, v)
		case matches(word, "node_guid"):
			r.vfGUID(10, vf, w.next())
		case matches(word, "port_guid"):
			r.vfGUID(11, vf, w.next())
		default:
			w.at = last
			break words
		}
		any = true
	}
	if !any {
		incomplete()
	}
	if rates {
		if minRate == nil || maxRate == nil {
			low, high := r.presentRates(vf)
			minRate, maxRate = cmp.Or(minRate, &low), cmp.Or(maxRate, &high)
		}
		if *maxRate != 0 && int32(*minRate) > int32(*maxRate) {
			fail(exitFailed, "Invalid min_tx_rate %d - must be <= max_tx_rate %d", int32(*minRate), int32(*maxRate))
		}
		r.m.Bytes(6, native.AppendUint32(native.AppendUint32(native.AppendUint32(nil, vf), *minRate), *maxRate))
	}
	r.m.End(info)
	r.m.End(list)
}

// presentRates are the limits that a virtual function has.
func (r *linkRequest) presentRates(vf uint32) (low, high uint32) {
	const rate, withVFs = 6, 1 // IFLA_VF_RATE, RTEXT_FILTER_VF
	l := r.present(withVFs)
	rtnl.EachAttr(l.a.Bytes(unix.IFLA_VFINFO_LIST), func(_ uint16, b []byte) {
		if v := rtnl.ParseAttrs(b).Bytes(rate); len(v) >= 12 && native.Uint32(v) == vf {
			low, high = native.Uint32(v[4:]), native.Uint32(v[8:])
		}
	})
	return low, high
}

// vfVlan reads "vlan ID [qos N] [proto P]".
func (r *linkRequest) vfVlan(vf uint32, w *words) {
	id, qos, proto := u32(w.next(), "Invalid \"vlan\" value\n"), uint32(0), uint16(unix.ETH_P_8021Q)
	for w.left() > 2 {
		switch w.list[w.at+1] {
		case "qos":
			w.skip()
			qos = u32(w.next(), "Invalid \"qos\" value\n")
			continue
		case "proto":
			w.skip()
			proto = vlanProtocol(w.next())
			continue
		}
		break
	}
	b := native.AppendUint32(native.AppendUint32(native.AppendUint32(nil, vf), id), qos)
	if proto == unix.ETH_P_8021Q {
		r.m.Bytes(2, b)
		return
	}
	at := r.m.Begin(12) // IFLA_VF_VLAN_LIST
	r.m.Bytes(1, append(b, byte(proto>>8), byte(proto), 0, 0))
	r.m.End(at)
}

func (r *linkRequest) vfGUID(typ uint16, vf uint32, word string) {
	b, ok := parseHW(word)
	if !ok || len(b) != 8 {
		invalid("Invalid GUID format\n", word)
	}
	out := native.AppendUint32(nil, vf)
	out = append(out, 0, 0, 0, 0)
	for _, c := range slices.Backward(b) { // a number whose first byte is the highest
		out = append(out, c)
	}
	r.m.Bytes(typ, out)
}

// parseXDP reads "xdp off"; a program to load is another's business (bpftool(8), xdp-loader(8)).
func (r *linkRequest) parseXDP(word string, w *words) {
	const skb, driver, hardware = 1 << 1, 1 << 2, 1 << 3 // XDP_FLAGS_*
	flags := map[string]uint32{"xdpgeneric": skb, "xdpdrv": driver, "xdpoffload": hardware}[word]
	switch next := w.next(); next {
	case "off", "none":
	case "object", "obj", "pinned", "fd", "bytecode":
		die("ip link ... %s %s is not supported by this version of warren: use iproute2's own ip or bpftool for it.", word, next)
	default:
		die("What mode is \"%s\"?", next)
	}
	if !r.s.opt.force {
		flags |= 1 // XDP_FLAGS_UPDATE_IF_NOEXIST
	}
	at := r.m.Begin(unix.IFLA_XDP)
	r.m.U32(1, forever) // no program (IFLA_XDP_FD)
	if flags != 0 {
		r.m.U32(3, flags)
	}
	r.m.End(at)
}

// parseReason reads "protodown_reason BIT on|off".
func (r *linkRequest) parseReason(w *words) {
	const mask, value = 1, 2
	bit, ok := parseUint(w.next(), 10, 8)
	if !ok || bit >= 32 {
		invalid("invalid protodown reason\n", w.peek())
	}
	on := onOff("protodown_reason", w.next())
	at := r.m.Begin(iflaProtoDownReason)
	r.m.U32(mask, 1<<bit)
	if on {
		r.m.U32(value, 1<<bit)
	} else {
		r.m.U32(value, 0)
	}
	r.m.End(at)
}

// iflaProtoDownReason is IFLA_PROTO_DOWN_REASON (linux/if_link.h, Linux 5.9).
const iflaProtoDownReason = 55

// printReasons prints why a link is kept down.
func printReasons(p *printer, a rtnl.Attrs) {
	const value = 2
	reasons := a.Nested(iflaProtoDownReason).U32(value)
	if reasons == 0 {
		return
	}
	p.openArray("proto_down_reason", "protodown_reason <")
	for bit := range 32 {
		if reasons&(1<<bit) == 0 {
			continue
		}
		reasons &^= 1 << bit
		printFlag(p, strconv.Itoa(bit), reasons != 0)
	}
	p.closeArray("> ")
}
