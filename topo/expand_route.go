package topo

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"warren/state"
)

// hop is the first step of a path: out of a plug, to a neighbour.
type hop struct {
	link string
	via  netip.Addr
}

// routes gives every node its routes: what the file lists, and unless it says none, the automatic ones.
func (e *expander) routes() {
	for _, is6 := range []bool{false, true} {
		for _, r := range e.nodes {
			if r.Node.Routes.NoAuto {
				continue
			}
			if *r.Forward {
				e.routerRoutes(r, is6)
			} else {
				e.hostDefault(r, is6)
			}
		}
		e.routesOfHost(is6)
	}
	for _, r := range e.nodes {
		for i := range r.Node.Routes.List {
			e.listed(r, i)
		}
	}
}

func routeVia(dst netip.Prefix, h hop) state.Route {
	return state.Route{Dst: dst, Protocol: state.Protocol, NextHops: []state.NextHop{{Via: h.via, Link: h.link}}}
}

func defaultPrefix(is6 bool) netip.Prefix {
	if is6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
}

// prefix is the net's prefix of a family.
func (w *wire) prefix(is6 bool) netip.Prefix {
	for _, p := range w.prefixes {
		if p.Addr().Is6() == is6 {
			return p
		}
	}
	return netip.Prefix{}
}

// exit is where a net itself leads out: the host, or what the file calls its gateway.
func (w *wire) exit(is6 bool, self *room) netip.Addr {
	if w.Internal || w.Gateway.None {
		return netip.Addr{}
	}
	if w.Uplink != nil {
		for _, a := range w.hostAddr {
			if a.Is6() == is6 {
				return a
			}
		}
		return netip.Addr{}
	}
	for _, a := range w.Gateway.Addr {
		if a.Is6() == is6 && !(self != nil && slices.ContainsFunc(self.plugs, func(p *plug) bool { return p.addr(is6) == a })) {
			return a
		}
	}
	if g := w.byNode[w.Gateway.Node]; g != nil && g.room != self {
		return g.addr(is6)
	}
	return netip.Addr{}
}

// hostDefault: the default route of a host goes to the gateway or the first router of the first of its nets that has one. A
// router that masquerades towards the net hides what is behind it, so that it is no way from there unless the file calls it
// the gateway.
func (e *expander) hostDefault(r *room, is6 bool) {
	for _, p := range r.plugs {
		w := p.wire
		if w.Internal || w.Gateway.None || !w.prefix(is6).IsValid() {
			continue
		}
		via := w.exit(is6, r)
		if !via.IsValid() && w.Gateway.IsZero() && w.Uplink == nil {
			for _, q := range w.routersCached() {
				if q.room != r && !q.room.hides(w.Name) {
					via = q.addr(is6)
					break
				}
			}
		}
		if via.IsValid() {
			r.Contents.Routes = append(r.Contents.Routes, routeVia(defaultPrefix(is6), hop{p.If, via}))
			return
		}
	}
}

// routers are the members that forward, in order of mention.
func (w *wire) routers() []*plug {
	var out []*plug
	for _, p := range w.plugs {
		if *p.room.Forward {
			out = append(out, p)
		}
	}
	return out
}

// hides reports whether a router lets nothing behind it be seen from a net: it masquerades towards it.
func (r *room) hides(net string) bool {
	return slices.ContainsFunc(r.NAT, func(n NAT) bool { return n.To == net })
}

// start is a net that a path begins in, and through which interface.
type start struct {
	wire *wire
	link string
}

// paths finds the first hop of a shortest path to every net, in order of distance; among equal ones the order of mention decides.
// It goes neither out of nor into internal nets, nor through a router that masquerades towards where the path comes from.
func (e *expander) paths(self *room, from []start, is6 bool, found func(w *wire, h hop)) {
	type step struct {
		wire  *wire
		first hop // zero: the net is the start's own
		link  string
	}
	seen := make(map[*wire]bool, len(e.nets))
	passed := map[*room]bool{}
	var queue []step
	for _, s := range from {
		if s.wire.prefix(is6).IsValid() {
			seen[s.wire] = true
			queue = append(queue, step{wire: s.wire, link: s.link})
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if s.wire.Internal {
			continue
		}
		for _, q := range s.wire.routersCached() {
			x := q.room
			via := q.addr(is6)
			if x == self || passed[x] || !via.IsValid() || x.hides(s.wire.Name) {
				continue
			}
			passed[x] = true
			for _, out := range x.plugs {
				w := out.wire
				if seen[w] || w.Internal || !w.prefix(is6).IsValid() {
					continue
				}
				seen[w] = true
				next := step{wire: w, first: s.first, link: s.link}
				if !s.first.via.IsValid() {
					next.first = hop{s.link, via}
				}
				found(w, next.first)
				queue = append(queue, next)
			}
		}
	}
}

func (w *wire) routersCached() []*plug {
	if w.forward == nil {
		w.forward = w.routers()
		if w.forward == nil {
			w.forward = []*plug{}
		}
	}
	return w.forward
}

// routerRoutes: a router knows the way to every net, and to the nearest way out.
func (e *expander) routerRoutes(r *room, is6 bool) {
	var from []start
	out := hop{}
	for _, p := range r.plugs {
		from = append(from, start{p.wire, p.If})
		if a := p.wire.exit(is6, r); a.IsValid() && !out.via.IsValid() && p.addr(is6).IsValid() {
			out = hop{p.If, a}
		}
	}
	e.paths(r, from, is6, func(w *wire, h hop) {
		r.Contents.Routes = append(r.Contents.Routes, routeVia(w.prefix(is6), h))
		if !out.via.IsValid() && w.exit(is6, r).IsValid() {
			out = h
		}
	})
	if out.via.IsValid() {
		r.Contents.Routes = append(r.Contents.Routes, routeVia(defaultPrefix(is6), out))
	}
}

// routesOfHost: the host knows the way to nets behind the routers of its uplinks, for answers have to find back. What
// others have there is not touched: an overlap with a route of the host is an error.
func (e *expander) routesOfHost(is6 bool) {
	var from []start
	for _, w := range e.nets {
		if w.Uplink != nil && !w.Internal {
			from = append(from, start{w, w.bridge})
		}
	}
	e.paths(nil, from, is6, func(w *wire, h hop) {
		if w.Uplink != nil {
			return
		}
		dst := w.prefix(is6)
		for _, u := range e.in.Used {
			if u.Prefix.Bits() > 0 && u.Prefix.Overlaps(dst) && !strings.HasPrefix(u.Owner, "lab ") {
				owner := u.Owner
				if owner == "" {
					owner = "the host"
				}
				e.add(e.lab.at("/nets/"+w.Name+"/cidr"), "nat towards the uplink at its router hides the net", "net %s: the host needs a route to %s, which overlaps %s of %s", w.Name, dst, u.Prefix, owner)
				return
			}
		}
		r := routeVia(dst, h)
		r.Metric = e.hostMetric()
		e.hostRoutes = append(e.hostRoutes, r)
	})
}

// hostMetric keeps the host's routes into labs apart: labs may use the same prefixes inside, and then the way back from the
// host leads into one of them. Any metric is above that of a route of the host's own.
func (e *expander) hostMetric() uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.lab.Name))
	return 10_000 + h.Sum32()%1_000_000
}

