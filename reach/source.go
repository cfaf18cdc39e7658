package reach

import (
	"math/bits"
	"net/netip"

	"warren/state"
)

// Scopes of routes and addresses (linux/rtnetlink.h).
const (
	scopeUniverse = 0
	scopeLink     = 253
	scopeHost     = 254
)

// ifaSecondary is IFA_F_SECONDARY.
const ifaSecondary = 1

// source4 chooses the address to send from (inet_select_addr): the first primary one of the device whose subnet holds dst,
// else its first, else the first of another device.
func (r *room) source4(dev *state.Link, dst netip.Addr, scope uint8) netip.Addr {
	var first netip.Addr
	if dev != nil {
		for _, a := range r.addrsOn(dev.Name, false) {
			if a.Flags&ifaSecondary != 0 || a.Scope > scope && scope != scopeHost {
				continue
			}
			if !dst.IsValid() || a.Prefix.Contains(dst) {
				return a.Prefix.Addr()
			}
			if !first.IsValid() {
				first = a.Prefix.Addr()
			}
		}
	}
	if first.IsValid() {
		return first
	}
	for i := range r.Links {
		for _, a := range r.addrsOn(r.Links[i].Name, false) {
			if a.Scope != scopeLink && a.Scope <= scope && a.Flags&ifaSecondary == 0 {
				return a.Prefix.Addr()
			}
		}
	}
	return netip.Addr{}
}

// sourceOf is the address that the kernel puts into a packet that goes by this route: its preferred source, or one of the
// device that suits the gateway (fib_info_update_nhc_saddr).
func (r *room) sourceOf(a *routed, h hop, dst netip.Addr) netip.Addr {
	if a.route != nil && a.route.Src.IsValid() {
		return a.route.Src
	}
	if a.typ == "local" && !dst.Is6() {
		return dst
	}
	if dst.Is6() {
		return r.source6(dst, h.link)
	}
	scope := uint8(scopeUniverse)
	if a.route != nil {
		scope = a.route.Scope
	}
	via := h.nh.Via
	if via.Is6() {
		via = netip.Addr{}
	}
	return r.source4(h.link, via, scope)
}

// source6 chooses by RFC 6724, section 5, among the usable addresses of the namespace.
func (r *room) source6(dst netip.Addr, dev *state.Link) netip.Addr {
	r.need6(true)
	var best *state.Addr
	for i := range r.Addrs {
		a := &r.Addrs[i]
		ip := a.Prefix.Addr()
		if !ip.Is6() || ip.IsMulticast() || a.Flags&(state.AddrTentative|state.AddrDADFailed) != 0 {
			continue
		}
		l := r.byName[a.Link]
		if l == nil || !l.Up {
			continue
		}
		// Link-local destinations allow only addresses of their link (ipv6_dev_get_saddr).
		if (dst.IsLinkLocalUnicast() || dst.IsMulticast()) && dev != nil && l != dev {
			continue
		}
		if ip.IsLoopback() && !dst.IsLoopback() {
			continue
		}
		if best == nil || better6(a, best, dst, dev) {
			best = a
		}
	}
	if best == nil {
		return netip.Addr{}
	}
	return best.Prefix.Addr()
}

// better6 reports whether a is a better source than b.
func better6(a, b *state.Addr, dst netip.Addr, dev *state.Link) bool {
	x, y := a.Prefix.Addr(), b.Prefix.Addr()
	if x == dst || y == dst { // rule 1
		return x == dst && y != dst
	}
	if sx, sy, sd := scope6(x), scope6(y), scope6(dst); sx != sy { // rule 2
		if sx < sy {
			return sx >= sd
		}
		return sy < sd
	}
	if dx, dy := a.Flags&state.AddrDeprecated != 0, b.Flags&state.AddrDeprecated != 0; dx != dy { // rule 3
		return dy
	}
	if dev != nil && (a.Link == dev.Name) != (b.Link == dev.Name) { // rule 5
		return a.Link == dev.Name
	}
	if lx, ly, ld := label6(x), label6(y), label6(dst); (lx == ld) != (ly == ld) { // rule 6
		return lx == ld
	}
	return min(commonBits(x, dst), a.Prefix.Bits()) > min(commonBits(y, dst), b.Prefix.Bits()) // rule 8
}

func scope6(a netip.Addr) int {
	switch {
	case a.IsLoopback():
		return 1
	case a.IsLinkLocalUnicast():
		return 2
	case a.IsMulticast():
		return int(a.As16()[1] & 15)
	}
	return 14
}

// label6 is the policy table of RFC 6724, section 2.1, as the kernel has it.
func label6(a netip.Addr) int {
	b := a.As16()
	switch {
	case a.IsLoopback():
		return 0
	case a.Is4In6():
		return 4
	case b[0]&0xfe == 0xfc:
		return 5
	case b[0] == 0x20 && b[1] == 0x02:
		return 2
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0:
		return 6
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3]&0xf0 == 0x10:
		return 7
	}
	return 1
}

func commonBits(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return i*8 + bits.LeadingZeros8(d)
		}
	}
	return 128
}
