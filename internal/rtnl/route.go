package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// routeTypes are RTN_*.
var routeTypes = words{
	unix.RTN_UNICAST: "unicast", unix.RTN_LOCAL: "local", unix.RTN_BROADCAST: "broadcast", unix.RTN_ANYCAST: "anycast",
	unix.RTN_MULTICAST: "multicast", unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable",
	unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw", unix.RTN_NAT: "nat", unix.RTN_XRESOLVE: "xresolve",
}

// rtaNHID is RTA_NH_ID (linux/rtnetlink.h, Linux 5.3).
const rtaNHID = 30

// rtnhLen is the size of struct rtnexthop.
const rtnhLen = 8

// hopFlags are the bits of rtm_flags that speak of the only next hop (RTNH_F_*); those above are the route's (RTM_F_*).
const hopFlags = 0xff

// CreateRoute adds a route. As ip(8) does it, a Scope that is not declared follows from the route (host for local ones, link
// without a gateway) and Protocol 0 is RTPROT_BOOT.
func CreateRoute(r state.Route, names Names) (nl.Request, error) {
	return routeRequest(r, names, create)
}

// ReplaceRoute adds a route, in the place of the one with this destination, metric and table if there is one.
func ReplaceRoute(r state.Route, names Names) (nl.Request, error) {
	return routeRequest(r, names, netlink.Create|netlink.Replace)
}

func routeRequest(r state.Route, names Names, flags netlink.HeaderFlags) (nl.Request, error) {
	if r.Protocol == 0 {
		r.Protocol = unix.RTPROT_BOOT
	}
	if r.Scope == 0 && r.Dst.Addr().Is4() {
		r.Scope = defaultScope(r)
	}
	e := newEncoder()
	e.route(&r, names, true)
	return e.request(unix.RTM_NEWROUTE, flags)
}

// defaultScope is the scope that the kernel insists on for an IPv4 route.
func defaultScope(r state.Route) uint8 {
	switch r.TypeName() {
	case "local", "nat":
		return unix.RT_SCOPE_HOST
	case "broadcast", "multicast", "anycast":
		return unix.RT_SCOPE_LINK
	case "unicast":
		if r.NextHopID != 0 {
			return unix.RT_SCOPE_UNIVERSE
		}
		for _, h := range r.NextHops {
			if h.Via.IsValid() {
				return unix.RT_SCOPE_UNIVERSE
			}
		}
		return unix.RT_SCOPE_LINK
	}
	return unix.RT_SCOPE_UNIVERSE
}

// DeleteRoute deletes the route that agrees with what r declares.
func DeleteRoute(r state.Route, names Names) (nl.Request, error) {
	if r.Scope == 0 {
		r.Scope = unix.RT_SCOPE_NOWHERE // any
	}
	r.Flags, r.Metrics, r.Pref = 0, state.Metrics{}, 0
	e := newEncoder()
	e.route(&r, names, true)
	return e.request(unix.RTM_DELROUTE, 0)
}

// DumpRoutes reads all routes of all tables and both families. Decoders pass over what else comes.
func DumpRoutes() nl.Request {
	return nl.Request{Type: unix.RTM_GETROUTE, Data: make([]byte, unix.SizeofRtMsg)}
}

// MatchRoute asks for the route that a packet to an IPv4 address goes by, as that was made (RTM_F_FIB_MATCH, Linux 4.13).
func MatchRoute(dst netip.Addr) nl.Request {
	e := newEncoder()
	e.b = append(e.b, unix.AF_INET, 32, 0, 0, 0, 0, 0, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, unix.RTM_F_FIB_MATCH)
	e.addr(unix.RTA_DST, dst)
	return nl.Request{Type: unix.RTM_GETROUTE, Data: e.b}
}

