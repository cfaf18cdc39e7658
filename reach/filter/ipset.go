package filter

import (
	"net/netip"
	"slices"
	"strings"

	"warren/state"
)

// xtSet asks a set of ipset(8) (set_match_v1). A packet that lacks what the set compares is not in it.
func (e *eval) xtSet(x *state.XTSet) (outcome, string) {
	i := slices.IndexFunc(e.ns.ns.IPSets, func(s state.IPSet) bool { return s.Name == x.Name })
	if x.Name == "" || i < 0 {
		return maybe, "the set of a rule was not read"
	}
	s := &e.ns.ns.IPSets[i]
	if s.Opaque {
		return maybe, "set " + s.Name + " of type " + s.Type + " is not modelled"
	}
	return truth(e.inIPSet(s, x.Source) != x.Inverted), ""
}

// inIPSet looks for the member that fits the packet best.
func (e *eval) inIPSet(s *state.IPSet, source []bool) bool {
	p := e.p
	_, list, _ := strings.Cut(s.Type, ":")
	dims := strings.Split(list, ",")
	if len(source) < len(dims) || s.Family == "ip" && p.Is6() || s.Family == "ip6" && !p.Is6() || p.ARP != nil {
		return false
	}
	best, found := -1, false
	for i := range s.Elements {
		el := &s.Elements[i]
		fits, bits := true, 0
		first := true
		for d, kind := range dims {
			if kind == "port" {
				fits = fits && samePort(s, el, p, source[d])
				continue
			}
			net := el.Net
			if !first {
				net = el.Second
			}
			first = false
			fits = fits && net.Contains(side(p, source[d]))
			bits += net.Bits()
		}
		if fits && bits > best {
			best, found = bits, !el.NoMatch
		}
	}
	return found
}

func side(p *Packet, source bool) netip.Addr {
	if source {
		return p.Src
	}
	return p.Dst
}

// samePort compares protocol and port, of ICMP type and code; sets of ports alone know TCP and UDP alike.
func samePort(s *state.IPSet, el *state.IPSetElement, p *Packet, source bool) bool {
	port := p.DPort
	if source {
		port = p.SPort
	}
	switch p.Proto {
	case TCP, UDP:
		return port == el.Port && (s.Type == "bitmap:port" || p.Proto == el.Proto)
	case ICMP, ICMPv6:
		return s.Type != "bitmap:port" && p.Proto == el.Proto && uint16(p.ICMPType)<<8|uint16(p.ICMPCode) == el.Port
	}
	return s.Type != "bitmap:port" && p.Proto == el.Proto && el.Port == 0
}
