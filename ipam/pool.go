package ipam

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// ErrFull is returned when a pool or a prefix has nothing left.
var ErrFull = errors.New("nothing is left")

// A Pool hands out prefixes that do not overlap each other nor what was taken before. The zero Pool is empty.
type Pool struct {
	prefix netip.Prefix
	taken  []netip.Prefix // sorted by address, none inside of another
	from   map[int]netip.Addr
}

// NewPool makes a pool of a prefix. Prefixes of the other family among used, and default routes, do not matter.
func NewPool(prefix netip.Prefix, used ...netip.Prefix) *Pool {
	p := &Pool{prefix: prefix.Masked(), from: map[int]netip.Addr{}}
	for _, u := range used {
		if u.Bits() > 0 {
			p.insert(u.Masked())
		}
	}
	return p
}

// Prefix is what the pool was made of.
func (p *Pool) Prefix() netip.Prefix { return p.prefix }

// Overlapping returns a taken prefix that overlaps q.
func (p *Pool) Overlapping(q netip.Prefix) (netip.Prefix, bool) {
	i := p.after(q.Addr())
	for j := max(i-1, 0); j < len(p.taken) && j <= i; j++ {
		if p.taken[j].Overlaps(q) {
			return p.taken[j], true
		}
	}
	return netip.Prefix{}, false
}

// after is the index of the first taken prefix that begins behind a.
func (p *Pool) after(a netip.Addr) int {
	i, _ := slices.BinarySearchFunc(p.taken, a, func(t netip.Prefix, a netip.Addr) int {
		if t.Addr().Compare(a) <= 0 {
			return -1
		}
		return 1
	})
	return i
}

// Take marks a prefix as taken. It may lie outside of the pool and overlap what is taken already.
func (p *Pool) Take(q netip.Prefix) { p.insert(q.Masked()) }

func (p *Pool) insert(q netip.Prefix) {
	if q.Addr().Is4() != p.prefix.Addr().Is4() {
		return
	}
	i := p.after(q.Addr())
	if i > 0 && p.taken[i-1].Contains(q.Addr()) && p.taken[i-1].Bits() <= q.Bits() {
		return
	}
	begin := i
	if i > 0 && q.Contains(p.taken[i-1].Addr()) {
		begin--
	}
	end := i
	for end < len(p.taken) && q.Contains(p.taken[end].Addr()) {
		end++
	}
	p.taken = slices.Replace(p.taken, begin, end, q)
}

// Next takes the first free prefix of that length.
func (p *Pool) Next(bits int) (netip.Prefix, error) {
	if bits < p.prefix.Bits() || bits > p.prefix.Addr().BitLen() {
		return netip.Prefix{}, fmt.Errorf("no /%d fits into %s: %w", bits, p.prefix, ErrFull)
	}
	// Nothing is ever given back, so that what was passed over for a length once is never free again.
	a, ok := p.from[bits]
	if !ok {
		a = p.prefix.Addr()
	}
	for a.IsValid() && p.prefix.Contains(a) {
		q := netip.PrefixFrom(a, bits)
		t, overlaps := p.Overlapping(q)
		if !overlaps {
			p.from[bits] = last(q).Next()
			p.insert(q)
			return q, nil
		}
		if t.Bits() < bits {
			a = last(t).Next()
		} else {
			a = last(q).Next()
		}
	}
	p.from[bits] = netip.Addr{}
	return netip.Prefix{}, fmt.Errorf("%s has no free /%d: %w", p.prefix, bits, ErrFull)
}

// last is the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