// GetRoute asks for the way of a packet that the namespace itself sends. The answer has what was learned of it, such as an MTU that
// an ICMP error told, which is in no dump until it is used.
func GetRoute(q state.RouteTo) nl.Request {
	e := newEncoder()
	e.b = append(e.b, family(q.Dst), uint8(q.Dst.BitLen()), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	e.addr(unix.RTA_DST, q.Dst)
	if q.Src.IsValid() {
		e.b[2] = uint8(q.Src.BitLen())
		e.addr(unix.RTA_SRC, q.Src)
	}
	e.optU32(unix.RTA_MARK, q.Mark)
	return nl.Request{Type: unix.RTM_GETROUTE, Data: e.b}
}

// EncodeRoute writes the body of an RTM_NEWROUTE message as the kernel would.
func EncodeRoute(r state.Route, names Names) ([]byte, error) {
	e := newEncoder()
	e.route(&r, names, false)
	return e.data()
}

// route writes the message. In a request a nexthop object stands alone; the kernel's messages also spell out what it is.
func (e *encoder) route(r *state.Route, names Names, request bool) {
	dst := r.Dst.Addr()
	if !r.Dst.IsValid() {
		e.fail(fmt.Errorf("%v is not a destination", r.Dst))
		return
	}
	if r.From.IsValid() && r.From.Addr().Is4() != dst.Is4() {
		e.fail(fmt.Errorf("route %v: source %v is of another family", r.Dst, r.From))
		return
	}
	typ, err := routeTypes.value("type of route", r.TypeName())
	if err != nil {
		e.fail(err)
		return
	}
	hops := r.NextHops
	if request && r.NextHopID != 0 {
		hops = nil
	}
	// One way out needs no list, unless its weight, or that it leads nowhere, could not be said otherwise.
	single := len(hops) == 1 && hops[0].Weight <= 1 && (hops[0].Link != "" || hops[0].Via.IsValid())
	flags := r.Flags &^ hopFlags
	if single {
		flags |= uint32(hops[0].Flags)
	}
	if request {
		flags &= uint32(state.NextHopOnLink)
	}
	table := r.TableID()
	short := uint8(unix.RT_TABLE_COMPAT)
	if table < 256 {
		short = uint8(table)
	}
	e.b = append(e.b, family(dst), uint8(r.Dst.Bits()), uint8(max(0, r.From.Bits())), r.TOS,
		short, r.Protocol, r.Scope, uint8(typ))
	e.b = binary.NativeEndian.AppendUint32(e.b, flags)
	if r.Dst.Bits() > 0 || !dst.IsUnspecified() {
		e.addr(unix.RTA_DST, dst)
	}
	if r.From.IsValid() {
		e.addr(unix.RTA_SRC, r.From.Addr())
	}
	e.u32(unix.RTA_TABLE, table)
	e.optU32(unix.RTA_PRIORITY, r.Metric)
	e.optAddr(unix.RTA_PREFSRC, r.Src)
	e.metrics(&r.Metrics)
	e.optU32(rtaNHID, r.NextHopID)
	e.optU8(unix.RTA_PREF, r.Pref)
	switch {
	case single:
		e.gateway(hops[0].Via, dst)
		e.index(unix.RTA_OIF, names, hops[0].Link)
	case len(hops) > 0:
		at := e.begin(unix.RTA_MULTIPATH)
		for i := range hops {
			e.nextHop(&hops[i], dst, names, request)
		}
		e.end(at)
	}
}

// gateway writes RTA_GATEWAY, or RTA_VIA when the gateway is of the other family.
func (e *encoder) gateway(via, dst netip.Addr) {
	switch {
	case !via.IsValid():
	case via.Is4() == dst.Is4():
		e.addr(unix.RTA_GATEWAY, via)
	default:
		e.head(unix.RTA_VIA, 2+via.BitLen()/8) // struct rtvia
		e.b = binary.NativeEndian.AppendUint16(e.b, uint16(family(via)))
		e.rawAddr(via)
		e.pad()
	}
}

// nextHop writes one struct rtnexthop with its attributes.
func (e *encoder) nextHop(h *state.NextHop, dst netip.Addr, names Names, request bool) {
	if h.Weight > 256 {
		e.fail(fmt.Errorf("next hop %v: weight %d is more than 256", h.Via, h.Weight))
		return
	}
	index, err := indexOf(names, h.Link)
	if err != nil {
		e.fail(err)
		return
	}
	flags := h.Flags
	if request {
		flags &= state.NextHopOnLink
	}
	at := len(e.b)
	e.b = append(e.b, 0, 0, flags, uint8(max(h.Weight, 1)-1))
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	e.gateway(h.Via, dst)
	binary.NativeEndian.PutUint16(e.b[at:], uint16(len(e.b)-at))
}

// DecodeRoute reads the body of an RTM_NEWROUTE or RTM_DELROUTE message.
func DecodeRoute(data []byte, names Names) (state.Route, error) {
	head, w, err := header(data, unix.SizeofRtMsg)
	if err != nil {
		return state.Route{}, fmt.Errorf("route: %w", err)
	}
	if head[0] != unix.AF_INET && head[0] != unix.AF_INET6 {
		return state.Route{}, fmt.Errorf("route: family %d: %w", head[0], ErrFamily)
	}
	v6 := head[0] == unix.AF_INET6
	flags := binary.NativeEndian.Uint32(head[8:])
	r := state.Route{
		Table: uint32(head[4]), TOS: head[3], Protocol: head[5], Scope: head[6],
		Flags: flags &^ hopFlags,
	}
	if head[7] != unix.RTN_UNICAST {
		r.Type = routeTypes.name(uint32(head[7]))
	}
	dst, from := unspecified(v6), netip.Addr{}
	var hop state.NextHop
	var multipath []byte
	for w.next() {
		switch w.typ {
		case unix.RTA_DST:
			dst = w.familyAddr(v6)
		case unix.RTA_SRC:
			from = w.familyAddr(v6)
		case unix.RTA_TABLE:
			r.Table = w.u32()
		case unix.RTA_PRIORITY:
			r.Metric = w.u32()
		case unix.RTA_PREFSRC:
			r.Src = w.familyAddr(v6)
		case unix.RTA_METRICS:
			r.Metrics = w.metrics()
		case rtaNHID:
			r.NextHopID = w.u32()
		case unix.RTA_PREF:
			r.Pref = w.u8()
		case unix.RTA_GATEWAY:
			hop.Via = w.familyAddr(v6)
		case unix.RTA_VIA:
			hop.Via = w.via()
		case unix.RTA_OIF:
			hop.Link = nameOf(names, w.u32())
		case unix.RTA_ENCAP_TYPE:
			hop.Encap = w.u16()
		case unix.RTA_MULTIPATH:
			multipath = w.data
		}
	}
	if w.err == nil {
		r.NextHops, w.err = nextHops(multipath, v6, names)
	}
	if w.err != nil {
		return state.Route{}, fmt.Errorf("route: %w", w.err)
	}
	if r.Table == state.MainTable {
		r.Table = 0
	}
	if r.NextHops == nil && (hop.Link != "" || hop.Via.IsValid()) {
		hop.Flags = uint8(flags & hopFlags)
		r.NextHops = []state.NextHop{hop}
	}
	r.Dst = netip.PrefixFrom(dst, int(head[1]))
	if from.IsValid() || head[2] != 0 {
		r.From = netip.PrefixFrom(from, int(head[2]))
	}
	if !r.Dst.IsValid() || r.From != (netip.Prefix{}) && !r.From.IsValid() {
		return state.Route{}, fmt.Errorf("route: %w: to %v/%d from %v/%d", ErrMalformed, dst, head[1], from, head[2])
	}
	return r, nil
}

func unspecified(v6 bool) netip.Addr {
	if v6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// via reads struct rtvia.
func (w *walker) via() netip.Addr {
	if len(w.data) >= 2 {
		fam := binary.NativeEndian.Uint16(w.data)
		rest := walker{typ: w.typ, data: w.data[2:]}
		switch fam {
		case unix.AF_INET, unix.AF_INET6:
			a := rest.familyAddr(fam == unix.AF_INET6)
			w.fail(rest.err)
			return a
		}
	}
	w.fail(fmt.Errorf("%w: gateway of neither family", ErrMalformed))
	return netip.Addr{}
}

func nextHops(b []byte, v6 bool, names Names) ([]state.NextHop, error) {
	var hops []state.NextHop
	for len(b) > 0 {
		if len(b) < rtnhLen {
			return nil, fmt.Errorf("%w: next hop of %d bytes", ErrMalformed, len(b))
		}
		n := int(binary.NativeEndian.Uint16(b))
		if n < rtnhLen || n > len(b) {
			return nil, fmt.Errorf("%w: next hop says that it has %d of %d bytes", ErrMalformed, n, len(b))
		}
		h := state.NextHop{
			Link:   nameOf(names, binary.NativeEndian.Uint32(b[4:])),
			Flags:  b[2],
			Weight: uint16(b[3]) + 1,
		}
		if h.Weight == 1 {
			h.Weight = 0
		}
		w := walk(b[rtnhLen:n])
		for w.next() {
			switch w.typ {
			case unix.RTA_GATEWAY:
				h.Via = w.familyAddr(v6)
			case unix.RTA_VIA:
				h.Via = w.via()
			case unix.RTA_ENCAP_TYPE:
				h.Encap = w.u16()
			}
		}
		if w.err != nil {
			return nil, fmt.Errorf("next hop: %w", w.err)
		}
		hops = append(hops, h)
		b = b[min((n+3)&^3, len(b)):]
	}
	return hops, nil
}
