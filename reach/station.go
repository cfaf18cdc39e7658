package reach

import (
	"fmt"
	"slices"

	"warren/state"
)

// isLocal reports whether the MAC is the bridge's or one of its ports' (permanent entries).
func (r *room) isLocal(br *state.Link, mac state.MAC) bool {
	if mac == br.MAC {
		return true
	}
	r.needStation(br, mac)
	for i := range r.Links {
		if l := &r.Links[i]; l.Master == br.Name && l.MAC == mac {
			return true
		}
	}
	for i := range r.FDB {
		if e := &r.FDB[i]; e.Master == br.Name && e.MAC == mac && e.State == "permanent" {
			return true
		}
	}
	return false
}

// stationIs reports whether the table says that the frame's sender is behind that port.
func (s *search) stationIs(r *room, br *state.Link, f *frame, port *state.Link) bool {
	r.needStation(br, f.src)
	for i := range r.FDB {
		if e := &r.FDB[i]; e.Master == br.Name && e.MAC == f.src && e.Link == port.Name {
			return true
		}
	}
	return false
}

// lookFDB finds the port behind which a station is. known says from where: "walk", "static" or "learned".
func (r *room) lookFDB(br *state.Link, f *frame) (port *state.Link, known string) {
	r.needStation(br, f.dst)
	var found *state.FDBEntry
	for i := range r.FDB {
		e := &r.FDB[i]
		if e.Master != br.Name || e.MAC != f.dst || e.Flags&2 != 0 && e.Flags&4 == 0 || e.VLAN != 0 && f.bvlan != 0 && e.VLAN != f.bvlan {
			continue
		}
		found = e
		if e.Flags&64 != 0 { // sticky
			return r.byName[e.Link], "static"
		}
	}
	if p, ok := r.stations[station{br.Name, f.dst, f.bvlan}]; ok {
		return r.byName[p.port], "walk"
	}
	switch {
	case found == nil:
		return nil, ""
	case found.State == "static" || found.State == "noarp" || found.State == "permanent":
		return r.byName[found.Link], "static"
	}
	return r.byName[found.Link], "learned"
}

// toStation sends a unicast frame to the port of its station, or to all.
func (s *search) toStation(r *room, br, in *state.Link, f frame, tr trail) {
	port, known := r.lookFDB(br, &f)
	if port == nil {
		s.flood(r, br, in, f, tr)
		return
	}
	if port == in && !on(portOf(port).Hairpin, false) {
		n := len(s.got)
		if known != "walk" { // a wrong entry, if it is for who is behind another port
			s.flood(r, br, in, f, stoppedAt(tr, r, pinned(r, br, &f, port, known)))
			if s.taken(n) {
				return
			}
			s.got = s.got[:n]
		}
		tr.stop(r, "bridge", hairpinReason(r, port))
		s.portOut(r, br, in, port, f, tr)
		return
	}
	if known == "walk" {
		s.portOut(r, br, in, port, f, tr)
		return
	}
	// What was learned may be out of date, and what somebody made may be wrong. Where the frame does not come out behind that
	// port but would behind another one, the entry is wrong.
	n := len(s.got)
	s.portOut(r, br, in, port, f, tr.fork())
	if s.taken(n) {
		return
	}
	before := slices.Clone(s.got[n:])
	s.got = s.got[:n]
	s.flood(r, br, in, f, stoppedAt(tr, r, pinned(r, br, &f, port, known)))
	if known != "learned" && !s.taken(n) {
		s.got = append(s.got[:n], before...) // it is nowhere else, so that may be right
	}
}

// taken reports whether somebody takes the frame of those found since.
func (s *search) taken(since int) bool {
	return slices.ContainsFunc(s.got[since:], func(c reception) bool { return c.accepts() || c.out })
}

// stoppedAt is a trail that goes on behind an obstacle.
func stoppedAt(tr trail, r *room, w Reason) trail {
	tr = tr.fork()
	tr.stop(r, "bridge", w)
	return tr
}

// pinned explains an entry of the bridge's table that leads to a port behind which the station is not.
func pinned(r *room, br *state.Link, f *frame, port *state.Link, known string) Reason {
	w := Reason{
		Code: StaleFDB, Object: "fdb " + f.dst.String(),
		Text:  fmt.Sprintf("%s thinks that %s is behind %s, where it is not (any more)", br.Name, f.dst, port.Name),
		Facts: facts(fact("RTM_GETNEIGH AF_BRIDGE", "%s dev %s", f.dst, port.Name)),
		Fix:   fix(fmt.Sprintf("bridge -n %s fdb del %s dev %s master", r.ref(), f.dst, port.Name)),
	}
	if known != "learned" {
		w.Text = fmt.Sprintf("an entry that somebody made says that %s is behind port %s of %s, where it is not", f.dst, port.Name, br.Name)
	}
	return w
}

// bridgeLocal gives a frame to the bridge itself because its table says so. An entry that somebody made for the address of
// another one keeps the frame from its owner.
func (s *search) bridgeLocal(r *room, br, in *state.Link, f frame, tr trail) {
	n := len(s.got)
	s.bridgeUp(r, br, f, tr.fork())
	if f.dst == br.MAC || in == nil || s.taken(n) {
		return
	}
	up := slices.Clone(s.got[n:])
	s.got = s.got[:n]
	w := Reason{Code: StaleFDB, Object: "fdb " + f.dst.String()}
	for i := range r.FDB {
		if e := &r.FDB[i]; e.MAC == f.dst && e.State == "permanent" && (e.Master == br.Name || e.Link == br.Name) {
			at := e.Link + " master"
			if e.Link == br.Name {
				at = e.Link + " self"
			}
			w.Text = fmt.Sprintf("a local entry makes %s keep the frames for %s to itself, who is behind one of its ports", br.Name, f.dst)
			w.Facts = facts(fact("RTM_GETNEIGH AF_BRIDGE", "%s dev %s permanent", f.dst, e.Link))
			w.Fix = fix(fmt.Sprintf("bridge -n %s fdb del %s dev %s", r.ref(), f.dst, at))
		}
	}
	for _, p := range r.ports(br) {
		if p.MAC == f.dst {
			other := p.MAC
			other[0], other[5] = other[0]|2, other[5]^1
			w.Text = fmt.Sprintf("%s keeps the frames for %s to itself, because its port %s has that address, too", br.Name, f.dst, p.Name)
			w.Facts = facts(fact("RTM_GETLINK", "%s has %s", p.Name, p.MAC))
			w.Fix = fix(r.ip("link set %s address %s", p.Name, other))
		}
	}
	s.flood(r, br, in, f, stoppedAt(tr, r, w))
	if !s.taken(n) || w.Text == "" {
		s.got = append(s.got[:n], up...)
	}
}

// childOf reports whether a macvlan on the bridge has the address: the bridge is promiscuous then, and hands up what is for it.
func (s *search) childOf(r *room, br *state.Link, mac state.MAC) bool {
	return slices.ContainsFunc(s.t.above(r, br, "macvlan", "macvtap"), func(c seat) bool { return c.dev.MAC == mac })
}

// learn remembers behind which port a station is. What frames teach that are lost on their way is not known, and stands only
// where nothing better is.
func (r *room) learn(br, port *state.Link, f *frame, real bool) {
	k := station{br.Name, f.src, f.bvlan}
	if _, there := r.stations[k]; real || !there {
		r.stations[k] = learned{port.Name, real}
	}
}
