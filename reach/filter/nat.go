package filter

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"warren/state"
)

// A change is what a NAT rule asks for: zero fields are kept. Of sources the ports port to last may be taken. Of several addresses,
// from addr to addrLast, and of several ports of destinations the kernel chooses one.
type change struct {
	source         bool
	addr, addrLast netip.Addr
	port, last     uint16
	// netmap: the addresses are a network, and the old address says which of them it is (NF_NAT_RANGE_NETMAP).
	netmap bool
}

// rewrite gives the connection its NAT: the answer is expected from (destination) or at (source) the new address
// (nf_nat_setup_info). A second rule for the same end changes nothing.
func (e *eval) rewrite(c change) verdict {
	conn := e.p.Conn
	end := 1
	if c.source {
		end = 0
	}
	if conn == nil || conn.NATDone[end] {
		return verdict{kind: "accept"}
	}
	conn.NATDone[end] = true
	now, _ := inverse(conn.Reply, conn.Proto)
	then := now
	ports := hasPorts(conn.Proto)
	oldAddr, oldPort := addrOf(now, c.source)
	switch {
	case c.source:
		if c.addr.IsValid() {
			then.Src = c.addr
		}
		if c.port != 0 && ports && (now.SPort < c.port || now.SPort > c.last) {
			then.SPort = c.port
		}
		then = e.ns.unique(conn, then, c)
	default:
		if c.addr.IsValid() {
			then.Dst = c.addr
		}
		if c.port != 0 && ports {
			then.DPort = c.port
		}
	}
	if then == now {
		return verdict{kind: "accept"}
	}
	conn.Reply, _ = inverse(then, conn.Proto)
	newAddr, newPort := addrOf(then, c.source)
	word, bit := "dnat", uint32(statusDstNAT)
	if c.source {
		word, bit = "snat", statusSrcNAT
	}
	conn.Status |= bit
	e.res.NAT = fmt.Sprintf("%s %s -> %s", word, endpoint(oldAddr, oldPort), endpoint(newAddr, newPort))
	return verdict{kind: "accept"}
}

func endpoint(a netip.Addr, port uint16) string {
	if port == 0 {
		return a.String()
	}
	return netip.AddrPortFrom(a, port).String()
}

// nftNAT carries out dnat, snat, masquerade and redirect.
func (e *eval) nftNAT(n *state.NAT) (verdict, outcome, string) {
	is6 := e.p.Is6()
	if n.Family == "ip" && is6 || n.Family == "ip6" && !is6 {
		return verdict{}, no, ""
	}
	c := change{source: n.Kind == "snat" || n.Kind == "masquerade"}
	if n.Map != nil {
		el, out, why := e.lookup(n.Map.Keys, n.Map.SetName, n.Map.Set)
		if out != yes {
			return verdict{}, out, why
		}
		for _, v := range el.Data {
			if a, ok := netip.AddrFromSlice([]byte(v.Data)); ok && c.addr.IsValid() {
				c.addrLast = a
			} else if ok {
				c.addr = a
			} else if len(v.Data) == 2 {
				c.port = binary.BigEndian.Uint16([]byte(v.Data))
			}
		}
	}
	if n.Addr != nil {
		a, ok := netip.AddrFromSlice([]byte(n.Addr.Data))
		if !ok {
			return verdict{}, maybe, "an address of NAT is not understood"
		}
		c.addr = a
	}
	if n.Port != nil && len(n.Port.Data) == 2 {
		c.port = binary.BigEndian.Uint16([]byte(n.Port.Data))
	}
	c.last = c.port
	if n.PortMax != nil && len(n.PortMax.Data) == 2 {
		c.last = binary.BigEndian.Uint16([]byte(n.PortMax.Data))
	}
	if n.AddrMax != nil {
		a, ok := netip.AddrFromSlice([]byte(n.AddrMax.Data))
		if !ok {
			return verdict{}, maybe, "an address of NAT is not understood"
		}
		c.addrLast = a
	}
	c.netmap = n.Netmap
	return e.translate(n.Kind, c)
}

// translate fills in the address that masquerade and redirect choose.
func (e *eval) translate(kind string, c change) (verdict, outcome, string) {
	if e.p.Conn == nil {
		return verdict{}, yes, ""
	}
	c, ok := e.settleOn(c)
	if !ok {
		return verdict{}, maybe, "NAT chooses one of several addresses or ports"
	}
	switch kind {
	case "masquerade":
		a, ok := netip.Addr{}, false
		if e.ns.fib != nil && e.hook.Out != nil {
			a, ok = e.ns.fib.SourceFor(e.hook.Out, e.p.Dst)
		}
		if !ok {
			return verdict{kind: "drop"}, yes, "" // nf_nat_masquerade_ipv4: the device has no address
		}
		c.addr = a
	case "redirect":
		if e.hook.Name == "output" {
			c.addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
			if e.p.Is6() {
				c.addr = netip.IPv6Loopback()
			}
			break
		}
		a, ok := netip.Addr{}, false
		if e.ns.fib != nil && e.hook.In != nil {
			a, ok = e.ns.fib.SourceFor(e.hook.In, e.p.Src)
		}
		if !ok {
			return verdict{kind: "drop"}, yes, ""
		}
		c.addr = a
	}
	return e.rewrite(c), yes, ""
}

// manipulate rewrites the packet as its connection says, at a hook for sources or destinations (nf_nat_packet).
func (p *Packet) manipulate(source bool) {
	c := p.Conn
	if c == nil || p.Untracked {
		return
	}
	bit := uint32(statusDstNAT)
	if source != p.Reply { // in the reply direction the ends change places
		bit = statusSrcNAT
	}
	if c.Status&bit == 0 {
		return
	}
	other := c.Reply
	if p.Reply {
		other = c.Original
	}
	target, _ := inverse(other, c.Proto)
	if p.Related {
		target = state.ConnTuple{Src: other.Dst, Dst: other.Src}
		if p.Inner != nil {
			p.Inner.setEnd(!source, other)
		}
	}
	a, port := addrOf(target, source)
	if source {
		p.Src = a
		if !p.Related {
			p.SPort = port
		}
		return
	}
	p.Dst = a
	if !p.Related {
		p.DPort = port
	}
}

// setEnd writes one end of a tuple into a packet.
func (p *Packet) setEnd(source bool, t state.ConnTuple) {
	if source {
		p.Src, p.SPort = t.Src, t.SPort
		return
	}
	p.Dst, p.DPort = t.Dst, t.DPort
}
