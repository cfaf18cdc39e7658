package rtnl_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

type message = netlink.Message

// onlyDeclared clears in got what want does not declare.
func onlyDeclared(want, got state.Link) state.Link {
	got.Promiscuity = 0
	got.Index, got.Flags, got.OperState, got.Peer, got.Lower, got.IPv4, got.IPv6 = 0, 0, "", nil, nil, nil, nil
	if want.MTU == 0 {
		got.MTU = 0
	}
	if want.MAC.IsZero() {
		got.MAC = state.MAC{}
	}
	if want.TxQueueLen == 0 {
		got.TxQueueLen = 0
	}
	if want.Port == nil {
		got.Port = nil
	}
	if want.Bridge == nil {
		got.Bridge = nil
	}
	return got
}

func TestCableIsBornInPlace(t *testing.T) {
	leakCheck(t)
	r1, r2, asker := newRoom(t, "r1"), newRoom(t, "r2"), newRoom(t, "asker")
	r1.do(r1.must(rtnl.CreateLink(state.Link{Name: "br0", Kind: "bridge", Up: true}, rtnl.LinkOptions{Index: 7}, nil)))

	a := state.Link{
		Name: "lan", Kind: "veth", Up: true, Master: "br0", MTU: 1400, MAC: state.MAC{2, 0, 0, 0, 0, 1}, Group: state.LinkGroup,
		TxQueueLen: 77, Alias: "one end", AltNames: []string{"another-name-of-lan", "warren.lab.lan"},
		Port: &state.BridgePort{Isolated: new(true), Cost: 5, Hairpin: new(false)},
	}
	b := state.Link{
		Name: "lan", Kind: "veth", Up: true, MTU: 1300, MAC: state.MAC{2, 0, 0, 0, 0, 2}, Group: 9, TxQueueLen: 78,
		AltNames: []string{"far-end"},
	}
	// Asked in a third namespace: the socket need not be in either.
	asker.do(asker.must(rtnl.CreateCable(
		rtnl.End{Link: a, LinkOptions: rtnl.LinkOptions{NS: rtnl.InNS(r1.h.FD()), Index: 41}},
		rtnl.End{Link: b, LinkOptions: rtnl.LinkOptions{NS: rtnl.InNS(r2.h.FD()), Index: 42}}, r1.names())))

	// Before anything is finished: what was there at birth.
	born := a
	born.Alias, born.AltNames, born.Port = "", nil, nil
	if diff := cmp.Diff(born, onlyDeclared(born, r1.link("lan"))); diff != "" {
		t.Errorf("the asking end at birth (-want +got):\n%s", diff)
	}
	born = b
	born.Up, born.AltNames = false, nil
	if diff := cmp.Diff(born, onlyDeclared(born, r2.link("lan"))); diff != "" {
		t.Errorf("the peer at birth (-want +got):\n%s", diff)
	}

	r1.do(r1.all(rtnl.FinishLink(a, false, r1.names()))...)
	r2.do(r2.all(rtnl.FinishLink(b, true, r2.names()))...)
	gotA, gotB := r1.link("lan"), r2.link("lan")
	seen := onlyDeclared(a, gotA)
	if seen.Port == nil {
		t.Fatal("no attributes of a port")
	}
	seen.Port = &state.BridgePort{Isolated: seen.Port.Isolated, Cost: seen.Port.Cost, Hairpin: seen.Port.Hairpin}
	if diff := cmp.Diff(a, seen); diff != "" {
		t.Errorf("the asking end (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(b, onlyDeclared(b, gotB)); diff != "" {
		t.Errorf("the peer (-want +got):\n%s", diff)
	}
	if gotB.Index != 42 || gotA.Peer == nil || gotA.Peer.Index != 42 || gotA.Peer.NSID < 0 || gotA.Index != 41 || gotB.Peer.Index != 41 {
		t.Errorf("ends %+v and %+v do not know each other", gotA.Peer, gotB.Peer)
	}
	if len(gotA.IPv4) == 0 || len(gotA.IPv6) == 0 {
		t.Errorf("settings of IPv4 and IPv6: %d and %d", len(gotA.IPv4), len(gotA.IPv6))
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if s := r1.link("lan").OperState; s != "UP" {
			return fmt.Errorf("operational state %s, want UP", s)
		}
		return nil
	})

	w := r1.ip("link", "show", "lan")[0]
	want(t, w, 1400, "mtu")
	want(t, w, "02:00:00:00:00:01", "address")
	want(t, w, "br0", "master")
	want(t, w, "one end", "ifalias")
	want(t, w, "veth", "linkinfo", "info_kind")
	want(t, w, true, "linkinfo", "info_slave_data", "isolated")
	want(t, w, 5, "linkinfo", "info_slave_data", "cost")
	want(t, r2.ip("link", "show", "far-end")[0], 42, "ifindex")
}

