package rtnl_test

import (
	"net/netip"
	"testing"

	"warren/internal/rtnl"
)

// TestMessageAttrs reads back what was written, in any nesting.
func TestMessageAttrs(t *testing.T) {
	m := rtnl.NewMessage(4)
	m.Head()[1] = 7
	m.U8(1, 200)
	m.U16(2, 60000)
	m.BE16(3, 4789)
	m.U32(4, 1<<31)
	m.U64(5, 1<<63)
	m.Str(6, "eth0")
	m.Flag(7)
	n := m.Begin(8)
	m.Addr(1, netip.MustParseAddr("fd00::1"))
	m.End(n)
	req, err := m.Request(20, 0)
	if err != nil {
		t.Fatal(err)
	}
	if req.Data[1] != 7 {
		t.Errorf("header: got % x", req.Data[:4])
	}
	a := rtnl.ParseAttrs(req.Data[4:])
	if a.U8(1) != 200 || a.U16(2) != 60000 || a.BE16(3) != 4789 || a.U32(4) != 1<<31 || a.U64(5) != 1<<63 || a.Str(6) != "eth0" {
		t.Errorf("got % x", req.Data)
	}
	if a.Has(9) || a.Has(1000) || !a.Has(8) || a.Nested(8).Addr(1) != netip.MustParseAddr("fd00::1") {
		t.Errorf("got % x", req.Data)
	}
}

// FuzzAttrs: whatever the bytes, the table and the walk agree.
func FuzzAttrs(f *testing.F) {
	f.Add([]byte{8, 0, 1, 0, 1, 2, 3, 4})
	f.Add([]byte{3, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		a := rtnl.ParseAttrs(b)
		last := map[uint16][]byte{}
		rtnl.EachAttr(b, func(typ uint16, data []byte) { last[typ] = data })
		for typ, data := range last {
			if string(a.Bytes(int(typ))) != string(data) {
				t.Errorf("attribute %d: got % x, want % x", typ, a.Bytes(int(typ)), data)
			}
		}
	})
}