// listed resolves one route of the file.
func (e *expander) listed(r *room, i int) {
	rt := r.Node.Routes.List[i]
	at := e.lab.at(itemPath("/nodes/"+r.Name+"/routes", i))
	var dsts []netip.Prefix
	switch {
	case rt.Default:
		dsts = []netip.Prefix{defaultPrefix(false), defaultPrefix(true)}
	case rt.To != "":
		dsts = e.prefixesOf(rt.To)
	default:
		dsts = []netip.Prefix{rt.Dst}
	}
	made := 0
	for _, dst := range dsts {
		one, ok := e.resolve(r, rt, dst)
		if !ok {
			continue
		}
		made++
		// What the file lists takes the place of what would be found automatically.
		r.Contents.Routes = slices.DeleteFunc(r.Contents.Routes, func(o state.Route) bool {
			return o.Dst == one.Dst && o.Metric == one.Metric && o.TableID() == one.TableID()
		})
		r.Contents.Routes = append(r.Contents.Routes, one)
	}
	if made == 0 {
		e.add(at, "a gateway is on a net of the node and of the destination's family", "route of %s: %q: its gateway cannot be reached", r.Name, rt)
	}
}

// prefixesOf are the prefixes of a net or the addresses of a node.
func (e *expander) prefixesOf(name string) []netip.Prefix {
	if w := e.byNet[name]; w != nil {
		return w.prefixes
	}
	var out []netip.Prefix
	if r := e.byOwn[name]; r != nil {
		for _, p := range r.plugs {
			for _, a := range p.addrs {
				out = append(out, prefixOf(a.Addr()))
			}
		}
	}
	return out
}

func (e *expander) resolve(r *room, rt Route, dst netip.Prefix) (state.Route, bool) {
	is6 := dst.Addr().Is6()
	out := state.Route{Dst: dst, Protocol: state.Protocol, Type: rt.Type, Metric: rt.Metric, Table: rt.Table}
	if rt.Type != "" {
		return out, !rt.Default || !is6 || r.has6
	}
	if rt.Src.IsValid() {
		if rt.Src.Is6() != is6 {
			return out, false
		}
		out.Src = rt.Src
	}
	out.Metrics.MTU = rt.MTU
	h, ok := e.firstHop(r, rt, is6)
	if !ok {
		return out, false
	}
	next := state.NextHop{Via: h.via, Link: h.link}
	if rt.OnLink {
		next.Flags = state.NextHopOnLink
	}
	if !h.via.IsValid() && !is6 {
		out.Scope = 253 // RT_SCOPE_LINK, as ip-route(8) sets it
	}
	out.NextHops = []state.NextHop{next}
	return out, true
}

func (e *expander) firstHop(r *room, rt Route, is6 bool) (hop, bool) {
	for _, p := range r.plugs {
		if rt.Dev != "" && rt.Dev != p.wire.Name {
			continue
		}
		switch {
		case rt.ViaNode == "host":
			if p.wire.Uplink == nil {
				continue
			}
			for _, a := range p.wire.hostAddr {
				if a.Is6() == is6 {
					return hop{p.If, a}, true
				}
			}
		case rt.ViaNode != "":
			if q := p.wire.byNode[rt.ViaNode]; q != nil && q.addr(is6).IsValid() && p.addr(is6).IsValid() {
				return hop{p.If, q.addr(is6)}, true
			}
		case rt.Via.IsValid():
			if rt.Via.Is6() != is6 {
				return hop{}, false
			}
			if c := p.wire.prefix(is6); rt.OnLink || c.IsValid() && c.Contains(rt.Via) {
				return hop{p.If, rt.Via}, true
			}
			if is6 && rt.Via.IsLinkLocalUnicast() && rt.Dev != "" {
				return hop{p.If, rt.Via}, true
			}
		default:
			return hop{link: p.If}, p.addr(is6).IsValid() || !is6
		}
	}
	return hop{}, false
}
