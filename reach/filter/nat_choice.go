package filter

import "net/netip"

// manyChoices is how many addresses or ports are tried, one by one.
const manyChoices = 8

// settleOn chooses one address and one port where there are several.
func (e *eval) settleOn(c change) (change, bool) {
	now, _ := inverse(e.p.Conn.Reply, e.p.Conn.Proto)
	old, port := addrOf(now, c.source)
	fits := func() bool { return c.port == 0 || within16(port, [2]uint16{c.port, c.last}) }
	switch {
	case c.netmap:
		c.addr = mapped(old, c.addr, c.addrLast)
		return c, c.addr.IsValid()
	case !c.addrLast.IsValid() || c.addrLast == c.addr:
	case c.source && old.Compare(c.addr) >= 0 && old.Compare(c.addrLast) <= 0 && fits():
		c.addr = old // it is one of them already (get_unique_tuple)
	default:
		i, ok := e.choose(distance(c.addr, c.addrLast), "one of several addresses")
		if !ok {
			return c, false
		}
		for range i {
			c.addr = c.addr.Next()
		}
	}
	if c.source || !hasPorts(e.p.Conn.Proto) || c.last <= c.port {
		return c, true // of sources any free port does
	}
	if fits() {
		c.port = port
		return c, true
	}
	i, ok := e.choose(int(c.last-c.port)+1, "one of several ports")
	c.port += uint16(i)
	return c, ok
}

// choose takes one of n ways; false when there are too many, or none can be taken here.
func (e *eval) choose(n int, what string) (int, bool) {
	if e.ns.Choose == nil || e.aside || n > manyChoices {
		return 0, false
	}
	return e.ns.Choose(n, e.at, "NAT chooses "+what), true
}

// distance counts the addresses from a to b, as far as manyChoices needs it.
func distance(a, b netip.Addr) int {
	n := 1
	for ; a != b && n <= manyChoices; n++ {
		a = a.Next()
	}
	return n
}

// mapped is an address in the network from first to last, with the host's part of old.
func mapped(old, first, last netip.Addr) netip.Addr {
	b, lo, hi := old.AsSlice(), first.AsSlice(), last.AsSlice()
	if len(b) != len(lo) || len(lo) != len(hi) {
		return netip.Addr{}
	}
	for i := range b {
		host := lo[i] ^ hi[i]
		b[i] = b[i]&host | lo[i]&^host
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

func hasPorts(proto uint8) bool {
	return proto == TCP || proto == UDP || proto == 132 || proto == 33 || proto == 136 // SCTP, DCCP, UDP-Lite
}
