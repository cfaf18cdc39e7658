package rtnl_test

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// TestGolden compares requests with bytes put together by hand from linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h,
// linux/veth.h and linux/fib_rules.h. A line is a header or an attribute: length, type, value, padding.
func TestGolden(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Log("the bytes are those of a little-endian machine")
		return
	}
	for _, tc := range []struct {
		name string
		make func() (nl.Request, error)
		want string
	}{
		{"cable", func() (nl.Request, error) {
			return rtnl.CreateCable(
				rtnl.End{Link: state.Link{Name: "v1", Up: true, Master: "br0", MTU: 1400, MAC: state.MAC{2, 0, 0, 0, 0, 1}, Group: 9}},
				rtnl.End{Link: state.Link{Name: "eth0"}, LinkOptions: rtnl.LinkOptions{NS: rtnl.InNS(10)}}, table())
		}, `
			00 00 0000 00000000 01000000 01000000   # ifinfomsg: family, type, index, flags IFF_UP, change IFF_UP
			0700 0300 763100 00                     # IFLA_IFNAME v1
			0a00 0100 020000000001 0000             # IFLA_ADDRESS
			0800 0400 78050000                      # IFLA_MTU 1400
			0800 1b00 09000000                      # IFLA_GROUP 9
			0800 0a00 03000000                      # IFLA_MASTER 3
			3c00 1280                               # IFLA_LINKINFO, nested
			  0900 0100 7665746800 000000           #   IFLA_INFO_KIND veth
			  2c00 0280                             #   IFLA_INFO_DATA, nested
			    2800 0180                           #     VETH_INFO_PEER, nested
			      00 00 0000 00000000 00000000 00000000
			      0900 0300 6574683000 000000       #       IFLA_IFNAME eth0
			      0800 1c00 0a000000                #       IFLA_NET_NS_FD 10
		`},
		{"addr", func() (nl.Request, error) {
			return rtnl.CreateAddr(state.Addr{Link: "eth0", Prefix: prefixOf("10.1.2.3/24"), Protocol: 119}, table())
		}, `
			02 18 00 00 02000000   # ifaddrmsg: AF_INET, /24, flags, scope, index 2
			0800 0100 0a010203     # IFA_ADDRESS
			0800 0200 0a010203     # IFA_LOCAL
			0500 0b00 77 000000    # IFA_PROTO 119
		`},
		{"addr6", func() (nl.Request, error) {
			return rtnl.CreateAddr(state.Addr{Link: "eth0", Prefix: prefixOf("fd00::1/64"), Flags: state.AddrNoDAD}, table())
		}, `
			0a 40 02 00 02000000
			1400 0100 fd000000000000000000000000000001
			0800 0800 02000000     # IFA_FLAGS IFA_F_NODAD
		`},
		{"default-route", func() (nl.Request, error) {
			return rtnl.CreateRoute(state.Route{Dst: prefixOf("0.0.0.0/0"), Protocol: 119, NextHops: []state.NextHop{{Via: addr("10.1.2.1"), Link: "eth0"}}}, table())
		}, `
			02 00 00 00 fe 77 00 01 00000000   # rtmsg: AF_INET, lengths, tos, main, protocol, universe, unicast, flags
			0800 0f00 fe000000                 # RTA_TABLE
			0800 0500 0a010201                 # RTA_GATEWAY
			0800 0400 02000000                 # RTA_OIF
		`},
		{"multipath", func() (nl.Request, error) {
			return rtnl.CreateRoute(state.Route{Dst: prefixOf("10.0.0.0/8"), Table: 1000, NextHops: []state.NextHop{
				{Via: addr("10.1.2.1"), Link: "eth0", Weight: 3}, {Via: addr("fd00::1"), Link: "br0", Flags: state.NextHopOnLink},
			}}, table())
		}, `
			02 08 00 00 fc 03 00 01 00000000   # table RT_TABLE_COMPAT, protocol RTPROT_BOOT
			0800 0100 0a000000                 # RTA_DST
			0800 0f00 e8030000                 # RTA_TABLE 1000
			3400 0980                          # RTA_MULTIPATH
			  1000 00 02 02000000              #   rtnexthop: length, flags, hops, index
			  0800 0500 0a010201               #   RTA_GATEWAY
			  2000 04 00 03000000
			  1600 1200 0a00 fd000000000000000000000000000001 0000   # RTA_VIA: AF_INET6
		`},
		{"blackhole", func() (nl.Request, error) {
			return rtnl.DeleteRoute(state.Route{Dst: prefixOf("fd00::/8"), Type: "blackhole", Metric: 5}, nil)
		}, `
			0a 08 00 00 fe 00 ff 06 00000000   # RT_SCOPE_NOWHERE, RTN_BLACKHOLE
			1400 0100 fd000000000000000000000000000000
			0800 0f00 fe000000
			0800 0600 05000000                 # RTA_PRIORITY
		`},
		{"rule", func() (nl.Request, error) {
			return rtnl.CreateRule(state.Rule{Priority: 100, From: prefixOf("10.0.0.0/8"), Table: 1000, Mark: 5})
		}, `
			02 00 08 00 00 00 00 01 00000000   # fib_rule_hdr: dst_len, src_len, tos, table, FR_ACT_TO_TBL
			0800 0f00 e8030000                 # FRA_TABLE
			0800 0600 64000000                 # FRA_PRIORITY
			0800 0200 0a000000                 # FRA_SRC
			0800 0a00 05000000                 # FRA_FWMARK
		`},
		{"altname", func() (nl.Request, error) { return rtnl.AddAltNames("lo", "warren.a.b") }, `
			00 00 0000 00000000 00000000 00000000
			0700 0300 6c6f00 00
			1400 3480                              # IFLA_PROP_LIST
			  0f00 3500 77617272656e2e612e6200 00  #   IFLA_ALT_IFNAME
		`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := tc.make()
			if err != nil {
				t.Fatal(err)
			}
			var want []byte
			for line := range strings.Lines(tc.want) {
				line, _, _ = strings.Cut(line, "#")
				b, err := hex.DecodeString(strings.Join(strings.Fields(line), ""))
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, b...)
			}
			if diff := cmp.Diff(hex.Dump(want), hex.Dump(req.Data)); diff != "" {
				t.Errorf("bytes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRefused: what cannot be said in a message is an error, not something else said.
func TestRefused(t *testing.T) {
	for name, make := range map[string]func() (nl.Request, error){
		"name-with-zero": func() (nl.Request, error) { return rtnl.DeleteLink("a\x00b") },
		"unknown-master": func() (nl.Request, error) {
			return rtnl.CreateLink(state.Link{Name: "x", Kind: "dummy", Master: "nobody"}, rtnl.LinkOptions{}, table())
		},
		"veth-alone": func() (nl.Request, error) {
			return rtnl.CreateLink(state.Link{Name: "x", Kind: "veth"}, rtnl.LinkOptions{}, nil)
		},
		"tun": func() (nl.Request, error) {
			return rtnl.CreateLink(state.Link{Name: "x", Kind: "tun"}, rtnl.LinkOptions{}, nil)
		},
		"no-kind":   func() (nl.Request, error) { return rtnl.CreateLink(state.Link{Name: "x"}, rtnl.LinkOptions{}, nil) },
		"no-prefix": func() (nl.Request, error) { return rtnl.CreateAddr(state.Addr{Link: "lo"}, table()) },
		"unknown-link": func() (nl.Request, error) {
			return rtnl.CreateAddr(state.Addr{Link: "x", Prefix: prefixOf("10.0.0.1/8")}, table())
		},
		"weight": func() (nl.Request, error) {
			return rtnl.CreateRoute(state.Route{Dst: prefixOf("10.0.0.0/8"), NextHops: []state.NextHop{{Link: "lo", Weight: 257}}}, table())
		},
		"unknown-type": func() (nl.Request, error) {
			return rtnl.CreateRoute(state.Route{Dst: prefixOf("10.0.0.0/8"), Type: "blak"}, nil)
		},
		"mixed-rule": func() (nl.Request, error) {
			return rtnl.CreateRule(state.Rule{IPv6: true, From: prefixOf("10.0.0.0/8")})
		},
		"unknown-action": func() (nl.Request, error) { return rtnl.CreateRule(state.Rule{Action: "jump"}) },
		"unknown-mode": func() (nl.Request, error) {
			return rtnl.CreateLink(state.Link{Name: "x", Kind: "macvlan", MACVLAN: &state.MACVLAN{Mode: "brigde"}}, rtnl.LinkOptions{}, nil)
		},
		"neighbor-without-ip": func() (nl.Request, error) { return rtnl.CreateNeighbor(state.Neighbor{Link: "lo"}, table()) },
		"unknown-state": func() (nl.Request, error) {
			return rtnl.CreateFDB(state.FDBEntry{Link: "lo", State: "eternal"}, table())
		},
		"nowhere": func() (nl.Request, error) { return rtnl.MoveLink("lo", rtnl.Target{}, "", 0, nil) },
		"peer-index-alone": func() (nl.Request, error) {
			return rtnl.CreateCable(rtnl.End{}, rtnl.End{LinkOptions: rtnl.LinkOptions{Index: 5}}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if req, err := make(); err == nil {
				t.Errorf("got %x, want an error", req.Data)
			}
		})
	}
}

func TestNameTable(t *testing.T) {
	n := table()
	n.SetAlt(2, "long-name-of-eth0")
	n.SetAlt(3, "eth0") // a name beats an alternative one
	n.Set(2, "wan")     // renamed
	n.Set(9, "br0")     // another one has the name now
	for name, want := range map[string]int{"wan": 2, "long-name-of-eth0": 2, "br0": 9, "eth0": 0, "if3": 0} {
		if got, _ := n.Index(name); got != want {
			t.Errorf("Index(%q) = %d, want %d", name, got, want)
		}
	}
	if name, ok := n.Name(3); ok {
		t.Errorf("3 is still called %q", name)
	}
	n.Remove(2)
	if _, ok := n.Index("long-name-of-eth0"); ok {
		t.Error("an alternative name outlives its link")
	}
}
