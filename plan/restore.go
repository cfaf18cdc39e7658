package plan

import (
	"slices"

	"warren/state"
)

// Origins of addresses and routes that the kernel makes by itself (linux/if_addr.h IFAPROT_*, linux/rtnetlink.h RTPROT_*).
const (
	addrKernelLo = 1
	addrKernelRA = 2
	addrKernelLL = 3

	routeRedirect = 1
	routeKernel   = 2
	routeRA       = 9
)

// restorable is what of a namespace can be made again: all but what the kernel makes by itself.
func restorable(n *state.Namespace, fresh []state.Sysctl) state.Contents {
	var c state.Contents
	c.Links = make([]state.Link, 0, len(n.Links))
	for i := range n.Links {
		l := &n.Links[i]
		switch {
		case l.Name == "lo":
			if l.Up {
				c.Links = append(c.Links, state.Link{Name: "lo", Up: true})
			}
		case l.Kind != "":
			r := restorableLink(l)
			if l.Peer != nil {
				r.Peer = &state.Peer{NS: l.Peer.NS, Name: l.Peer.Name}
			}
			c.Links = append(c.Links, r)
		}
	}
	for _, a := range n.Addrs {
		if !kernelAddr(a) {
			c.Addrs = append(c.Addrs, restorableAddr(a))
		}
	}
	for _, r := range n.Routes {
		if !kernelRoute(r) {
			c.Routes = append(c.Routes, restorableRoute(r))
		}
	}
	for _, r := range n.Rules {
		if !kernelRule(r) {
			c.Rules = append(c.Rules, r)
		}
	}
	for _, e := range n.Neighbors {
		if staticNeighbor(e) {
			c.Neighbors = append(c.Neighbors, e)
		}
	}
	own := linkAddresses(n.Links)
	for _, e := range n.FDB {
		if staticFDB(own, e) {
			c.FDB = append(c.FDB, e)
		}
	}
	for _, t := range n.Tables {
		c.Tables = append(c.Tables, t.Canonical())
	}
	for _, s := range n.Sysctls {
		if v, ok := findSysctl(fresh, s.Key); !ok || !sameSysctl(v, s.Value) {
			c.Sysctls = append(c.Sysctls, s)
		}
	}
	return c
}

// restorableLink is the link without what only the kernel can say of it.
func restorableLink(l *state.Link) state.Link {
	r := *l
	r.Index, r.Flags, r.OperState, r.IPv4, r.IPv6, r.Stats, r.Peer = 0, 0, "", nil, nil, nil, nil
	if l.Lower != nil {
		r.Lower = &state.Peer{NS: l.Lower.NS, Name: l.Lower.Name}
	}
	if r.Port != nil {
		p := *r.Port
		p.State = nil // follows from the link's own state
		r.Port = &p
	}
	return r
}

func kernelAddr(a state.Addr) bool {
	switch a.Protocol {
	case addrKernelLo, addrKernelRA, addrKernelLL:
		return true
	}
	return a.Link == "lo" && a.Prefix.Addr().IsLoopback() && a.Protocol != state.Protocol
}

func restorableAddr(a state.Addr) state.Addr {
	a.Flags &^= state.AddrPermanent | state.AddrTentative | state.AddrDADFailed | state.AddrDeprecated
	return a
}

func kernelRoute(r state.Route) bool {
	switch r.Protocol {
	case routeRedirect, routeKernel, routeRA:
		return true
	}
	const cloned = 0x200 // RTM_F_CLONED
	return r.Flags&cloned != 0 || r.TableID() == state.LocalTable && r.Protocol != state.Protocol
}

func restorableRoute(r state.Route) state.Route {
	r.Flags = 0
	r.NextHops = slices.Clone(r.NextHops)
	for i := range r.NextHops {
		r.NextHops[i].Flags &= state.NextHopOnLink
	}
	return r
}

// kernelRule reports whether the rule is one of those that every namespace is born with.
func kernelRule(r state.Rule) bool {
	return r.Protocol == routeKernel && (r.Priority == 0 || r.Priority == 32766 || r.Priority == 32767 || r.L3MDev)
}

func staticNeighbor(n state.Neighbor) bool {
	return n.Proxy || n.State == "permanent" && !n.IP.IsMulticast()
}

// staticFDB reports whether somebody has made the entry: a link's own address is in the table by itself.
func staticFDB(own map[state.MAC]bool, e state.FDBEntry) bool {
	if e.State != "permanent" && e.State != "static" || e.MAC.IsMulticast() {
		return false
	}
	return !own[e.MAC]
}

func linkAddresses(links []state.Link) map[state.MAC]bool {
	own := make(map[state.MAC]bool, len(links))
	for i := range links {
		own[links[i].MAC] = true
	}
	return own
}
