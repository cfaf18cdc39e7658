package topo

import (
	"slices"
	"strconv"

	"warren/state"
)

// A bridge has at most 1,023 ports (BR_MAX_PORTS, net/bridge/br_private.h). Nets with more members get further bridges, each
// with a cable to the first one.
const (
	portsPerBridge = 1000
	maxBridges     = 21 // the first one has room for 23 cables more
)

// links makes the cables and switches.
func (e *expander) links() {
	for _, r := range e.nodes {
		if r.owned {
			r.Links = append(r.Links, state.Link{Name: "lo", Up: true})
		}
	}
	for _, w := range e.nets {
		if w.Kind == KindPair {
			e.pair(w)
			continue
		}
		e.bridge(w)
	}
}

// nodeEnd is a member's interface in its node.
func (e *expander) nodeEnd(p *plug) state.Link {
	l := state.Link{Name: p.If, Kind: "veth", Up: true, MTU: p.MTU, MAC: p.mac}
	if p.If != p.wire.Name && state.CheckLinkName(p.wire.Name) != nil {
		l.AltNames = append(l.AltNames, p.wire.Name)
	}
	if !p.room.owned {
		l.Group = state.LinkGroup
		l.AltNames = append(l.AltNames, altName(e.lab.Name, p.wire.Name, p.Node))
	}
	slices.Sort(l.AltNames)
	return l
}

// altName is the readable name of what has a generated one. Three names of 63 bytes do not fit into its 127: then a hash stands
// for the node.
func altName(lab, net, node string) string {
	s := "warren." + lab + "." + net
	if node != "" {
		s += "." + node
	}
	if len(s) > state.MaxAltName {
		s = "warren." + lab + "." + hashName('a', net, node)
	}
	return s
}

func (e *expander) pair(w *wire) {
	a, b := w.plugs[0], w.plugs[1]
	la, lb := e.nodeEnd(a), e.nodeEnd(b)
	la.Peer = &state.Peer{NS: b.room.ns, Name: lb.Name}
	lb.Peer = &state.Peer{NS: a.room.ns, Name: la.Name}
	a.room.Links = append(a.room.Links, la)
	b.room.Links = append(b.room.Links, lb)
}

func (e *expander) bridge(w *wire) {
	space, group := e.switchSpace, uint32(0)
	if w.Uplink != nil {
		space, group = e.hostSpace, state.LinkGroup
	}
	s := space()
	w.ns = s.Name
	count := max(1, (len(w.plugs)+portsPerBridge-1)/portsPerBridge)
	if count > maxBridges {
		e.add(e.lab.at("/nets/"+w.Name), "several nets and a router", "net %s: %d members are more than the %d that one net can have", w.Name, len(w.plugs), maxBridges*portsPerBridge)
		return
	}
	names := make([]string, count)
	for i := range names {
		names[i] = e.bridgeName(w, i)
		alt := altName(e.lab.Name, w.Name, "")
		if i > 0 {
			alt = altName(e.lab.Name, w.Name, "@"+strconv.Itoa(i))
		}
		s.Links = append(s.Links, state.Link{
			Name: names[i], Kind: "bridge", Up: true, MTU: w.widest(), MAC: macOf(e.lab.Name, "@"+strconv.Itoa(i), w.Name), Group: group,
			AltNames: []string{alt}, Bridge: &state.Bridge{STP: new(w.STP)},
		})
		if i > 0 {
			e.trunk(w, s, names[0], names[i], i, group)
		}
	}
	w.bridge = names[0]
	// Routers and gateways stand at the first bridge: only there can an isolated member of another bridge reach them.
	order := w.plugs
	if count > 1 {
		order = slices.Clone(order)
		slices.SortStableFunc(order, func(a, b *plug) int { return rank(a) - rank(b) })
	}
	for i, p := range order {
		port := state.Link{
			Name: hashName('v', e.lab.Name, w.Name, p.Node), Kind: "veth", Up: true, MTU: p.MTU, Group: group, Master: names[i/portsPerBridge],
			MAC: macOf(e.lab.Name, "@port."+p.Node, w.Name), AltNames: []string{altName(e.lab.Name, w.Name, p.Node)},
		}
		port.Port = e.port(w, p)
		end := e.nodeEnd(p)
		port.Peer = &state.Peer{NS: p.room.ns, Name: end.Name}
		end.Peer = &state.Peer{NS: s.Name, Name: port.Name}
		s.Links = append(s.Links, port)
		p.room.Links = append(p.room.Links, end)
	}
}

func (e *expander) bridgeName(w *wire, i int) string {
	if i == 0 {
		return hashName('b', e.lab.Name, w.Name)
	}
	return hashName('b', e.lab.Name, w.Name, strconv.Itoa(i))
}

// widest is the MTU of the bridge: the largest of its members, so that none is cut short.
func (w *wire) widest() uint32 {
	mtu := w.MTU
	for _, p := range w.plugs {
		mtu = max(mtu, p.MTU)
	}
	return mtu
}

func rank(p *plug) int {
	if opening(p) {
		return 0
	}
	return 1
}

// opening reports whether a member of an isolated net is one that the others may reach: its gateway, or a router.
func opening(p *plug) bool {
	if p.wire.Uplink != nil {
		return false
	}
	if p.wire.Gateway.Node != "" {
		return p.Node == p.wire.Gateway.Node
	}
	return *p.room.Forward
}

// port is what is declared of a bridge's port.
func (e *expander) port(w *wire, p *plug) *state.BridgePort {
	b := state.BridgePort{}
	if w.Isolated {
		b.Isolated = new(!opening(p))
	}
	// With bridge-nf-call-iptables a packet that a node sends to its own published port comes back through the port on
	// which it came in.
	if w.Uplink != nil && e.in.BridgeNF && len(p.room.Publish) > 0 {
		b.Hairpin = new(true)
	}
	if b == (state.BridgePort{}) {
		return nil
	}
	return &b
}

// trunk cables a further bridge to the first one. In an isolated net the first bridge's ends are isolated as well: what comes
// from one bridge must not reach members of another.
func (e *expander) trunk(w *wire, s *state.DesiredNamespace, root, leaf string, i int, group uint32) {
	n := strconv.Itoa(i)
	up, down := hashName('c', e.lab.Name, w.Name, n, "root"), hashName('c', e.lab.Name, w.Name, n, "leaf")
	a := state.Link{
		Name: up, Kind: "veth", Up: true, MTU: w.widest(), MAC: macOf(e.lab.Name, "@root"+n, w.Name), Group: group, Master: root,
		AltNames: []string{altName(e.lab.Name, w.Name, "@root"+n)}, Peer: &state.Peer{NS: s.Name, Name: down},
	}
	b := state.Link{
		Name: down, Kind: "veth", Up: true, MTU: w.widest(), MAC: macOf(e.lab.Name, "@leaf"+n, w.Name), Group: group, Master: leaf,
		AltNames: []string{altName(e.lab.Name, w.Name, "@leaf"+n)}, Peer: &state.Peer{NS: s.Name, Name: up},
	}
	if w.Isolated {
		a.Port = &state.BridgePort{Isolated: new(true)}
	}
	s.Links = append(s.Links, a, b)
}
