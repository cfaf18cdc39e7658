package ctnl_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"warren/internal/ctnl"
	"warren/state"
)

func conns() *rapid.Generator[state.Conn] {
	return rapid.Custom(func(t *rapid.T) state.Conn {
		n := 4
		if rapid.Bool().Draw(t, "v6") {
			n = 16
		}
		addr := func() netip.Addr {
			a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "addr"))
			return a
		}
		c := state.Conn{
			Proto: rapid.SampledFrom([]uint8{1, 6, 17, 58}).Draw(t, "proto"), Status: rapid.Uint32().Draw(t, "status"),
			Mark: rapid.Uint32().Draw(t, "mark"), ID: rapid.Uint32().Draw(t, "id"), Zone: rapid.Uint16().Draw(t, "zone"),
			Timeout: time.Duration(rapid.Uint32().Draw(t, "timeout")) * time.Second,
		}
		for _, to := range []*state.ConnTuple{&c.Original, &c.Reply} {
			*to = state.ConnTuple{Src: addr(), Dst: addr()}
			if c.Proto == 1 || c.Proto == 58 {
				to.ID, to.Type, to.Code = rapid.Uint16().Draw(t, "icmp id"), rapid.Byte().Draw(t, "type"), rapid.Byte().Draw(t, "code")
			} else {
				to.SPort, to.DPort = rapid.Uint16().Draw(t, "sport"), rapid.Uint16().Draw(t, "dport")
			}
		}
		if c.Proto == 6 {
			c.TCPState = rapid.SampledFrom([]string{"SYN_SENT", "ESTABLISHED", "TIME_WAIT"}).Draw(t, "state")
			c.Helper = rapid.SampledFrom([]string{"", "ftp"}).Draw(t, "helper")
		}
		return c
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := conns().Draw(t, "conn")
		b, err := ctnl.EncodeConn(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ctnl.DecodeConn(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

// FuzzDecodeConn: what decodes encodes, and decodes to the same.
func FuzzDecodeConn(f *testing.F) {
	for i := range 8 {
		if b, err := ctnl.EncodeConn(conns().Example(i)); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ctnl.DecodeConn(b)
		if err != nil || c.Reply.Src.Is6() != c.Original.Src.Is6() || !c.Reply.Src.IsValid() || !c.Reply.Dst.IsValid() ||
			c.Original.Src.Is6() != c.Original.Dst.Is6() || c.Reply.Src.Is6() != c.Reply.Dst.Is6() {
			return
		}
		again, err := ctnl.EncodeConn(c)
		if err != nil {
			return // a name that cannot be one
		}
		d, err := ctnl.DecodeConn(again)
		if err != nil {
			t.Fatalf("%v of %+v", err, c)
		}
		if d.Original.Src != c.Original.Src || d.Status != c.Status || d.Zone != c.Zone || d.Proto != c.Proto {
			t.Errorf("%+v, again %+v", c, d)
		}
	})
}
