package reachtest_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/reach"
	"warren/state"
)

// TestRoutingIsTheKernels makes random routes and rules, and compares decisions with the kernel's own (RTM_GETROUTE), of
// packets from here and of packets that came in.
func TestRoutingIsTheKernels(t *testing.T) {
	kerneltest.Need(t, "veth", "ipv6", "exec:ip", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	const worlds, lookups = 10, 1000
	for seed := range uint64(worlds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 18))
			build(t, routingWorld(rnd))
			settleAll(t, w)
			s, err := w.Observe(t.Context(), state.Query{Names: []string{"a"}, Parts: state.PartsWalk})
			if err != nil {
				t.Fatal(err)
			}
			ns := s.Namespace("a")
			conn, err := open(t, "a").Netlink(unix.NETLINK_ROUTE)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			none, bad := 0, 0
			for range lookups {
				q := routeQuery(rnd)
				want := routeGet(t, conn, ns, q)
				got, err := reach.Route(ns, q)
				if err != nil {
					t.Fatal(err)
				}
				if got.Type == "" {
					none++
				}
				if why := sameRoute(got, want); why != "" {
					if bad++; bad <= 3 {
						t.Errorf("%+v: %s\n  reach  %s table %d %v, route %+v\n  kernel %s", q, why, got.Type, got.Table, got.Ways, got.Route, want)
					}
				}
			}
			t.Logf("%d look-ups, %d without a route, %d differ; %d rules, %d routes", lookups, none, bad, len(ns.Rules), len(ns.Routes))
		})
	}
}

const routingLinks = 5

// routingWorld is a namespace with some links and very many ways to go wrong. What the kernel refuses is left out.
func routingWorld(rnd *rand.Rand) string {
	var b strings.Builder
	b.WriteString("room a p; sys a net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.accept_local=1 net.ipv6.conf.all.ignore_routes_with_linkdown=1 net.ipv4.conf.all.ignore_routes_with_linkdown=1\n")
	for i := range routingLinks {
		fmt.Fprintf(&b, "cable a l%d p p%d; at a l%d 10.%d.0.1/16 fd%02d::1/64; sys a net.ipv4.conf.l%d.forwarding=1\n", i, i, i, i, i, i)
	}
	fmt.Fprintf(&b, "ip -n p link set p%d down\n", routingLinks-1)
	var lines [2]strings.Builder
	table := func() string { return []string{"main", "100", "101", "102"}[rnd.IntN(4)] }
	for range 60 {
		six := rnd.IntN(2) == 0
		l := rnd.IntN(routingLinks)
		way := fmt.Sprintf("dev l%d", l)
		if rnd.IntN(2) == 0 {
			way = fmt.Sprintf("via %s dev l%d", neighbourOf(six, l, rnd), l)
		}
		if rnd.IntN(8) == 0 {
			o := (l + 1) % routingLinks
			way = fmt.Sprintf("nexthop via %s dev l%d nexthop via %s dev l%d", neighbourOf(six, l, rnd), l, neighbourOf(six, o, rnd), o)
		}
		kind := ""
		if k := rnd.IntN(16); k < 4 {
			kind, way = []string{"blackhole", "unreachable", "prohibit", "throw"}[k], ""
		}
		more := ""
		if !six && rnd.IntN(8) == 0 {
			more += fmt.Sprintf(" tos 0x%02x", []int{4, 8, 16}[rnd.IntN(3)])
		}
		if rnd.IntN(3) == 0 {
			more += fmt.Sprintf(" metric %d", 1+rnd.IntN(3))
		}
		fmt.Fprintf(family(&lines, six), "route add %s %s table %s%s %s\n", kind, somePrefix(six, rnd), table(), more, way)
	}
	for range 14 {
		six := rnd.IntN(2) == 0
		var sel []string
		for _, s := range []string{
			"from " + somePrefix(six, rnd), "to " + somePrefix(six, rnd), fmt.Sprintf("fwmark %d/%d", rnd.IntN(4), 3), fmt.Sprintf("iif %s", []string{"lo", "l0", "l1"}[rnd.IntN(3)]),
			fmt.Sprintf("oif l%d", rnd.IntN(routingLinks)), "ipproto tcp", fmt.Sprintf("ipproto udp dport %d-%d", 50+rnd.IntN(5), 60), "tos 0x10", "uidrange 5-10",
		} {
			if rnd.IntN(6) == 0 {
				sel = append(sel, s)
			}
		}
		do := "lookup " + table()
		switch rnd.IntN(10) {
		case 0:
			do = []string{"blackhole", "unreachable", "prohibit"}[rnd.IntN(3)]
		case 1:
			do += fmt.Sprintf(" suppress_prefixlength %d", []int{0, 8, 16}[rnd.IntN(3)])
		case 2:
			do = "goto 32766"
		}
		not := ""
		if len(sel) > 0 && rnd.IntN(8) == 0 {
			not = "not "
		}
		if len(sel) == 0 {
			sel = []string{"from all"}
		}
		fmt.Fprintf(family(&lines, six), "rule add pref %d %s%s %s\n", 10+rnd.IntN(900), not, strings.Join(sel, " "), do)
	}
	for i, words := range []string{"-4", "-6"} {
		fmt.Fprintf(&b, "ip %s -n a -force -batch - <<end 2>/dev/null || true\n%send\n", words, lines[i].String())
	}
	return b.String()
}

