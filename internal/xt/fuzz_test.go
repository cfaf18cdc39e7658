package xt_test

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/xt"
	"warren/state"
)

// table4 is a filter table with one rule, "-A INPUT -p tcp -j DROP", as the kernel lays it out.
func table4() (xt.Info, []byte) {
	const size = 112 + 40 // struct ipt_entry and a standard target
	put16, put32 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint32
	entry := func(proto uint16, verdict int32) []byte {
		b := make([]byte, size)
		put16(b[80:], proto)
		put16(b[88:], 112)
		put16(b[90:], size)
		put16(b[112:], 40)
		put32(b[144:], uint32(verdict))
		return b
	}
	var b []byte
	b = append(b, entry(6, -1)...)
	for range 3 {
		b = append(b, entry(0, -2)...)
	}
	last := make([]byte, 112+64) // struct xt_error_target
	put16(last[88:], 112)
	put16(last[90:], 112+64)
	put16(last[112:], 64)
	copy(last[114:], "ERROR")
	copy(last[144:], "ERROR")
	b = append(b, last...)
	info := xt.Info{Name: "filter", ValidHooks: 1<<1 | 1<<2 | 1<<3, Entries: 5, Size: uint32(len(b))}
	info.HookEntry = [5]uint32{0, 0, 2 * size, 3 * size, 0}
	info.Underflow = [5]uint32{0, size, 2 * size, 3 * size, 0}
	return info, b
}

func TestDecodeTable(t *testing.T) {
	info, b := table4()
	got, err := xt.DecodeTable(info, b, false)
	if err != nil {
		t.Fatal(err)
	}
	want := state.XTable{Name: "filter", Chains: []state.XChain{
		{Name: "INPUT", Policy: "ACCEPT", Rules: []state.XRule{{Proto: 6, HasProto: true, Target: state.XTTarget{Verdict: "DROP"}}}},
		{Name: "FORWARD", Policy: "ACCEPT"},
		{Name: "OUTPUT", Policy: "ACCEPT"},
	}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b state.XPrefix) bool { return a == b })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzDecodeTable: whatever the bytes, a table that decodes has as many rules as there is room for, and can be written.
func FuzzDecodeTable(f *testing.F) {
	_, b := table4()
	f.Add(b, false)
	f.Add(b, true)
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		info, _ := table4()
		table, err := xt.DecodeTable(info, b, v6)
		if err != nil {
			return
		}
		rules := 0
		for _, c := range table.Chains {
			rules += len(c.Rules)
		}
		if rules > 5*len(b)/112+5 {
			t.Errorf("%d rules in %d bytes", rules, len(b))
		}
		if text := xt.Save(table); text == "" {
			t.Error("no text")
		}
	})
}

// FuzzDecodeMatch: a match is understood, or its bytes are kept whole.
func FuzzDecodeMatch(f *testing.F) {
	for _, name := range []string{"tcp", "conntrack", "multiport", "addrtype", "physdev", "iprange", "comment", "nothing"} {
		f.Add(name, uint8(1), make([]byte, 162), true)
	}
	f.Fuzz(func(t *testing.T, name string, revision uint8, data []byte, v6 bool) {
		m := xt.DecodeMatch(name, revision, data, v6)
		understood := m.Ports != nil || m.Multiport != nil || m.Conntrack != nil || m.Mark != nil || m.AddrType != nil || m.ICMP != nil ||
			m.MAC != nil || m.PhysDev != nil || m.RPFilter != nil || m.IPRange != nil || m.PktType != nil || m.Length != nil || m.Comment != nil
		if understood == (m.Data != nil) && len(data) > 0 {
			t.Errorf("understood %t, and keeps %d bytes", understood, len(m.Data))
		}
		if m.Name != name || xt.Match(&m) == "" {
			t.Errorf("%+v", m)
		}
		target := xt.DecodeTarget(name, revision, data, v6)
		if target.Name != name {
			t.Errorf("%+v", target)
		}
	})
}
