package filter

import (
	"net/netip"

	"warren/state"
)

// A header is a part of the packet as it lies in memory, as far as that is known.
type header struct {
	data  []byte
	known []byte // bits that are set are known in data
}

func newHeader(n int) header { return header{make([]byte, n), make([]byte, n)} }

func (h header) put(off int, b ...byte) {
	for i, x := range b {
		h.data[off+i], h.known[off+i] = x, 0xff
	}
}

func (h header) put16(off int, v uint16) { h.put(off, byte(v>>8), byte(v)) }

func (h header) putAddr(off int, a netip.Addr) { h.put(off, a.AsSlice()...) }

// field cuts out bits, moved to the right end of their bytes. ok is false when the header ends before.
func (h header) field(off, length int) (v register, ok bool) {
	first, end := off/8, off+length
	last := (end + 7) / 8
	if length <= 0 || last > len(h.data) {
		return register{}, false
	}
	v.data = append([]byte(nil), h.data[first:last]...)
	v.known = append([]byte(nil), h.known[first:last]...)
	if shift := uint(8*last - end); shift > 0 {
		for i := len(v.data) - 1; i >= 0; i-- {
			v.data[i] >>= shift
			v.known[i] >>= shift
			if i > 0 {
				v.data[i] |= h.data[first+i-1] << (8 - shift)
				v.known[i] |= h.known[first+i-1] << (8 - shift)
			}
		}
	}
	n := (length + 7) / 8 // bytes that hold the field now
	v.data, v.known = v.data[len(v.data)-n:], v.known[len(v.known)-n:]
	if rest := 8*n - length; rest > 0 {
		v.data[0] &= 0xff >> uint(rest)
		v.known[0] |= ^byte(0xff >> uint(rest))
	}
	return v, true
}

// base is the header that nft calls "ll", "nh" or "th".
func (p *Packet) base(name string) (header, bool) {
	switch name {
	case "ll":
		return p.link(), p.EtherType != 0
	case "nh":
		return p.network(), true
	case "th":
		return p.transport(), p.ARP == nil
	}
	return header{}, false
}

// link is the Ethernet header (RFC 894).
func (p *Packet) link() header {
	h := newHeader(14)
	h.put(0, p.DstMAC[:]...)
	h.put(6, p.SrcMAC[:]...)
	h.put16(12, p.EtherType)
	return h
}

// network is the header of IPv4 (RFC 791), IPv6 (RFC 8200) or ARP (RFC 826).
func (p *Packet) network() header {
	switch {
	case p.ARP != nil:
		h := newHeader(28)
		h.put(0, 0, 1, 8, 0, 6, 4)
		h.put16(6, p.ARP.Op)
		h.put(8, p.ARP.SenderMAC[:]...)
		h.putAddr(14, p.ARP.Sender)
		h.put(18, p.ARP.TargetMAC[:]...)
		h.putAddr(24, p.ARP.Target)
		return h
	case p.Is6():
		h := newHeader(40)
		h.put(0, 0x60|p.TOS>>4, p.TOS<<4)
		h.known[1] = 0xf0 // then the flow label
		h.put16(4, uint16(max(p.Length-40, 0)))
		h.put(6, p.Proto, p.TTL)
		h.putAddr(8, p.Src)
		h.putAddr(24, p.Dst)
		return h
	default:
		h := newHeader(20)
		h.put(0, 0x45, p.TOS)
		h.put16(2, uint16(p.Length))
		h.put(6, 0, 0) // no fragment
		if p.DF {
			h.put(6, 0x40)
		}
		h.put(8, p.TTL, p.Proto)
		h.putAddr(12, p.Src)
		h.putAddr(16, p.Dst)
		return h
	}
}

// transport is the header of TCP (RFC 9293), UDP (RFC 768), ICMP (RFC 792) or ICMPv6 (RFC 4443).
func (p *Packet) transport() header {
	switch p.Proto {
	case TCP:
		h := newHeader(20)
		h.put16(0, p.SPort)
		h.put16(2, p.DPort)
		h.put(13, p.TCPFlags)
		h.put16(18, 0)
		return h
	case ICMP, ICMPv6:
		h := newHeader(8)
		h.put(0, p.ICMPType, p.ICMPCode)
		if p.isEcho() {
			h.put16(4, p.ICMPID)
		}
		return h
	default: // UDP, SCTP and DCCP begin alike
		h := newHeader(8)
		h.put16(0, p.SPort)
		h.put16(2, p.DPort)
		if p.Proto == UDP {
			h.put16(4, uint16(max(p.Length-p.ipHeader(), 0)))
		}
		return h
	}
}

func (p *Packet) isEcho() bool {
	return p.Proto == ICMP && (p.ICMPType == 0 || p.ICMPType == 8) || p.Proto == ICMPv6 && (p.ICMPType == 128 || p.ICMPType == 129)
}

func (p *Packet) ipHeader() int {
	if p.Is6() {
		return 40
	}
	return 20
}

// place is where a field of nft's names lies: its header, first bit, and length in bits.
func place(f state.Payload) (base string, off, length int) {
	switch f.Protocol {
	case "ether":
		off, length = etherPlace(f.Field)
		return "ll", off, length
	case "ip":
		off, length = ipPlace(f.Field)
		return "nh", off, length
	case "ip6":
		off, length = ip6Place(f.Field)
		return "nh", off, length
	case "arp":
		off, length = arpPlace(f.Field)
		return "nh", off, length
	default:
		off, length = transportPlace(f)
		return "th", off, length
	}
}

func etherPlace(field string) (off, length int) {
	switch field {
	case "daddr":
		return 0, 48
	case "saddr":
		return 48, 48
	case "type":
		return 96, 16
	}
	return 0, 0
}

func ipPlace(field string) (off, length int) {
	switch field {
	case "version":
		return 0, 4
	case "hdrlength":
		return 4, 4
	case "dscp":
		return 8, 6
	case "ecn":
		return 14, 2
	case "length":
		return 16, 16
	case "id":
		return 32, 16
	case "frag-off":
		return 48, 16
	case "ttl":
		return 64, 8
	case "protocol":
		return 72, 8
	case "checksum":
		return 80, 16
	case "saddr":
		return 96, 32
	case "daddr":
		return 128, 32
	}
	return 0, 0
}

func ip6Place(field string) (off, length int) {
	switch field {
	case "version":
		return 0, 4
	case "dscp":
		return 4, 6
	case "ecn":
		return 10, 2
	case "length":
		return 32, 16
	case "nexthdr":
		return 48, 8
	case "hoplimit":
		return 56, 8
	case "saddr":
		return 64, 128
	case "daddr":
		return 192, 128
	}
	return 0, 0
}

func arpPlace(field string) (off, length int) {
	switch field {
	case "htype":
		return 0, 16
	case "ptype":
		return 16, 16
	case "hlen":
		return 32, 8
	case "plen":
		return 40, 8
	case "operation":
		return 48, 16
	case "saddr ether":
		return 64, 48
	case "saddr ip":
		return 112, 32
	case "daddr ether":
		return 144, 48
	case "daddr ip":
		return 192, 32
	}
	return 0, 0
}

func transportPlace(f state.Payload) (off, length int) {
	switch f.Field {
	case "sport":
		return 0, 16
	case "dport":
		return 16, 16
	case "type":
		return 0, 8
	case "code":
		return 8, 8
	case "id":
		return 32, 16
	case "flags":
		return 104, 8
	case "doff":
		return 96, 4
	case "length":
		return 32, 16
	}
	return 0, 0 // checksums, sequence numbers, windows: not known before the packet is sent
}
