package fake

import (
	"net/netip"
	"slices"
	"syscall"

	"warren/state"
)

func metric(r *state.Route) uint32 {
	if r.Metric == 0 && r.Dst.Addr().Is6() {
		return 1024 // IP6_RT_PRIO_USER
	}
	return r.Metric
}

// sameKey reports whether the kernel would take the routes for one another.
func sameKey(a, b *state.Route) bool {
	return a.Dst == b.Dst && a.TableID() == b.TableID() && a.TOS == b.TOS && a.From == b.From && metric(a) == metric(b)
}

// check is what the kernel checks of a route; it returns the route as the kernel keeps it.
func (s *space) check(r *state.Route) (state.Route, error) {
	n := *r
	is6 := r.Dst.Addr().Is6()
	n.Metric = metric(r)
	if !r.Dst.IsValid() || r.Dst != r.Dst.Masked() {
		return n, refuse(syscall.EINVAL, "bad destination %v", r.Dst)
	}
	switch r.TypeName() {
	case "blackhole", "unreachable", "prohibit", "throw":
		n.NextHops = nil
		return n, nil
	}
	if len(r.NextHops) == 0 {
		return n, refuse(syscall.ENODEV, "no way out")
	}
	n.NextHops = slices.Clone(r.NextHops)
	for i := range n.NextHops {
		h := &n.NextHops[i]
		if h.Link != "" {
			l := s.link(h.Link)
			if l == nil {
				return n, refuse(syscall.ENODEV, "%s", h.Link)
			}
			h.Link = l.Name
			if !l.Up {
				return n, refuse(syscall.ENETDOWN, "%s is down", h.Link)
			}
			if is6 && !s.ipv6(l.Name) {
				return n, refuse(syscall.EACCES, "IPv6 is disabled on %s", l.Name)
			}
		}
		if h.Weight == 1 {
			h.Weight = 0
		}
		if !h.Via.IsValid() || h.Flags&state.NextHopOnLink != 0 {
			if h.Link == "" {
				return n, refuse(syscall.ENODEV, "no link")
			}
			continue
		}
		if is6 && s.isLocal(h.Via) { // IPv4 looks into the route's own table only, where no local routes are
			return n, refuse(syscall.EINVAL, "the gateway %v is a local address", h.Via)
		}
		link := s.reach(h)
		if link == "" {
			if h.Via.Is6() {
				return n, refuse(syscall.EHOSTUNREACH, "gateway %v", h.Via)
			}
			return n, refuse(syscall.ENETUNREACH, "gateway %v", h.Via)
		}
		h.Link = link
	}
	if r.Src.IsValid() && !s.isLocal(r.Src) {
		return n, refuse(syscall.EINVAL, "source %v is no address of this namespace", r.Src)
	}
	return n, nil
}

func (s *space) isLocal(a netip.Addr) bool {
	return slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return x.Prefix.Addr() == a })
}

// reach finds the link on which a gateway is, "" when there is none.
func (s *space) reach(h *state.NextHop) string {
	if h.Via.Is6() && h.Via.IsLinkLocalUnicast() {
		return h.Link
	}
	for _, r := range s.routes {
		if r.TypeName() != "unicast" || !r.Dst.Contains(h.Via) || len(r.NextHops) != 1 || r.NextHops[0].Via.IsValid() {
			continue
		}
		if l := r.NextHops[0].Link; h.Link == "" || h.Link == l {
			return l
		}
	}
	return ""
}

func (s *space) addRoute(r *state.Route) error {
	n, err := s.check(r)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.routes, func(x state.Route) bool { return sameKey(&x, &n) }) {
		return refuse(syscall.EEXIST, "%v", r.Dst)
	}
	s.routes = append(s.routes, n)
	return nil
}

func (s *space) replaceRoute(r *state.Route) error {
	n, err := s.check(r)
	if err != nil {
		return err
	}
	for i := range s.routes {
		if sameKey(&s.routes[i], &n) {
			s.routes[i] = n
			return nil
		}
	}
	s.routes = append(s.routes, n)
	return nil
}

func (s *space) removeRoute(r *state.Route) error {
	i := slices.IndexFunc(s.routes, func(x state.Route) bool {
		return sameKey(&x, r) && x.TypeName() == r.TypeName() && (r.Protocol == 0 || x.Protocol == r.Protocol)
	})
	if i < 0 {
		return refuse(syscall.ESRCH, "%v", r.Dst)
	}
	s.routes = slices.Delete(s.routes, i, i+1)
	return nil
}
