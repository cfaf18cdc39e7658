package xt_test

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warren/internal/xt"
	"warren/state"
)

// ebChain lays out struct ebt_entries.
func ebChain(name string, policy int32, rules int) []byte {
	b := make([]byte, 48)
	copy(b[4:], name)
	binary.NativeEndian.PutUint32(b[40:], uint32(policy))
	binary.NativeEndian.PutUint32(b[44:], uint32(rules))
	return b
}

// ebExtension lays out struct ebt_entry_match, which targets equal.
func ebExtension(name string, data []byte) []byte {
	b := make([]byte, 40, 40+len(data))
	copy(b, name)
	binary.NativeEndian.PutUint32(b[32:], uint32(len(data)))
	return append(b, data...)
}

func ebVerdict(v int32) []byte {
	return ebExtension("standard", binary.NativeEndian.AppendUint64(nil, uint64(uint32(v))))
}

// ebRule lays out struct ebt_entry with what follows it.
func ebRule(bitmask, inverted uint32, ether uint16, in string, match, target []byte) []byte {
	b := make([]byte, 112)
	put := binary.NativeEndian.PutUint32
	put(b, bitmask|1)
	put(b[4:], inverted)
	binary.BigEndian.PutUint16(b[8:], ether)
	copy(b[10:], in)
	copy(b[74:], []byte{2, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) // source and its mask
	put(b[100:], uint32(len(b)+len(match)))
	put(b[104:], uint32(len(b)+len(match)))
	put(b[108:], uint32(len(b)+len(match)+len(target)))
	return append(append(b, match...), target...)
}

// ebTable is a filter table: FORWARD drops TCP to port 80 of 10.0.0.2 that comes in by a port whose name begins with "p" and
// not from a certain address, and jumps for ARP to a chain that drops questions for 10.0.0.9.
func ebTable() (xt.EBInfo, []byte) {
	ip := make([]byte, 32) // struct ebt_ip_info, aligned
	copy(ip[4:], []byte{10, 0, 0, 2})
	copy(ip[12:], []byte{255, 255, 255, 255})
	ip[17], ip[18] = 6, 0x02|0x08|0x20
	binary.NativeEndian.PutUint16(ip[24:], 80)
	binary.NativeEndian.PutUint16(ip[26:], 80)
	arp := make([]byte, 56) // struct ebt_arp_info
	copy(arp[4:], []byte{0, 1})
	copy(arp[16:], []byte{10, 0, 0, 9, 255, 255, 255, 255})
	arp[48] = 0x01 | 0x10
	var b []byte
	b = append(b, ebChain("INPUT", -1, 0)...)
	b = append(b, ebChain("FORWARD", -1, 3)...)
	b = append(b, ebRule(8, 8, 0x0800, "p\x01", ebExtension("ip", ip), ebVerdict(-2))...)
	jump := len(b) + 112 + 40 + 4 // where the verdict is
	b = append(b, ebRule(0, 0, 0x0806, "", nil, ebVerdict(0))...)
	b = append(b, ebRule(2, 0, 0, "", ebExtension("among", make([]byte, 8)), ebVerdict(-3))...)
	b = append(b, ebChain("OUTPUT", -2, 0)...)
	binary.NativeEndian.PutUint32(b[jump-4:], uint32(len(b)))
	b = append(b, ebChain("asked", -4, 1)...)
	b = append(b, ebRule(0, 0, 0x0806, "", ebExtension("arp", arp), ebVerdict(-2))...)
	return xt.EBInfo{Name: "filter", Hooks: 1<<1 | 1<<2 | 1<<3, Entries: 4, Size: uint32(len(b))}, b
}

func TestDecodeEBTable(t *testing.T) {
	info, b := ebTable()
	got, err := xt.DecodeEBTable(info, b)
	if err != nil {
		t.Fatal(err)
	}
	all := state.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	host := func(s string) state.XPrefix {
		return state.XPrefix{Addr: netip.MustParseAddr(s), Mask: netip.MustParseAddr("255.255.255.255")}
	}
	want := state.EBTable{Name: "filter", Chains: []state.EBChain{
		{Name: "INPUT", Policy: "ACCEPT"},
		{Name: "FORWARD", Policy: "ACCEPT", Rules: []state.EBRule{
			{
				Proto: 0x800, In: "p+", Src: &state.EBMAC{MAC: state.MAC{2, 0, 0, 0, 0, 7}, Mask: all, Inverted: true},
				Matches: []state.XTMatch{{Name: "ip", Ether: &state.XTEther{Match: 0x2a, Dst: host("10.0.0.2"), Proto: 6, DPort: [2]uint16{80, 80}}}},
				Target:  state.XTTarget{Verdict: "DROP"},
			},
			{Proto: 0x806, Target: state.XTTarget{Verdict: "jump", Chain: "asked"}},
			{Matches: []state.XTMatch{{Name: "among", Data: make([]byte, 8)}}, Target: state.XTTarget{Verdict: "CONTINUE"}},
		}},
		{Name: "OUTPUT", Policy: "DROP"},
		{Name: "asked", User: true, Policy: "RETURN", Rules: []state.EBRule{{
			Proto:   0x806,
			Matches: []state.XTMatch{{Name: "arp", Ether: &state.XTEther{Match: 0x11, Op: 1, Dst: host("10.0.0.9"), SrcMAC: &state.EBMAC{}, DstMAC: &state.EBMAC{}}}},
			Target:  state.XTTarget{Verdict: "DROP"},
		}}},
	}}
	if d := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
		t.Error(d)
	}
	for n := range b {
		if _, err := xt.DecodeEBTable(info, b[:n]); err == nil && !boundary(n) {
			t.Errorf("cut off after %d of %d bytes: no error", n, len(b))
		}
	}
}

// boundary: a table may end behind a chain or a rule, but that a jump then leads nowhere.
func boundary(n int) bool { return n == 0 || n == 48 || n == 96 || n == 96+112+72+48 || n == 792 }

// FuzzDecodeEBTable: whatever the bytes, every jump leads to a chain of the table.
func FuzzDecodeEBTable(f *testing.F) {
	_, b := ebTable()
	f.Add(uint32(14), b)
	f.Fuzz(func(t *testing.T, hooks uint32, b []byte) {
		got, err := xt.DecodeEBTable(xt.EBInfo{Name: "filter", Hooks: hooks}, b)
		if err != nil {
			return
		}
		for _, c := range got.Chains {
			for _, r := range c.Rules {
				if r.Target.Verdict == "jump" && got.Chain(r.Target.Chain) == nil {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}

// FuzzDecodeBridgeMatch: what is understood has its value, what is not has its bytes.
func FuzzDecodeBridgeMatch(f *testing.F) {
	for _, name := range []string{"ip", "ip6", "arp", "mark_m", "pkttype", "among"} {
		f.Add(name, make([]byte, 80))
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		m := xt.DecodeBridgeMatch(name, 0, b)
		if known := m.Ether != nil || m.Mark != nil || m.PktType != nil; known != (m.Data == nil) && len(b) > 0 {
			t.Errorf("%q %x: %+v", name, b, m)
		}
	})
}
