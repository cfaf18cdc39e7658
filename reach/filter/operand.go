package filter

import (
	"encoding/binary"
	"fmt"
	"slices"

	"warren/state"
)

// A register is what an operand read: bytes as nftables' registers hold them, and which of their bits are known.
type register struct {
	data, known []byte
}

func exactly(b ...byte) register {
	return register{b, slices.Repeat([]byte{0xff}, len(b))}
}

func number(v uint32) register { return exactly(binary.NativeEndian.AppendUint32(nil, v)...) }

func flag(v bool) register {
	if v {
		return exactly(1)
	}
	return exactly(0)
}

func ifname(name string) register { return exactly([]byte(state.IfnameValue(name).Data)...) }

// whole reports whether every bit is known.
func (r register) whole() bool {
	return !slices.ContainsFunc(r.known, func(b byte) bool { return b != 0xff })
}

// An outcome of reading or comparing.
type outcome uint8

const (
	no    outcome = iota // the rule does not match (NFT_BREAK)
	yes                  // it was read; it matches
	maybe                // it cannot be told; why says what
)

// read evaluates an operand. A rule whose operand cannot be read at all ends there: outcome no.
func (e *eval) read(o state.Operand) (r register, out outcome, why string) {
	switch {
	case o.Payload != nil:
		base, off, length := place(*o.Payload)
		if length == 0 {
			return r, maybe, fmt.Sprintf("%s %s is not known", o.Payload.Protocol, o.Payload.Field)
		}
		r, out = e.cut(base, off, length)
	case o.Raw != nil:
		r, out = e.cut(o.Raw.Base, int(o.Raw.Offset), int(o.Raw.Length))
		if out == maybe {
			why = fmt.Sprintf("@%s,%d,%d is not known", o.Raw.Base, o.Raw.Offset, o.Raw.Length)
		}
	case o.Meta != "":
		r, out, why = e.meta(o.Meta)
	case o.CT != nil:
		r, out, why = e.ct(*o.CT)
	case o.FIB != nil:
		r, out, why = e.fibOf(*o.FIB)
	default:
		return r, maybe, "an operand is not understood"
	}
	if out != yes {
		return r, out, why
	}
	r, ok := r.masked(o.Mask, o.Xor)
	if !ok {
		return r, maybe, "a mask of another length"
	}
	return r, yes, ""
}

func (e *eval) cut(base string, off, length int) (register, outcome) {
	h, ok := e.p.base(base)
	if !ok {
		if base == "ll" || base == "th" {
			return register{}, no
		}
		return register{}, maybe
	}
	r, ok := h.field(off, length)
	if !ok {
		if base == "th" { // the payload of the packet: not known
			return register{}, maybe
		}
		return register{}, no
	}
	return r, yes
}

// masked applies "& mask ^ xor". A bit that is masked away is known to be 0.
func (r register) masked(mask, xor *state.Value) (register, bool) {
	if mask != nil {
		if len(mask.Data) != len(r.data) {
			return r, false
		}
		m := register{slices.Clone(r.data), slices.Clone(r.known)}
		for i := range m.data {
			m.data[i] &= mask.Data[i]
			m.known[i] |= ^mask.Data[i]
		}
		r = m
	}
	if xor != nil {
		if len(xor.Data) != len(r.data) {
			return r, false
		}
		x := register{slices.Clone(r.data), r.known}
		for i := range x.data {
			x.data[i] ^= xor.Data[i]
		}
		r = x
	}
	return r, true
}

// meta reads what is beside the packet (nft(8), META EXPRESSIONS; net/netfilter/nft_meta.c).
func (e *eval) meta(key string) (register, outcome, string) {
	p, h := e.p, e.hook
	switch key {
	case "length":
		return number(uint32(p.Length)), yes, ""
	case "protocol":
		return exactly(byte(e.etherType()>>8), byte(e.etherType())), yes, ""
	case "nfproto":
		switch e.hook.Family {
		case "ip":
			return exactly(2), yes, ""
		case "ip6":
			return exactly(10), yes, ""
		case "arp":
			return exactly(3), yes, ""
		case "bridge":
			return exactly(7), yes, ""
		}
		return exactly(5), yes, ""
	case "l4proto":
		if p.ARP != nil {
			return register{}, no, ""
		}
		return exactly(p.Proto), yes, ""
	case "mark":
		return number(p.Mark), yes, ""
	case "iif":
		return number(index(h.In)), yes, ""
	case "oif":
		return number(index(h.Out)), yes, ""
	case "iifname":
		return ifname(name(h.In)), yes, ""
	case "oifname":
		return ifname(name(h.Out)), yes, ""
	case "iifgroup":
		return ofLink(h.In, func(l *state.Link) register { return number(l.Group) })
	case "oifgroup":
		return ofLink(h.Out, func(l *state.Link) register { return number(l.Group) })
	case "iiftype":
		return ofLink(h.In, deviceType)
	case "oiftype":
		return ofLink(h.Out, deviceType)
	case "iifkind":
		return ofLink(h.In, func(l *state.Link) register { return ifname(l.Kind) })
	case "oifkind":
		return ofLink(h.Out, func(l *state.Link) register { return ifname(l.Kind) })
	case "ibrname":
		return bridgeOf(h.In)
	case "obrname":
		return bridgeOf(h.Out)
	case "sdif":
		return number(0), yes, ""
	case "sdifname":
		return ifname(""), yes, ""
	case "pkttype":
		return exactly(p.PktType), yes, ""
	case "skuid":
		if !p.HasSocket {
			return register{}, no, ""
		}
		return number(p.UID), yes, ""
	case "skgid":
		if !p.HasSocket {
			return register{}, no, ""
		}
		if !p.NoGID {
			return number(p.GID), yes, ""
		}
	case "cgroup":
		if !p.HasSocket {
			return register{}, no, ""
		}
	case "ipsec", "nftrace":
		return flag(false), yes, ""
	case "rtclassid":
		return number(0), yes, ""
	}
	return register{}, maybe, "meta " + key + " is not known"
}

func (e *eval) etherType() uint16 {
	switch {
	case e.p.ARP != nil:
		return EtherARP
	case e.p.EtherType != 0 && e.hook.Family != "ip" && e.hook.Family != "ip6":
		return e.p.EtherType
	case e.p.Is6():
		return EtherIPv6
	}
	return EtherIPv4
}

func index(l *state.Link) uint32 {
	if l == nil {
		return 0
	}
	return uint32(l.Index)
}

func name(l *state.Link) string {
	if l == nil {
		return ""
	}
	return l.Name
}

func ofLink(l *state.Link, f func(*state.Link) register) (register, outcome, string) {
	if l == nil {
		return register{}, no, ""
	}
	return f(l), yes, ""
}

// deviceType is ARPHRD_LOOPBACK or, as for all that has Ethernet headers, ARPHRD_ETHER (linux/if_arp.h).
func deviceType(l *state.Link) register {
	const loopback = 0x8 // IFF_LOOPBACK
	kind := uint16(1)
	if l.Flags&loopback != 0 || l.Name == "lo" {
		kind = 772
	}
	return exactly(binary.NativeEndian.AppendUint16(nil, kind)...)
}

func bridgeOf(l *state.Link) (register, outcome, string) {
	if l == nil || l.Master == "" {
		return register{}, no, ""
	}
	return ifname(l.Master), yes, ""
}
