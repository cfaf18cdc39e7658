package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Attributes of a vxlan that x/sys does not number (linux/if_link.h; the filter of identifiers is of Linux 5.18).
const (
	iflaVxlanGroup6    = 16
	iflaVxlanLocal6    = 17
	iflaVxlanVnifilter = 30
)

// A vxlanSwitch is a word that has no value.
type vxlanSwitch struct {
	word  string
	typ   uint16
	value uint8
}

func vxlanSwitches() []vxlanSwitch {
	return []vxlanSwitch{
		{"nolearning", unix.IFLA_VXLAN_LEARNING, 0},
		{"learning", unix.IFLA_VXLAN_LEARNING, 1},
		{"noproxy", unix.IFLA_VXLAN_PROXY, 0},
		{"proxy", unix.IFLA_VXLAN_PROXY, 1},
		{"norsc", unix.IFLA_VXLAN_RSC, 0},
		{"rsc", unix.IFLA_VXLAN_RSC, 1},
		{"nol2miss", unix.IFLA_VXLAN_L2MISS, 0},
		{"l2miss", unix.IFLA_VXLAN_L2MISS, 1},
		{"nol3miss", unix.IFLA_VXLAN_L3MISS, 0},
		{"l3miss", unix.IFLA_VXLAN_L3MISS, 1},
		{"udpcsum", unix.IFLA_VXLAN_UDP_CSUM, 1},
		{"noudpcsum", unix.IFLA_VXLAN_UDP_CSUM, 0},
		{"udp6zerocsumtx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 1},
		{"noudp6zerocsumtx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 0},
		{"udp6zerocsumrx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1},
		{"noudp6zerocsumrx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 0},
		{"remcsumtx", unix.IFLA_VXLAN_REMCSUM_TX, 1},
		{"noremcsumtx", unix.IFLA_VXLAN_REMCSUM_TX, 0},
		{"remcsumrx", unix.IFLA_VXLAN_REMCSUM_RX, 1},
		{"noremcsumrx", unix.IFLA_VXLAN_REMCSUM_RX, 0},
		{"external", unix.IFLA_VXLAN_COLLECT_METADATA, 1},
		{"noexternal", unix.IFLA_VXLAN_COLLECT_METADATA, 0},
		{"gbp", unix.IFLA_VXLAN_GBP, 0},
		{"gpe", unix.IFLA_VXLAN_GPE, 0},
	}
}

// A vxlanWords is what the words of an overlay said so far.
type vxlanWords struct {
	r             *linkRequest
	seen          map[uint16]bool
	id            uint32
	port          uint16
	local, remote netip.Addr
	learning      uint8
	external      bool
	filter        bool
}

// once refuses a second word for the same attribute.
func (v *vxlanWords) once(typ uint16, key, word string) {
	if v.seen[typ] {
		garbage(key, word)
	}
	v.seen[typ] = true
}

// parseVxlan reads the options of an overlay.
func (r *linkRequest) parseVxlan(w *words) {
	v := &vxlanWords{r: r, seen: map[uint16]bool{}, learning: 1}
	for w.more() {
		if !v.toggle(w.peek()) {
			v.value(w)
		}
		w.skip()
	}
	v.check()
	v.write()
}

// addresses reads the words that name an address; the two of an overlay are of one family.
func (v *vxlanWords) addresses(w *words) bool {
	family := func(other netip.Addr) int {
		if !other.IsValid() {
			return unix.AF_UNSPEC
		}
		return familyOfAddr(other)
	}
	word := w.peek()
	switch {
	case matches(word, "group"), matches(word, "remote"):
		group := matches(word, "group")
		if v.remote.IsValid() && v.remote.IsMulticast() != group {
			fail(exitFailed, "vxlan: both group and remote cannot be specified")
		}
		key := map[bool]string{true: "group", false: "remote"}[group]
		v.once(unix.IFLA_VXLAN_GROUP, key, w.next())
		if v.remote = address(w.peek(), family(v.local)); !v.remote.IsValid() || v.remote.IsMulticast() != group {
			invalid("invalid "+key+" address", w.peek())
		}
	case matches(word, "local"):
		v.once(unix.IFLA_VXLAN_LOCAL, "local", w.next())
		if v.local = address(w.peek(), family(v.remote)); !v.local.IsValid() || v.local.IsMulticast() {
			invalid("invalid local address", w.peek())
		}
	default:
		return false
	}
	return true
}

// value reads a word with its value.
func (v *vxlanWords) value(w *words) {
	m, word := v.r.m, w.peek()
	if matches(word, "id") || matches(word, "vni") {
		v.once(unix.IFLA_VXLAN_ID, "id", w.next())
		if v.id = u32(w.peek(), "invalid id"); v.id >= 1<<24 {
			invalid("invalid id", w.peek())
		}
		return
	}
	if v.addresses(w) {
		return
	}
	switch {
	case matches(word, "dev"):
		v.once(unix.IFLA_VXLAN_LINK, "dev", w.next())
		m.U32(unix.IFLA_VXLAN_LINK, v.r.s.lower(w.peek()))
	case matches(word, "ttl"), matches(word, "hoplimit"):
		v.ttl(w)
	case matches(word, "tos"), matches(word, "dsfield"):
		v.once(unix.IFLA_VXLAN_TOS, "tos", w.next())
		tos := uint8(1)
		if w.peek() != "inherit" {
			tos = v.r.s.dsWord(w.peek(), "bad TOS value")
		}
		m.U8(unix.IFLA_VXLAN_TOS, tos)
	case matches(word, "df"):
		v.once(unix.IFLA_VXLAN_DF, "df", w.next())
		mode, ok := map[string]uint8{"unset": 0, "set": 1, "inherit": 2}[w.peek()]
		if !ok {
			invalid("DF must be 'unset', 'set' or 'inherit'", w.peek())
		}
		m.U8(unix.IFLA_VXLAN_DF, mode)
	case matches(word, "label"), matches(word, "flowlabel"):
		v.once(unix.IFLA_VXLAN_LABEL, "flowlabel", w.next())
		n := u32(w.peek(), "invalid flowlabel")
		if n >= 1<<20 {
			invalid("invalid flowlabel", w.peek())
		}
		m.Bytes(unix.IFLA_VXLAN_LABEL, []byte{0, byte(n >> 16), byte(n >> 8), byte(n)})
	case matches(word, "ageing"):
		v.once(unix.IFLA_VXLAN_AGEING, "ageing", w.next())
		v.limited(unix.IFLA_VXLAN_AGEING, w.peek(), "none", "ageing timer")
	case matches(word, "maxaddress"):
		v.once(unix.IFLA_VXLAN_LIMIT, "maxaddress", w.next())
		v.limited(unix.IFLA_VXLAN_LIMIT, w.peek(), "unlimited", "max addresses")
	case matches(word, "port"), matches(word, "srcport"):
		v.once(unix.IFLA_VXLAN_PORT_RANGE, "srcport", w.next())
		low := u16(w.peek(), "min port")
		high := u16(w.next(), "max port")
		if low != 0 || high != 0 {
			m.Bytes(unix.IFLA_VXLAN_PORT_RANGE, []byte{byte(low >> 8), byte(low), byte(high >> 8), byte(high)})
		}
	case matches(word, "dstport"):
		v.once(unix.IFLA_VXLAN_PORT, "dstport", w.next())
		v.port = u16(w.peek(), "dst port")
	default:
		v.r.unknownOption("vxlan", w)
	}
}

func (v *vxlanWords) limited(typ uint16, word, none, what string) {
	n := uint32(0)
	if word != none {
		n = u32(word, what)
	}
	v.r.m.U32(typ, n)
}

func (v *vxlanWords) ttl(w *words) {
	v.once(unix.IFLA_VXLAN_TTL, "ttl", w.next())
	switch word := w.peek(); word {
	case "inherit":
		v.r.m.Flag(unix.IFLA_VXLAN_TTL_INHERIT)
	case "auto":
		v.r.m.U8(unix.IFLA_VXLAN_TTL, 0)
	default:
		n := u32(word, "invalid TTL")
		if n > 255 {
			invalid("TTL must be <= 255", word)
		}
		v.r.m.U8(unix.IFLA_VXLAN_TTL, uint8(n))
	}
}

// toggle reads a word without a value.
func (v *vxlanWords) toggle(word string) bool {
	if word == "vnifilter" || word == "novnifilter" { // in full only
		v.once(iflaVxlanVnifilter, word, word)
		v.filter = v.filter || word == "vnifilter"
		v.r.u8(iflaVxlanVnifilter, word == "vnifilter")
		return true
	}
	for _, early := range []string{"id", "vni", "group", "remote", "local", "dev", "port", "label"} {
		if matches(word, early) {
			return false // shorter beginnings are theirs
		}
	}
	for _, o := range vxlanSwitches() {
		if !matches(word, o.word) {
			continue
		}
		v.once(o.typ, word, word)
		switch o.typ {
		case unix.IFLA_VXLAN_LEARNING:
			v.learning = o.value
		case unix.IFLA_VXLAN_GBP, unix.IFLA_VXLAN_GPE:
			v.r.m.Flag(o.typ)
		case unix.IFLA_VXLAN_COLLECT_METADATA:
			if v.external = o.value != 0; v.external {
				v.learning = 0
			}
			v.r.m.U8(o.typ, o.value)
		default:
			v.r.m.U8(o.typ, o.value)
		}
		return true
	}
	return false
}

// check finds what does not go together, as soon as all words are there.
func (v *vxlanWords) check() {
	switch hasID := v.seen[unix.IFLA_VXLAN_ID]; {
	case v.filter && !v.external:
		fail(exitFailed, "vxlan: vnifilter is valid only when 'external' is set")
	case v.external && hasID:
		fail(exitFailed, "vxlan: both 'external' and vni cannot be specified")
	case !v.external && !v.filter && !hasID && !v.r.set:
		fail(exitFailed, "vxlan: missing virtual network identifier")
	case v.remote.IsValid() && v.remote.IsMulticast() && !v.seen[unix.IFLA_VXLAN_LINK]:
		fail(exitFailed, "vxlan: 'group' requires 'dev' to be specified")
	}
	const gpePort = 4790
	switch {
	case v.seen[unix.IFLA_VXLAN_PORT]:
	case v.seen[unix.IFLA_VXLAN_GPE]:
		v.port = gpePort
	case !v.r.set:
		// Without a word the kernel takes a port of its own from before there was a number for vxlan; iproute2 leaves it at that.
		v.r.s.hint("vxlan: without dstport the kernel takes a port of its own (the registered one is dstport 4789, dstport 0 says nothing)")
	}
}

func (v *vxlanWords) write() {
	m := v.r.m
	if v.seen[unix.IFLA_VXLAN_ID] {
		m.U32(unix.IFLA_VXLAN_ID, v.id)
	}
	put := func(four, six uint16, a netip.Addr) {
		switch {
		case !a.IsValid():
		case a.Is4():
			m.Addr(four, a)
		default:
			m.Addr(six, a)
		}
	}
	put(unix.IFLA_VXLAN_LOCAL, iflaVxlanLocal6, v.local)
	remote := v.remote
	if !remote.IsValid() && !v.local.IsValid() {
		switch v.r.s.opt.family { // "ip -6 link add": the family of the socket
		case unix.AF_INET:
			remote = netip.IPv4Unspecified()
		case unix.AF_INET6:
			remote = netip.IPv6Unspecified()
		}
	}
	put(unix.IFLA_VXLAN_GROUP, iflaVxlanGroup6, remote)
	if !v.r.set || v.seen[unix.IFLA_VXLAN_LEARNING] {
		m.U8(unix.IFLA_VXLAN_LEARNING, v.learning)
	}
	if v.port != 0 {
		m.BE16(unix.IFLA_VXLAN_PORT, v.port)
	}
}

// lower is the index of the device that a tunnel or route goes through; that there is none ends a batch too.
func (s *session) lower(name string) uint32 {
	index := s.indexOf(name)
	if index == 0 {
		die("Cannot find device \"%s\"", name)
	}
	return uint32(index)
}
