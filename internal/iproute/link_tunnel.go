package iproute

import (
	"net/netip"

	"warren/internal/rtnl"
)

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

// presentEncap are they as a tunnel has them.
func presentEncap(a rtnl.Attrs, typ int) [4]uint16 {
	return [4]uint16{a.U16(typ), a.U16(typ + 1), a.BE16(typ + 2), a.BE16(typ + 3)}
}

// writeEndpoints writes a tunnel's ends; the unspecified address is none.
func writeEndpoints(m *rtnl.Message, local, remote netip.Addr, localType, remoteType uint16) {
	if local.IsValid() && !local.IsUnspecified() {
		m.Addr(localType, local)
	}
	if remote.IsValid() && !remote.IsUnspecified() {
		m.Addr(remoteType, remote)
	}
}

// Flags of tunnels over IPv6 (IP6_TNL_F_*, linux/ip6_tunnel.h), the parts of the flow in their outer header, and how the outer
// checksum is said to be wanted.
const (
	tunnelNoLimit     = 0x1
	tunnelTclass      = 0x2
	tunnelFlowlabel   = 0x4
	tunnelMIP6        = 0x8
	tunnelDSCP        = 0x10
	tunnelFwmark      = 0x20
	tunnelLocalRemote = 0x40

	tunnelClassMask = 0x0ff00000
	tunnelLabelMask = 0x000fffff

	encapCsum6 = 2
)

// inherits reads the next word into a flag: whether it is the one that stands for no value of the tunnel's own.
func inherits(w *words, flags *uint32, flag uint32, word string) bool {
	is := w.next() == word
	if *flags &^= flag; is {
		*flags |= flag
	}
	return is
}

// classWord reads a traffic class in hexadecimal, as it stands in the flow.
func classWord(word string) uint32 {
	n, ok := parseUint(word, 16, 8)
	if !ok {
		invalid("invalid TClass", word)
	}
	return uint32(n) << 20
}

// labelWord reads a flow label in hexadecimal.
func labelWord(word string) uint32 {
	n, ok := parseUint(word, 16, 32)
	if !ok || n > tunnelLabelMask {
		invalid("invalid Flowlabel", word)
	}
	return uint32(n)
}