// TestPeerCannotBeBornUp is why CreateCable leaves that out.
func TestPeerCannotBeBornUp(t *testing.T) {
	leakCheck(t)
	r := newRoom(t, "r")
	req := r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "a"}}, rtnl.End{Link: state.Link{Name: "b"}}, nil))
	// The peer's struct ifinfomsg: flags and change.
	i := slices.Index(req.Data, 'v') + 8 + 4 + 4
	req.Data[i+8], req.Data[i+12] = unix.IFF_UP, unix.IFF_UP
	if err := r.c.Batch([]nl.Request{req})[0]; !errors.Is(err, unix.ENOTCONN) {
		t.Errorf("got %v, want ENOTCONN", err)
	}
}

func TestKernelKinds(t *testing.T) {
	for _, tc := range []struct {
		needs string
		link  state.Link
		data  map[string]any // what the witness says in info_data
	}{
		{"", state.Link{Name: "x", Kind: "bridge", MTU: 1400, Bridge: &state.Bridge{
			STP: new(true), ForwardDelay: 400, HelloTime: 300, MaxAge: 700, AgeingTime: 1234, Priority: 4096, MulticastSnoop: new(false), GroupFwdMask: 8,
		}}, map[string]any{"stp_state": 1, "forward_delay": 400, "hello_time": 300, "max_age": 700, "ageing_time": 1234, "priority": 4096, "mcast_snooping": 0}},
		{"vxlan", state.Link{Name: "x", Kind: "vxlan", Lower: &state.Peer{Name: "under"}, VXLAN: &state.VXLAN{
			ID: 4711, Local: addr("10.0.0.1"), Remote: addr("239.1.1.1"), Port: 4789, TTL: 9, Learning: new(false),
			Ageing: 100, PortMin: 4000, PortMax: 5000, UDPCsum: new(true), L2Miss: new(true),
		}}, map[string]any{"id": 4711, "local": "10.0.0.1", "group": "239.1.1.1", "port": 4789, "ttl": 9, "learning": false, "link": "under"}},
		{"vxlan", state.Link{Name: "x", Kind: "vxlan", VXLAN: &state.VXLAN{
			ID: 1, Local: addr("fd00::1"), Remote: addr("fd00::2"), Port: 4789, UDPZeroCsum6TX: new(true),
		}}, map[string]any{"id": 1, "local6": "fd00::1", "remote6": "fd00::2"}},
		{"macvlan", state.Link{Name: "x", Kind: "macvlan", Up: false, Lower: &state.Peer{Name: "under"}, MACVLAN: &state.MACVLAN{Mode: "bridge"}}, map[string]any{"mode": "bridge"}},
		{"macvtap", state.Link{Name: "x", Kind: "macvtap", Lower: &state.Peer{Name: "under"}, MACVLAN: &state.MACVLAN{Mode: "private"}}, map[string]any{"mode": "private"}},
		{"ipvlan", state.Link{Name: "x", Kind: "ipvlan", Lower: &state.Peer{Name: "under"}, IPVLAN: &state.IPVLAN{Mode: "l3"}}, map[string]any{"mode": "l3"}},
		{"vlan", state.Link{Name: "x", Kind: "vlan", Lower: &state.Peer{Name: "under"}, VLAN: &state.VLAN{ID: 100, Protocol: 0x8100}}, map[string]any{"id": 100, "protocol": "802.1Q"}},
		{"dummy", state.Link{Name: "x", Kind: "dummy", MTU: 9000}, nil},
		{"ifb", state.Link{Name: "x", Kind: "ifb", MTU: 1400}, nil},
	} {
		t.Run(tc.link.Kind, func(t *testing.T) {
			leakCheck(t)
			if tc.needs != "" {
				kerneltest.Need(t, tc.needs)
			}
			r := newRoom(t, "r")
			r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "under", Up: true}}, rtnl.End{Link: state.Link{Name: "far"}}, nil)))
			r.do(r.must(rtnl.CreateLink(tc.link, rtnl.LinkOptions{}, r.names())))
			got := r.link("x")
			if tc.link.Lower != nil && (got.Lower == nil || got.Lower.Name != "under" || got.Lower.NSID != -1) {
				t.Errorf("sits on %+v, want under", got.Lower)
			}
			// What the kernel filled in and was not declared is its own business: declared values survive a change to themselves.
			changes := r.all(rtnl.ChangeLink(got, mergeDeclared(tc.link, got), r.names()))
			if len(changes) != 0 {
				t.Errorf("%d changes between what was declared and what was read, want none", len(changes))
			}
			w := r.ip("link", "show", "x")[0]
			want(t, w, tc.link.Kind, "linkinfo", "info_kind")
			for k, v := range tc.data {
				want(t, w, v, "linkinfo", "info_data", k)
			}
			r.do(r.must(rtnl.DeleteLink("x")))
			if err := r.c.Batch([]nl.Request{r.must(rtnl.DeleteLink("x"))})[0]; !errors.Is(err, unix.ENODEV) {
				t.Errorf("second delete: got %v, want ENODEV", err)
			}
		})
	}
}

