package plan

import (
	"fmt"
	"slices"

	"warren/state"
)

const addrSecondary uint32 = 0x01 // IFA_F_SECONDARY of IPv4 (IFA_F_TEMPORARY of IPv6)

func findAddr(sorted []state.Addr, a *state.Addr) *state.Addr {
	i, ok := slices.BinarySearchFunc(sorted, *a, state.Addr.Compare)
	if !ok {
		return nil
	}
	return &sorted[i]
}

// addrDiffers says why the address that is there is not what is declared.
func addrDiffers(w, h *state.Addr) string {
	const volatile = state.AddrPermanent | state.AddrTentative | state.AddrDADFailed | state.AddrDeprecated | addrSecondary
	switch {
	case w.Broadcast.IsValid() && w.Broadcast != h.Broadcast:
		return fmt.Sprintf("broadcast is %v, want %v", h.Broadcast, w.Broadcast)
	case w.Scope != 0 && w.Scope != h.Scope:
		return fmt.Sprintf("scope is %d, want %d", h.Scope, w.Scope)
	case w.Label != "" && w.Label != h.Label:
		return fmt.Sprintf("label is %q, want %q", h.Label, w.Label)
	case w.Metric != 0 && w.Metric != h.Metric:
		return fmt.Sprintf("metric is %d, want %d", h.Metric, w.Metric)
	case w.Flags&^volatile&^h.Flags != 0:
		return fmt.Sprintf("flags are %#x, want %#x", h.Flags, w.Flags)
	case w.Flags&state.AddrNoDAD != 0 && h.Flags&(state.AddrDADFailed|state.AddrTentative) != 0:
		return "duplicate address detection has not accepted it"
	case w.Valid != 0 && h.Valid == 0 || w.Preferred != 0 && h.Preferred == 0:
		return "it has no lifetime"
	}
	return ""
}

// loseAddrs finds the addresses that will not be there any more when things are made.
func (d *differ) loseAddrs(p *place) {
	for i := range p.have.Addrs {
		h := &p.have.Addrs[i]
		if d.dead(p.name, h.Link) || d.whyAddr(p, h) != "" {
			p.lostAddrs = mark(p.lostAddrs, i)
		}
	}
	if p.lostAddrs == nil {
		return
	}
	// With the first IPv4 address of a subnet the others of it go, unless promote_secondaries is set.
	for i := range p.have.Addrs {
		h := &p.have.Addrs[i]
		if !p.lostAddrs[i] || !h.Prefix.Addr().Is4() || h.Flags&addrSecondary != 0 {
			continue
		}
		for j := range p.have.Addrs {
			s := &p.have.Addrs[j]
			if s.Link == h.Link && s.Flags&addrSecondary != 0 && s.Prefix.Masked() == h.Prefix.Masked() {
				p.lostAddrs[j] = true
			}
		}
	}
}

// whyAddr says why an address that is there goes on its own account; "" when it stays.
func (d *differ) whyAddr(p *place, h *state.Addr) string {
	if w := findAddr(p.want.Addrs, h); w != nil {
		return addrDiffers(w, h)
	}
	if h.Protocol == state.Protocol && d.ourLink(p, h.Link) {
		return "no longer declared"
	}
	return ""
}

// clearAddrs writes the addresses that go, secondary ones first.
func (d *differ) clearAddrs(p *place) {
	for _, secondary := range []uint32{addrSecondary, 0} {
		for i := range p.have.Addrs {
			h := &p.have.Addrs[i]
			if kernelAddr(*h) {
				continue
			}
			if !p.lostAddrs[i] {
				if secondary == 0 && p.owned && h.Protocol != state.Protocol && findAddr(p.want.Addrs, h) == nil {
					d.other = append(d.other, Other{p.name, Object{Addr: h}})
				}
				continue
			}
			if h.Flags&addrSecondary != secondary {
				continue
			}
			why := "goes with its link"
			if !d.dead(p.name, h.Link) {
				why = orWord(d.whyAddr(p, h), "goes with the first address of its subnet")
			}
			a := restorableAddr(*h)
			d.gone(p, Object{Addr: &a}, why)
		}
	}
}

// addrs writes the addresses that come.
func (d *differ) addrs(p *place) {
	for i := range p.want.Addrs {
		w := &p.want.Addrs[i]
		if !p.owned && !d.wantedLink(p, w.Link) {
			d.errs = append(d.errs, &InvalidError{NS: p.name, Object: "address " + w.Prefix.String(), Reason: "its link " + w.Link + " is not the lab's"})
			continue
		}
		if p.have != nil {
			j, ok := slices.BinarySearchFunc(p.have.Addrs, *w, state.Addr.Compare)
			if ok && !p.lostAddrs[j] {
				continue
			}
		}
		a := *w
		if a.Protocol == 0 && !d.verbatim {
			a.Protocol = state.Protocol
		}
		d.ph.runs = append(d.ph.runs, Step{NS: p.name, After: Object{Addr: &a}})
	}
	if p.lostAddrs == nil {
		return
	}
	for j := range p.have.Addrs {
		h := &p.have.Addrs[j]
		if !p.lostAddrs[j] || h.Protocol == state.Protocol || kernelAddr(*h) || d.dead(p.name, h.Link) || findAddr(p.want.Addrs, h) != nil {
			continue
		}
		a := restorableAddr(*h)
		d.ph.runs = append(d.ph.runs, Step{NS: p.name, After: Object{Addr: &a}, Reason: "not ours: put back"})
	}
}

// wantedLink reports whether the link is one that the lab declares there.
func (d *differ) wantedLink(p *place, name string) bool {
	return name == "lo" || p.wantLinks.get(name) != nil
}
