package xt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"warren/state"
)

// ErrMalformed says that the bytes are not what the kernel sends.
var ErrMalformed = errors.New("malformed iptables data")

// Info is struct ipt_getinfo, which struct ip6t_getinfo equals.
type Info struct {
	Name       string
	ValidHooks uint32
	HookEntry  [hooks]uint32
	Underflow  [hooks]uint32
	Entries    uint32 // how many
	Size       uint32 // of all of them, in bytes
}

// Sizes and numbers of the tables' sockopts. The level is IPPROTO_IP or IPPROTO_IPV6.
const (
	GetInfo    = 64 // IPT_SO_GET_INFO, IP6T_SO_GET_INFO
	GetEntries = 65 // IPT_SO_GET_ENTRIES, IP6T_SO_GET_ENTRIES

	InfoLen = 84
	// EntriesHead is the size of struct ipt_get_entries before the entries.
	EntriesHead = 40
	// MaxTableName is the longest name of a table (XT_TABLE_MAXNAMELEN without its zero).
	MaxTableName = 31
)

const (
	hooks   = 5 // NF_INET_NUMHOOKS
	nameLen = 32
	ifLen   = 16
	headLen = 32 // struct xt_entry_match and xt_entry_target without data
)

// DecodeInfo reads struct ipt_getinfo.
func DecodeInfo(b []byte) (Info, error) {
	if len(b) < InfoLen {
		return Info{}, fmt.Errorf("%w: info of %d bytes", ErrMalformed, len(b))
	}
	u32 := binary.NativeEndian.Uint32
	in := Info{Name: cstring(b[:nameLen]), ValidHooks: u32(b[32:]), Entries: u32(b[76:]), Size: u32(b[80:])}
	for i := range hooks {
		in.HookEntry[i], in.Underflow[i] = u32(b[36+4*i:]), u32(b[56+4*i:])
	}
	return in, nil
}

// A layout is what differs between the families.
type layout struct {
	v6                 bool
	entry              int // size of struct ipt_entry
	target, next       int // offsets of target_offset and next_offset
	counters           int
	src, dst, sm, dm   int
	in, out, im, om    int
	proto, flags, invf int
	fGoto              byte
}

func layoutOf(v6 bool) layout {
	if v6 {
		return layout{
			v6: true, entry: 168, target: 140, next: 142, counters: 152, src: 0, dst: 16, sm: 32, dm: 48,
			in: 64, out: 80, im: 96, om: 112, proto: 128, flags: 131, invf: 132, fGoto: 4,
		}
	}
	return layout{
		entry: 112, target: 88, next: 90, counters: 96, src: 0, dst: 4, sm: 8, dm: 12,
		in: 16, out: 32, im: 48, om: 64, proto: 80, flags: 82, invf: 83, fGoto: 2,
	}
}

// Bits of invflags (IPT_INV_*) and flags (IPT_F_FRAG, IP6T_F_PROTO).
const (
	invIn, invOut, invSrc, invDst, invFrag, invProto = 1, 2, 8, 16, 32, 64
	fFrag, f6Proto                                   = 1, 1
)

// An entry is one rule with what it needs to be put into its chain.
type entry struct {
	at   uint32
	rule state.XRule
	// head is the name of the chain that begins after it, or "ERROR" at the very end.
	head string
	// verdict of a standard target, when isStandard.
	verdict    int32
	isStandard bool
	isGoto     bool
	plain      bool // it matches every packet
}

// DecodeTable reads a table's entries. Chains come as they lie: the built-in ones in the order of their hooks, then the
// user's.
func DecodeTable(info Info, b []byte, v6 bool) (state.XTable, error) {
	t := state.XTable{IPv6: v6, Name: info.Name}
	l := layoutOf(v6)
	var list []entry
	index := map[uint32]int{} // offset -> position
	for at := 0; at < len(b); {
		e, next, err := l.decodeEntry(b, at)
		if err != nil {
			return t, fmt.Errorf("table %s: entry %d: %w", info.Name, len(list), err)
		}
		index[uint32(at)] = len(list)
		list = append(list, e)
		at = next
	}
	names := map[uint32]string{} // offset of a chain's first rule -> its name
	for i := range list {
		if list[i].head != "" && i+1 < len(list) {
			names[list[i+1].at] = list[i].head
		}
	}
	for h := range hooks {
		if info.ValidHooks&(1<<h) == 0 {
			continue
		}
		first, ok1 := index[info.HookEntry[h]]
		last, ok2 := index[info.Underflow[h]]
		if !ok1 || !ok2 || last < first {
			return t, fmt.Errorf("table %s: %w: chain %s from %d to %d", info.Name, ErrMalformed, hookName(h), info.HookEntry[h], info.Underflow[h])
		}
		c := state.XChain{Name: hookName(h)}
		for i := first; i < last; i++ {
			c.Rules = append(c.Rules, finish(list, i, names))
		}
		policy := list[last]
		c.Policy, c.Counter = verdictName(policy.verdict), policy.rule.Counter
		t.Chains = append(t.Chains, c)
	}
	for i := 0; i < len(list); i++ {
		if list[i].head == "" || list[i].head == "ERROR" && i == len(list)-1 {
			continue
		}
		c := state.XChain{Name: list[i].head}
		end := i + 1
		for end < len(list) && list[end].head == "" {
			end++
		}
		for j := i + 1; j < end; j++ {
			if e := list[j]; j == end-1 && e.plain && e.isStandard && e.verdict == verdictReturn {
				break // every chain ends so
			}
			c.Rules = append(c.Rules, finish(list, j, names))
		}
		t.Chains = append(t.Chains, c)
	}
	return t, nil
}

