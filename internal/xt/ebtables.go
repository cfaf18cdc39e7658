package xt

import (
	"encoding/binary"
	"fmt"

	"warren/state"
)

// Sizes and numbers of ebtables' sockopts, at level IPPROTO_IP (linux/netfilter_bridge/ebtables.h, 64 bits).
const (
	EBGetInfo    = 128 // EBT_SO_GET_INFO
	EBGetEntries = 129 // EBT_SO_GET_ENTRIES

	EBReplaceLen = 120 // struct ebt_replace
	// Places in struct ebt_replace.
	EBHooksAt, EBCountAt, EBSizeAt, EBCountersAt, EBEntriesAt = 32, 36, 40, 96, 112
)

// EBInfo is what EBT_SO_GET_INFO tells in struct ebt_replace.
type EBInfo struct {
	Name    string
	Hooks   uint32 // which built-in chains it has, by NF_BR_*
	Entries uint32
	Size    uint32
}

// DecodeEBInfo reads struct ebt_replace.
func DecodeEBInfo(b []byte) (EBInfo, error) {
	if len(b) < EBReplaceLen {
		return EBInfo{}, fmt.Errorf("%w: info of %d bytes", ErrMalformed, len(b))
	}
	return EBInfo{Name: cstring(b[:nameLen]), Hooks: u32(b[EBHooksAt:]), Entries: u32(b[EBCountAt:]), Size: u32(b[EBSizeAt:])}, nil
}

const (
	ebEntriesLen = 48  // struct ebt_entries
	ebEntryLen   = 112 // struct ebt_entry
	ebMatchLen   = 40  // struct ebt_entry_match without data
)

// Bits of an entry's bitmask and invflags (EBT_*).
const (
	ebEntry, ebNoProto, eb8023, ebSrcMAC, ebDstMAC                                   = 1, 2, 4, 8, 16
	ebInvProto, ebInvIn, ebInvOut, ebInvSrc, ebInvDst, ebInvLogicalIn, ebInvLogicOut = 1, 2, 4, 8, 16, 32, 64
)

// DecodeEBTable reads a table's entries: chains, each with its rules.
func DecodeEBTable(info EBInfo, b []byte) (state.EBTable, error) {
	t := state.EBTable{Name: info.Name, Chains: []state.EBChain{}}
	heads := map[uint32]string{} // offset of a chain -> its name
	type jump struct{ chain, rule int }
	var jumps []jump
	builtin := 0
	for h := range 6 {
		if info.Hooks&(1<<h) != 0 {
			builtin++
		}
	}
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < ebEntriesLen {
			return t, fmt.Errorf("table %s: %w: %d bytes left", info.Name, ErrMalformed, len(rest))
		}
		if u32(rest)&ebEntry == 0 {
			c := state.EBChain{Name: cstring(rest[4:36]), User: len(t.Chains) >= builtin, Policy: ebVerdict(int32(u32(rest[40:])))}
			heads[uint32(at)] = c.Name
			t.Chains = append(t.Chains, c)
			at += ebEntriesLen
			continue
		}
		if len(t.Chains) == 0 {
			return t, fmt.Errorf("table %s: %w: a rule before the first chain", info.Name, ErrMalformed)
		}
		r, size, err := decodeEBEntry(rest)
		if err != nil {
			return t, fmt.Errorf("table %s: entry at %d: %w", info.Name, at, err)
		}
		c := &t.Chains[len(t.Chains)-1]
		if r.Target.Verdict == "jump" {
			jumps = append(jumps, jump{len(t.Chains) - 1, len(c.Rules)})
		}
		c.Rules = append(c.Rules, r)
		at += size
	}
	for _, j := range jumps {
		target := &t.Chains[j.chain].Rules[j.rule].Target
		to, ok := heads[binary.NativeEndian.Uint32(target.Data)]
		if !ok {
			return t, fmt.Errorf("table %s: %w: a jump to no chain", info.Name, ErrMalformed)
		}
		target.Chain, target.Data = to, nil
	}
	return t, nil
}

