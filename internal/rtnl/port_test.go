package rtnl_test

import (
	"errors"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// TestKernelPorts: what bridges tell of their ports is what the list of links tells, as far as it goes.
func TestKernelPorts(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge")
	leakCheck(t)
	r, far := newRoom(t, "r"), newRoom(t, "far")
	r.do(r.must(rtnl.CreateLink(state.Link{Name: "br", Kind: "bridge"}, rtnl.LinkOptions{}, nil)), r.must(rtnl.SetLinkUp("br", true)))
	names := r.names()
	in := func(name string) rtnl.End {
		return rtnl.End{Link: state.Link{Name: name}, LinkOptions: rtnl.LinkOptions{NS: rtnl.InNS(far.h.FD())}}
	}
	for _, p := range []string{"p1", "p2", "p3"} {
		r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: p, Up: true, Master: "br"}}, in(p), names)))
	}
	r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "loose"}}, in("other"), names)))
	links, names := r.links()
	var want []rtnl.Port
	var loose []string
	for _, l := range links {
		if l.Master == "" {
			loose = append(loose, l.Name)
			continue
		}
		p := rtnl.Port{Index: l.Index, Name: l.Name, Flags: l.Flags, MAC: l.MAC, Master: l.Master}
		if l.Peer.Index != l.Index {
			p.Lower = l.Peer.Index
		}
		want = append(want, p)
	}
	got := dumpWith(r, rtnl.DumpPorts(), func(m []message) ([]rtnl.Port, error) { return rtnl.DecodePorts(m, names) })
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	list := func(req nl.Request) (found []string) {
		for _, l := range dumpWith(r, req, func(m []message) ([]state.Link, error) { return rtnl.DecodeLinks(m, names) }) {
			found = append(found, l.Name)
		}
		return found
	}
	if diff := gocmp.Diff(loose, list(rtnl.DumpLoose())); diff != "" {
		t.Errorf("without a master (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"p1", "p2", "p3"}, list(rtnl.DumpEnslaved(r.link("br").Index))); diff != "" {
		t.Errorf("enslaved to br (-want +got):\n%s", diff)
	}
	stations(r, names)
	addressesBeyond(r, far)
}

// stations looks single entries of a forwarding table up.
func stations(r *room, names *rtnl.NameTable) {
	r.t.Helper()
	pinned := state.FDBEntry{Link: "p2", Master: "br", MAC: state.MAC{2, 0, 0, 0, 0, 9}, State: "static"}
	r.do(r.must(rtnl.CreateFDB(pinned, names)))
	br := r.link("br").Index
	res := r.c.Query([]nl.Request{rtnl.GetStation(br, pinned.MAC), rtnl.GetStation(br, state.MAC{2, 0, 0, 0, 0, 8}), rtnl.GetStation(br, r.link("p3").MAC)})
	want := []struct{ link, state string }{{"p2", "static"}, {}, {"p3", "permanent"}}
	for i, w := range want {
		if w.link == "" {
			if !errors.Is(res[i].Err, unix.ENOENT) {
				r.t.Errorf("station %d: %+v, want ENOENT", i, res[i])
			}
			continue
		}
		if res[i].Err != nil {
			r.t.Fatalf("station %d: %v", i, res[i].Err)
		}
		e, err := rtnl.DecodeFDB(res[i].Messages[0].Data, names)
		if err != nil || e.Link != w.link || e.State != w.state || e.Master != "br" {
			r.t.Errorf("station %d: %+v, %v; want %+v", i, e, err, w)
		}
	}
	p2, ok := names.Index("p2")
	if !ok {
		r.t.Fatal("no p2")
	}
	of := dumpWith(r, rtnl.DumpFDBOf(p2), func(m []message) ([]state.FDBEntry, error) { return rtnl.DecodeFDBs(m, names) })
	if len(of) == 0 || slices.ContainsFunc(of, func(e state.FDBEntry) bool { return e.Link != "p2" }) || !slices.ContainsFunc(of, func(e state.FDBEntry) bool { return e.MAC == pinned.MAC }) {
		r.t.Errorf("entries of p2: %+v", of)
	}
}

// addressesBeyond asks for addresses in the namespace at the other ends of the cables.
func addressesBeyond(r, far *room) {
	r.t.Helper()
	names := far.names()
	for _, a := range []string{"10.0.0.7/24", "fd00::7/64"} {
		far.do(far.must(rtnl.CreateAddr(state.Addr{Link: "other", Prefix: prefixOf(a), Flags: state.AddrNoDAD}, names)))
	}
	id := r.link("loose").Peer.NSID
	has := func(ip string) (found bool) {
		r.c.DumpEach(r.t.Context(), 1, func(int) nl.Request { return rtnl.DumpAddrsAt(addr(ip), id) },
			func(_ int, m netlink.Message) { found = found || rtnl.HasAddr(m.Data, addr(ip).AsSlice()) },
			func(_ int, err error) {
				if err != nil {
					r.t.Error(err)
				}
			})
		return found
	}
	for ip, want := range map[string]bool{"10.0.0.7": true, "10.0.0.8": false, "fd00::7": true, "fd00::8": false} {
		if got := has(ip); got != want {
			r.t.Errorf("%s: got %v, want %v", ip, got, want)
		}
	}
	only := dumpWith(far, rtnl.OnlyIPv4(rtnl.DumpAddrs()), func(m []message) ([]state.Addr, error) { return rtnl.DecodeAddrs(m, names) })
	if len(only) != 1 || only[0].Prefix != prefixOf("10.0.0.7/24") {
		r.t.Errorf("of IPv4: %+v", only)
	}
}

// FuzzPorts: a port is decoded as the same link would be, an address that is there is never missed, and only queueing disciplines
// that do nothing are passed over.
func FuzzPorts(f *testing.F) {
	for i := range 4 {
		if b, err := linkCodec().encode(anyLink.Example(i)); err == nil {
			f.Add(b)
		}
		if b, err := addrCodec().encode(anyAddr.Example(i)); err == nil {
			f.Add(b)
		}
	}
	if b, err := rtnl.EncodeQdisc(state.Qdisc{Link: "if7", Kind: "noqueue"}, nil); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var names rtnl.NameTable
		msg := func(typ netlink.HeaderType, data []byte) []netlink.Message {
			return []netlink.Message{{Header: netlink.Header{Type: typ}, Data: data}}
		}
		if len(b) > 0 {
			as := slices.Clone(b)
			as[0] = unix.AF_UNSPEC
			l, err := rtnl.DecodeLink(as, nil)
			as[0] = unix.AF_BRIDGE
			ports, perr := rtnl.DecodePorts(msg(unix.RTM_NEWLINK, as), &names)
			if err == nil && perr == nil && len(ports) == 1 {
				if p := ports[0]; p.Index != l.Index || p.Name != l.Name || p.Flags != l.Flags || p.MAC != l.MAC || p.Master != l.Master {
					t.Errorf("port %+v, link %+v", p, l)
				}
			}
		}
		if a, err := rtnl.DecodeAddr(b, nil); err == nil && !rtnl.HasAddr(b, a.Prefix.Addr().AsSlice()) {
			t.Errorf("%v is passed over", a.Prefix)
		}
		all, err := rtnl.DecodeQdiscs(msg(unix.RTM_NEWQDISC, b), nil)
		if some, _ := rtnl.DecodeQueues(msg(unix.RTM_NEWQDISC, b), nil); err == nil && len(some) < len(all) && all[0].Kind != "noqueue" {
			t.Errorf("%+v is passed over", all[0])
		}
	})
}