// finish turns a standard target's offset into a chain.
func finish(list []entry, i int, names map[uint32]string) state.XRule {
	e := list[i]
	if !e.isStandard {
		return e.rule
	}
	switch {
	case e.verdict < 0:
		e.rule.Target.Verdict = verdictName(e.verdict)
	case i+1 < len(list) && uint32(e.verdict) == list[i+1].at:
		// A rule without a target goes on with the next one.
	default:
		e.rule.Target.Verdict = "jump"
		if e.isGoto {
			e.rule.Target.Verdict = "goto"
		}
		e.rule.Target.Chain = names[uint32(e.verdict)]
	}
	return e.rule
}

// decodeEntry reads the entry at an offset, and says where the next one is.
func (l layout) decodeEntry(b []byte, at int) (e entry, next int, err error) {
	if len(b)-at < l.entry {
		return e, 0, fmt.Errorf("%w: %d bytes left", ErrMalformed, len(b)-at)
	}
	h := b[at:]
	target, size := int(binary.NativeEndian.Uint16(h[l.target:])), int(binary.NativeEndian.Uint16(h[l.next:]))
	if target < l.entry || size < target+headLen || size > len(h) {
		return e, 0, fmt.Errorf("%w: target at %d of %d", ErrMalformed, target, size)
	}
	h = h[:size]
	e.at = uint32(at)
	r := &e.rule
	inv := h[l.invf]
	r.Src, r.Dst = l.prefix(h, l.src, l.sm, inv&invSrc != 0), l.prefix(h, l.dst, l.dm, inv&invDst != 0)
	r.In, r.InInverted = device(h[l.in:l.in+ifLen], h[l.im:l.im+ifLen]), inv&invIn != 0
	r.Out, r.OutInvert = device(h[l.out:l.out+ifLen], h[l.om:l.om+ifLen]), inv&invOut != 0
	r.Proto, r.ProtoInverted = uint8(binary.NativeEndian.Uint16(h[l.proto:])), inv&invProto != 0
	if l.v6 {
		r.HasProto = h[l.flags]&f6Proto != 0
		if !r.HasProto {
			r.Proto = 0
		}
	} else {
		r.HasProto = r.Proto != 0
		r.Fragment, r.FragInverted = h[l.flags]&fFrag != 0, inv&invFrag != 0
	}
	e.isGoto = h[l.flags]&l.fGoto != 0
	r.Counter.Packets, r.Counter.Bytes = binary.NativeEndian.Uint64(h[l.counters:]), binary.NativeEndian.Uint64(h[l.counters+8:])
	for off := l.entry; off < target; {
		if target-off < headLen {
			return e, 0, fmt.Errorf("%w: match at %d", ErrMalformed, off)
		}
		n := int(binary.NativeEndian.Uint16(h[off:]))
		if n < headLen || n > target-off {
			return e, 0, fmt.Errorf("%w: match of %d bytes", ErrMalformed, n)
		}
		m := h[off : off+n]
		r.Matches = append(r.Matches, DecodeMatch(cstring(m[2:31]), m[31], m[headLen:], l.v6))
		off += n
	}
	t := h[target:]
	n := int(binary.NativeEndian.Uint16(t))
	if n < headLen || n > len(t) {
		return e, 0, fmt.Errorf("%w: target of %d bytes", ErrMalformed, n)
	}
	name, data := cstring(t[2:31]), t[headLen:n]
	e.plain = len(r.Matches) == 0 && !r.Src.Addr.IsValid() && !r.Dst.Addr.IsValid() && r.In == "" && r.Out == "" && !r.HasProto && !r.Fragment && inv == 0
	switch {
	case name == "" && len(data) >= 4:
		e.isStandard, e.verdict = true, int32(binary.NativeEndian.Uint32(data))
	case name == "ERROR":
		if e.head = cstring(data); e.head == "" {
			return e, 0, fmt.Errorf("%w: a chain without a name", ErrMalformed)
		}
	default:
		r.Target = DecodeTarget(name, t[31], data, l.v6)
	}
	return e, at + size, nil
}

// prefix is the zero value when nothing is compared.
func (l layout) prefix(h []byte, addr, mask int, inverted bool) state.XPrefix {
	n := 4
	if l.v6 {
		n = 16
	}
	return maskedAddr(h[addr:addr+n], h[mask:mask+n], inverted)
}

func maskedAddr(addr, mask []byte, inverted bool) state.XPrefix {
	if !inverted && allZero(mask) {
		return state.XPrefix{}
	}
	a, _ := netip.AddrFromSlice(addr)
	m, _ := netip.AddrFromSlice(mask)
	return state.XPrefix{Addr: a, Mask: m, Inverted: inverted}
}

// device is an interface's name; one whose mask ends before the name's zero stands for all that begin so.
func device(name, mask []byte) string {
	n := 0
	for n < len(mask) && mask[n] != 0 {
		n++
	}
	s := cstring(name)
	switch {
	case n == 0:
		return ""
	case n <= len(s):
		return s[:n] + "+"
	}
	return s
}

// Verdicts of standard targets: the negative of one of NF_*, minus one (linux/netfilter/x_tables.h).
const (
	verdictDrop, verdictAccept, verdictQueue, verdictReturn = -1, -2, -4, -5
)

func verdictName(v int32) string {
	switch v {
	case verdictDrop:
		return "DROP"
	case verdictAccept:
		return "ACCEPT"
	case verdictQueue:
		return "QUEUE"
	case verdictReturn:
		return "RETURN"
	}
	return ""
}

func hookName(h int) string {
	return [hooks]string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}[h]
}

func cstring(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