// mergeDeclared lays what is declared over what was read, by way of the merge rule of JSON: a field that is left out stays.
func mergeDeclared(declared, got state.Link) state.Link {
	declared.Lower, declared.Name, declared.Up = got.Lower, got.Name, got.Up
	overlay(&got, declared)
	return got
}

func TestChangeLink(t *testing.T) {
	leakCheck(t)
	r := newRoom(t, "r")
	r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "a"}}, rtnl.End{Link: state.Link{Name: "b"}}, nil)),
		r.must(rtnl.CreateLink(state.Link{Name: "br", Kind: "bridge"}, rtnl.LinkOptions{}, nil)))
	before := r.link("a")
	after := before
	after.Name, after.Up, after.MTU, after.MAC, after.Master = "c", true, 1280, state.MAC{2, 9, 9, 9, 9, 9}, "br"
	after.Alias, after.AltNames, after.TxQueueLen, after.Group = "al", []string{"one", "two"}, 50, 3
	r.do(r.all(rtnl.ChangeLink(before, after, r.names()))...)
	got := r.link("c")
	if got.Index != before.Index || !got.Up || got.MTU != 1280 || got.MAC != after.MAC || got.Master != "br" || got.Alias != "al" ||
		!slices.Equal(got.AltNames, after.AltNames) || got.TxQueueLen != 50 || got.Group != 3 {
		t.Errorf("after the change: %+v", got)
	}
	if reqs := r.all(rtnl.ChangeLink(got, got, r.names())); len(reqs) != 0 {
		t.Errorf("no change makes %d requests", len(reqs))
	}
	back := got
	back.Up, back.AltNames = false, []string{"three", "two"}
	back.Port = &state.BridgePort{Learning: new(false)}
	r.do(r.all(rtnl.ChangeLink(got, back, r.names()))...)
	r.do(r.must(rtnl.ReleaseLink("two")))
	got = r.link("c")
	if got.Up || got.Master != "" || !slices.Equal(got.AltNames, back.AltNames) {
		t.Errorf("after the second change: %+v", got)
	}
	r.do(r.must(rtnl.SetLinkUp("c", true)))
	if !r.link("c").Up {
		t.Error("not up")
	}
}

func TestGetAndMoveLink(t *testing.T) {
	leakCheck(t)
	r, other := newRoom(t, "r"), newRoom(t, "other")
	r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "a"}}, rtnl.End{Link: state.Link{Name: "b"}}, nil)),
		r.must(rtnl.AddAltNames("a", "a-name-longer-than-fifteen")))
	res := r.c.Exchange([]nl.Request{
		r.must(rtnl.GetLink("a")), r.must(rtnl.GetLink("a-name-longer-than-fifteen")), r.must(rtnl.GetLink("nobody")), rtnl.GetLinkIndex(1),
	})
	for i, name := range []string{"a", "a", "", "lo"} {
		if name == "" {
			if !errors.Is(res[i].Err, unix.ENODEV) {
				t.Errorf("got %v, want ENODEV", res[i].Err)
			}
			continue
		}
		if res[i].Err != nil {
			t.Fatal(res[i].Err)
		}
		l, err := rtnl.DecodeLink(res[i].Messages[0].Data, nil)
		if err != nil || l.Name != name {
			t.Errorf("got %+v, %v; want %s", l, err, name)
		}
	}
	r.do(r.must(rtnl.MoveLink("a", rtnl.InNS(other.h.FD()), "z", 99, r.names())))
	if l := other.link("z"); l.Index != 99 {
		t.Errorf("moved: %+v", l)
	}
	msgs, err := other.c.Dump(t.Context(), rtnl.DumpLinks(true))
	if err != nil {
		t.Fatal(err)
	}
	var names rtnl.NameTable
	links, err := rtnl.DecodeLinksStats(msgs, &names)
	if err != nil || links[0].Stats == nil {
		t.Errorf("with statistics: %+v, %v", links, err)
	}
}