func decodeEBEntry(b []byte) (r state.EBRule, size int, err error) {
	if len(b) < ebEntryLen {
		return r, 0, fmt.Errorf("%w: %d bytes left", ErrMalformed, len(b))
	}
	mask, inv := u32(b), u32(b[4:])
	watchers, target, size := int(u32(b[100:])), int(u32(b[104:])), int(u32(b[108:]))
	if watchers < ebEntryLen || target < watchers || size < target+ebMatchLen || size > len(b) {
		return r, 0, fmt.Errorf("%w: watchers at %d, target at %d of %d", ErrMalformed, watchers, target, size)
	}
	b = b[:size]
	if mask&ebNoProto == 0 {
		r.Proto, r.Length, r.ProtoInverted = binary.BigEndian.Uint16(b[8:]), mask&eb8023 != 0, inv&ebInvProto != 0
	}
	r.In, r.LogicalIn, r.Out, r.LogicalOut = ebDevice(b[10:26]), ebDevice(b[26:42]), ebDevice(b[42:58]), ebDevice(b[58:74])
	r.InInverted, r.OutInverted = inv&ebInvIn != 0, inv&ebInvOut != 0
	r.LogicalInInverted, r.LogicalOutInverted = inv&ebInvLogicalIn != 0, inv&ebInvLogicOut != 0
	if mask&ebSrcMAC != 0 {
		r.Src = &state.EBMAC{MAC: state.MAC(b[74:80]), Mask: state.MAC(b[80:86]), Inverted: inv&ebInvSrc != 0}
	}
	if mask&ebDstMAC != 0 {
		r.Dst = &state.EBMAC{MAC: state.MAC(b[86:92]), Mask: state.MAC(b[92:98]), Inverted: inv&ebInvDst != 0}
	}
	for at := ebEntryLen; at < watchers; {
		name, revision, data, n, err := ebExtension(b[at:watchers])
		if err != nil {
			return r, 0, err
		}
		r.Matches = append(r.Matches, DecodeBridgeMatch(name, revision, data))
		at += n
	}
	name, revision, data, _, err := ebExtension(b[target:])
	if err != nil {
		return r, 0, err
	}
	if name != "standard" {
		r.Target = DecodeBridgeTarget(name, revision, data)
		return r, size, nil
	}
	if len(data) < 4 {
		return r, 0, fmt.Errorf("%w: a verdict of %d bytes", ErrMalformed, len(data))
	}
	if v := int32(u32(data)); v < 0 {
		r.Target.Verdict = ebVerdict(v)
	} else {
		r.Target.Verdict, r.Target.Data = "jump", data[:4:4]
	}
	return r, size, nil
}

// ebExtension reads struct ebt_entry_match, which watchers and targets equal.
func ebExtension(b []byte) (name string, revision uint8, data []byte, size int, err error) {
	if len(b) < ebMatchLen {
		return "", 0, nil, 0, fmt.Errorf("%w: an extension of %d bytes", ErrMalformed, len(b))
	}
	n := int(u32(b[32:]))
	if n < 0 || n > len(b)-ebMatchLen {
		return "", 0, nil, 0, fmt.Errorf("%w: an extension with %d bytes of data", ErrMalformed, n)
	}
	return cstring(b[:31]), b[31], b[ebMatchLen : ebMatchLen+n], ebMatchLen + n, nil
}

// ebDevice is a name; what begins with it is meant where it ends with a one (IF_WILDCARD).
func ebDevice(b []byte) string {
	s := cstring(b)
	if n := len(s); n > 0 && s[n-1] == 1 {
		return s[:n-1] + "+"
	}
	return s
}

// ebVerdict names EBT_ACCEPT and the like.
func ebVerdict(v int32) string {
	switch v {
	case -1:
		return "ACCEPT"
	case -2:
		return "DROP"
	case -3:
		return "CONTINUE"
	case -4:
		return "RETURN"
	}
	return ""
}
