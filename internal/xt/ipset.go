package xt

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"warren/state"
)

// Commands and attributes of linux/netfilter/ipset/ip_set.h. Numbers are in network order.
const (
	IPSetSubsystem = 6 << 8 // NFNL_SUBSYS_IPSET in a message's type
	IPSetList      = 7      // IPSET_CMD_LIST
	IPSetByIndex   = 15     // IPSET_CMD_GET_BYINDEX
	IPSetProtocol  = 7      // IPSET_PROTOCOL, Linux 4.20; lists were the same with 6

	IPSetAttrProtocol, IPSetAttrName, IPSetAttrIndex = 1, 2, 11

	ipsetType, ipsetFamily, ipsetData, ipsetADT = 3, 5, 7, 8

	elemIP, elemCIDR, elemPort, elemProto, elemFlags = 1, 3, 4, 7, 8
	elemIP2, elemCIDR2                               = 20, 21
	createNetmask, createBitmask                     = 20, 28
	flagNoMatch                                      = 1 << 2 // IPSET_FLAG_NOMATCH
)

// understood reports whether it is known what the dimensions of a type compare.
func understood(typ string) bool {
	switch typ {
	case "hash:ip", "hash:net", "hash:ip,port", "hash:net,port", "hash:ip,port,ip", "hash:ip,port,net", "bitmap:ip", "bitmap:port", "hash:net,net", "hash:net,port,net":
		return true
	}
	return false
}

// eachAttr walks over netlink attributes (netlink(7)).
func eachAttr(b []byte, f func(typ uint16, data []byte) error) error {
	for len(b) > 0 {
		if len(b) < 4 {
			return fmt.Errorf("%w: %d bytes after the last attribute", ErrMalformed, len(b))
		}
		n := int(u16(b))
		if n < 4 || n > len(b) {
			return fmt.Errorf("%w: an attribute of %d bytes", ErrMalformed, n)
		}
		if err := f(u16(b[2:])&0x3fff, b[4:n]); err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

// DecodeIPSetName reads the answer to IPSetByIndex, behind struct nfgenmsg.
func DecodeIPSetName(b []byte) (string, error) {
	name := ""
	err := eachAttr(b, func(typ uint16, data []byte) error {
		if typ == IPSetAttrName {
			name = cstring(data)
		}
		return nil
	})
	return name, err
}

// DecodeIPSet adds one message of IPSetList, behind struct nfgenmsg, to a set: a long one comes in several.
func DecodeIPSet(b []byte, s *state.IPSet) error {
	return eachAttr(b, func(typ uint16, data []byte) error {
		switch typ {
		case IPSetAttrName:
			s.Name = cstring(data)
		case ipsetType:
			s.Type = cstring(data)
			s.Opaque = s.Opaque || !understood(s.Type)
		case ipsetFamily:
			if len(data) == 1 {
				s.Family = map[byte]string{2: "ip", 10: "ip6"}[data[0]]
			}
		case ipsetData: // how it was made
			return eachAttr(data, func(typ uint16, _ []byte) error {
				s.Opaque = s.Opaque || typ == createNetmask || typ == createBitmask
				return nil
			})
		case ipsetADT:
			return eachAttr(data, func(_ uint16, member []byte) error {
				e, err := ipsetElement(member)
				s.Elements = append(s.Elements, e)
				return err
			})
		}
		return nil
	})
}

// ipsetElement reads one member.
func ipsetElement(b []byte) (state.IPSetElement, error) {
	var e state.IPSetElement
	var ip, second netip.Addr
	bits, bits2 := -1, -1
	err := eachAttr(b, func(typ uint16, v []byte) error {
		switch {
		case typ == elemIP:
			ip = ipsetAddr(v)
		case typ == elemIP2:
			second = ipsetAddr(v)
		case typ == elemCIDR && len(v) == 1:
			bits = int(v[0])
		case typ == elemCIDR2 && len(v) == 1:
			bits2 = int(v[0])
		case typ == elemPort && len(v) == 2:
			e.Port = binary.BigEndian.Uint16(v)
		case typ == elemProto && len(v) == 1:
			e.Proto = v[0]
		case typ == elemFlags && len(v) == 4:
			e.NoMatch = binary.BigEndian.Uint32(v)&flagNoMatch != 0
		}
		return nil
	})
	prefix := func(a netip.Addr, n int) netip.Prefix {
		if n < 0 {
			n = a.BitLen()
		}
		return netip.PrefixFrom(a, n)
	}
	if ip.IsValid() {
		e.Net = prefix(ip, bits)
	}
	if second.IsValid() {
		e.Second = prefix(second, bits2)
	}
	return e, err
}

func ipsetAddr(b []byte) netip.Addr {
	var a netip.Addr
	_ = eachAttr(b, func(_ uint16, v []byte) error {
		a, _ = netip.AddrFromSlice(v)
		return nil
	})
	return a
}

// set reads struct xt_set_info, unless counters are compared, too.
func set(m *state.XTMatch, d []byte) bool {
	if m.Revision == 0 || len(d) < 4 || d[2] < 1 || d[2] > 3 {
		return false
	}
	if m.Revision >= 3 && !allZero(d[4:]) {
		return false
	}
	x := &state.XTSet{Index: u16(d), Inverted: d[3]&1 != 0}
	for i := range int(d[2]) {
		x.Source = append(x.Source, d[3]>>(i+1)&1 != 0)
	}
	m.Set = x
	return true
}

// setText is a match as iptables-save writes it.
func setText(x *state.XTSet) (name, dirs string) {
	name = x.Name
	if name == "" {
		name = fmt.Sprintf("index:%d", x.Index)
	}
	var list []string
	for _, src := range x.Source {
		if src {
			list = append(list, "src")
		} else {
			list = append(list, "dst")
		}
	}
	return name, strings.Join(list, ",")
}
