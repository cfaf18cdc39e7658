package ipam

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
)

// Hosts hands out the addresses of one prefix. The network's and the broadcast address of IPv4 (except in a /31 and /32,
// RFC 3021) and the subnet-router anycast address of IPv6 (RFC 4291) are never among them.
type Hosts struct {
	prefix netip.Prefix
	next   netip.Addr
	taken  map[netip.Addr]bool
}

// NewHosts makes the addresses of a prefix available.
func NewHosts(prefix netip.Prefix) *Hosts {
	h := &Hosts{prefix: prefix.Masked(), taken: map[netip.Addr]bool{}}
	h.next = h.prefix.Addr()
	if !h.Usable(h.next) {
		h.next = h.next.Next()
	}
	return h
}

// Usable reports whether a host may have the address in this prefix.
func (h *Hosts) Usable(a netip.Addr) bool {
	if !h.prefix.Contains(a) {
		return false
	}
	room := a.BitLen() - h.prefix.Bits()
	switch {
	case room <= 1:
		return true
	case a == h.prefix.Addr():
		return false
	default:
		return a.Is6() || a != last(h.prefix)
	}
}

// Take marks an address as taken; ok is false when it was taken already.
func (h *Hosts) Take(a netip.Addr) (ok bool) {
	if h.taken[a] {
		return false
	}
	h.taken[a] = true
	return true
}

// Taken reports whether an address is taken.
func (h *Hosts) Taken(a netip.Addr) bool { return h.taken[a] }

// Next takes the first free address.
func (h *Hosts) Next() (netip.Addr, error) {
	for h.next.IsValid() && h.prefix.Contains(h.next) {
		a := h.next
		h.next = a.Next()
		if h.Usable(a) && h.Take(a) {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no free address: %w", h.prefix, ErrFull)
}

// Bits4 is the length of the smallest IPv4 prefix, but not longer than most, that has room for n hosts.
func Bits4(n, most int) int {
	bits := most
	for bits > 1 && 1<<(32-bits)-2 < n {
		bits--
	}
	return bits
}

// ULA is a /48 of unique local addresses (RFC 4193) from a name. The same name gives the same prefix everywhere, which is
// what a lab wants; it is not random as the RFC asks of a site.
func ULA(name string) netip.Prefix {
	sum := sha256.Sum256([]byte("warren unique local prefix\x00" + name))
	var b [16]byte
	b[0] = 0xfd
	copy(b[1:6], sum[:5])
	return netip.PrefixFrom(netip.AddrFrom16(b), 48)
}