func family(lines *[2]strings.Builder, six bool) *strings.Builder {
	if six {
		return &lines[1]
	}
	return &lines[0]
}

func neighbourOf(six bool, l int, rnd *rand.Rand) string {
	if six {
		return fmt.Sprintf("fd%02d::%x", l, 2+rnd.IntN(3))
	}
	return fmt.Sprintf("10.%d.0.%d", l, 2+rnd.IntN(3))
}

// someAddr is one of few, so that prefixes meet them.
func someAddr(six bool, rnd *rand.Rand) netip.Addr {
	if six {
		return netip.AddrFrom16([16]byte{0: 0xfd, 1: []byte{0, 1, 2, 3, 4, 0x50}[rnd.IntN(6)], 2: byte(rnd.IntN(2)), 3: byte(rnd.IntN(4)), 15: byte(1 + rnd.IntN(4))})
	}
	return netip.AddrFrom4([4]byte{10, byte(rnd.IntN(7)), byte(rnd.IntN(3)), byte(1 + rnd.IntN(4))})
}

func somePrefix(six bool, rnd *rand.Rand) string {
	bits := []int{0, 7, 8, 15, 16, 23, 24, 30, 32}[rnd.IntN(9)]
	if six {
		bits = []int{0, 8, 16, 24, 31, 32, 64, 127, 128}[rnd.IntN(9)]
	}
	p, _ := someAddr(six, rnd).Prefix(bits)
	return p.String()
}

func routeQuery(rnd *rand.Rand) reach.RouteQuery {
	six := rnd.IntN(2) == 0
	q := reach.RouteQuery{Dst: someAddr(six, rnd), Mark: uint32(rnd.IntN(4)) * uint32(rnd.IntN(2))}
	if rnd.IntN(3) == 0 {
		q.TOS = []uint8{4, 8, 16}[rnd.IntN(3)]
	}
	switch rnd.IntN(3) {
	case 0:
		q.Proto, q.SPort, q.DPort = unix.IPPROTO_TCP, 1024, uint16(50+rnd.IntN(12))
	case 1:
		q.Proto, q.SPort, q.DPort = unix.IPPROTO_UDP, 1024, uint16(50+rnd.IntN(12))
	}
	if rnd.IntN(2) == 0 { // it came in: from somebody else
		q.IIF = fmt.Sprintf("l%d", rnd.IntN(routingLinks))
		for q.Src = someAddr(six, rnd); q.Src.As16()[15] == 1; {
			q.Src = someAddr(six, rnd)
		}
		return q
	}
	if rnd.IntN(4) == 0 {
		q.OIF = fmt.Sprintf("l%d", rnd.IntN(routingLinks))
	}
	// Of IPv6 the device is only insisted on where no source is given, or for a socket that is bound.
	if rnd.IntN(3) == 0 && (!six || q.OIF == "") { // an address of ours
		l := rnd.IntN(routingLinks)
		q.Src = netip.AddrFrom4([4]byte{10, byte(l), 0, 1})
		if six {
			q.Src = netip.AddrFrom16([16]byte{0: 0xfd, 1: byte(l), 15: 1})
		}
	}
	if rnd.IntN(4) == 0 {
		q.UID = uint32(rnd.IntN(12))
	}
	return q
}

// A kernelRoute is what the kernel says.
type kernelRoute struct {
	err   error
	route state.Route
}

func (k kernelRoute) String() string {
	if k.err != nil {
		return k.err.Error()
	}
	return fmt.Sprintf("%s %s table %d %v", k.route.TypeName(), k.route.Dst, k.route.TableID(), k.route.NextHops)
}

// routeGet asks the kernel.
func routeGet(t *testing.T, conn *nl.Conn, ns *state.Namespace, q reach.RouteQuery) kernelRoute {
	t.Helper()
	b := make([]byte, unix.SizeofRtMsg)
	bits := q.Dst.BitLen()
	b[0], b[1], b[3] = unix.AF_INET, byte(bits), q.TOS
	if q.Dst.Is6() {
		b[0] = unix.AF_INET6
	}
	if q.Src.IsValid() {
		b[2] = byte(bits)
	}
	const lookUpTable = 0x1000 // RTM_F_LOOKUP_TABLE
	if !q.Dst.Is6() {          // it always tells the table
		binary.NativeEndian.PutUint32(b[8:], lookUpTable)
	}
	attr := func(typ uint16, v []byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(v)))
		b = append(binary.NativeEndian.AppendUint16(b, typ), v...)
		b = append(b, make([]byte, -len(b)&3)...)
	}
	u32 := func(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
	attr(unix.RTA_DST, q.Dst.AsSlice())
	if q.Src.IsValid() {
		attr(unix.RTA_SRC, q.Src.AsSlice())
	}
	if q.IIF != "" {
		attr(unix.RTA_IIF, u32(uint32(ns.Link(q.IIF).Index)))
	}
	if q.OIF != "" {
		attr(unix.RTA_OIF, u32(uint32(ns.Link(q.OIF).Index)))
	}
	attr(unix.RTA_MARK, u32(q.Mark))
	if q.IIF == "" {
		attr(unix.RTA_UID, u32(q.UID))
	}
	if q.Proto != 0 {
		attr(unix.RTA_IP_PROTO, []byte{q.Proto})
		attr(unix.RTA_SPORT, binary.BigEndian.AppendUint16(nil, q.SPort))
		attr(unix.RTA_DPORT, binary.BigEndian.AppendUint16(nil, q.DPort))
	}
	res := conn.Query([]nl.Request{{Type: unix.RTM_GETROUTE, Data: b}})[0]
	if res.Err != nil {
		return kernelRoute{err: res.Err}
	}
	names := &rtnl.NameTable{}
	for _, l := range ns.Links {
		names.Set(l.Index, l.Name)
	}
	r, err := rtnl.DecodeRoute(res.Messages[0].Data, names)
	if err != nil {
		t.Fatal(err)
	}
	return kernelRoute{route: r}
}

// sameRoute says how an answer differs from the kernel's.
func sameRoute(got reach.RouteAnswer, want kernelRoute) string {
	typ := got.Type
	switch {
	case got.Doubt != "":
		return "a doubt: " + got.Doubt
	case want.err != nil:
		errs := map[string]unix.Errno{"": unix.ENETUNREACH, "blackhole": unix.EINVAL, "unreachable": unix.EHOSTUNREACH, "prohibit": unix.EACCES}
		e, refused := errs[typ]
		if typ == "unreachable" && got.Route == nil {
			e = unix.ENETUNREACH // of a rule
		}
		if refused && (errors.Is(want.err, e) || typ == "" && (errors.Is(want.err, unix.EHOSTUNREACH) || errors.Is(want.err, unix.EINVAL))) {
			return ""
		}
		return "the kernel says " + want.err.Error()
	case typ != want.route.TypeName():
		return "of type " + want.route.TypeName()
	case typ != "unicast":
		return ""
	case got.Route != nil && got.Table != want.route.TableID():
		return "of another table"
	}
	if len(want.route.NextHops) != 1 {
		return "without one way out"
	}
	for _, w := range got.Ways {
		h := want.route.NextHops[0]
		if w.Link == h.Link && w.Via == h.Via {
			return ""
		}
	}
	return "by another way"
}
