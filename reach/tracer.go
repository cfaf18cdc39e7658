package reach

import (
	"fmt"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// A tracer is one walk of one flow, with one decision at each place where the kernel might take several.
type tracer struct {
	s       *state.Snapshot
	flow    *Flow
	rooms   map[string]*room
	sits    map[visit][]seat // macvlan and vlan devices by what they sit on
	missing *Missing
	used    []string // keys of the namespaces looked at, in order
	picks   []int    // decisions to repeat
	forks   []fork   // decisions taken
	depth   int      // of walks inside of walks
	limit   ttlLimit // of the packet that is walked
	told    *Reason  // the sender remembers that the packet is too big
}

// A fork is a place where the kernel might go several ways.
type fork struct {
	n      int
	what   string
	r      *room
	object string // that is named when the ways end differently
}

func newTracer(s *state.Snapshot, f *Flow, missing *Missing, picks []int) *tracer {
	return &tracer{s: s, flow: f, rooms: map[string]*room{}, missing: missing, picks: picks}
}

// maxForks bounds how many ways are tried: beyond that it cannot be told.
const maxForks = 6

// choose takes one of n ways; the explorer sees to it that all are tried.
func (t *tracer) choose(r *room, n int, what string) int { return t.chooseAt(r, n, "choice", what) }

func (t *tracer) chooseAt(r *room, n int, object, what string) int {
	if n <= 1 {
		return 0
	}
	i := len(t.forks)
	t.forks = append(t.forks, fork{n, what, r, object})
	if i < len(t.picks) {
		return t.picks[i]
	}
	return 0
}

// room is a namespace of the snapshot, or nil.
func (t *tracer) room(key string) *room {
	if r, ok := t.rooms[key]; ok {
		return r
	}
	ns := t.s.Namespace(key)
	if ns == nil || !t.flow.Complete && shallow(ns) {
		return nil
	}
	r := newRoom(ns, t.flow.Explain)
	for _, u := range t.s.Unread {
		if u.NS == key {
			r.unread = append(r.unread, u)
		}
	}
	r.nf.Choose = func(n int, at filter.Rule, what string) int {
		return t.chooseAt(r, n, ruleObject(&at), ruleObject(&at)+": "+what)
	}
	t.rooms[key] = r
	if !t.flow.Complete {
		r.missing = t.missing
	}
	return r
}

// shallow reports whether only links and addresses of a namespace were read: enough to see that it matters.
func shallow(ns *state.Namespace) bool { return ns.Read != 0 && !ns.Read.Has(state.PartRoutes) }

func (t *tracer) touch(r *room) {
	if !slices.Contains(t.used, r.Namespace.Name) {
		t.used = append(t.used, r.Namespace.Name)
	}
}

// peer finds the other end of a cable, or the link below another. What is not in the snapshot is noted as missing, or, when
// there is no more to get, as unknown.
func (t *tracer) peer(r *room, p *state.Peer, dev *state.Link, tr *trail) (*room, *state.Link, bool) {
	if p == nil {
		tr.doubt(r, "link", Doubt{Object: "link " + dev.Name, Text: fmt.Sprintf("what %s is connected to was not told", dev.Name)}, true)
		return nil, nil, false
	}
	far := t.farRoom(r, p)
	if far == nil {
		if t.flow.Complete {
			tr.doubt(r, "link", Doubt{
				Object: "link " + dev.Name, Text: fmt.Sprintf("the namespace on the other side of %s (%s) could not be looked at", dev.Name, farName(p)),
				Resolve: "run as root of the namespace that owns it",
			}, true)
		}
		return nil, nil, false
	}
	if l := far.byIndex[p.Index]; l != nil && p.Index != 0 {
		return far, l, t.known(far, l, tr)
	}
	if l := far.byName[p.Name]; l != nil {
		return far, l, t.known(far, l, tr)
	}
	tr.doubt(r, "link", Doubt{Object: "link " + dev.Name, Text: fmt.Sprintf("the other side of %s is not in the snapshot", dev.Name)}, true)
	return nil, nil, false
}

func farName(p *state.Peer) string {
	if p.NS != "" {
		return p.NS
	}
	return fmt.Sprintf("id %d", p.NSID)
}

// farRoom is the namespace of a peer; when it is not there it is noted as missing.
func (t *tracer) farRoom(r *room, p *state.Peer) *room {
	key := p.NS
	if key == "" && p.NSID < 0 {
		key = r.Namespace.Name
	}
	if key == "" {
		for _, id := range r.NSIDs {
			if id.ID == p.NSID {
				key = id.NS
			}
		}
	}
	if key != "" {
		if far := t.room(key); far != nil {
			return far
		}
		t.missing.name(key)
		return nil
	}
	t.missing.beyond(r.Namespace.Name, p.NSID)
	return nil
}

// isNear reports whether the other end of a port is in the snapshot already.
func (t *tracer) isNear(port *state.Link) bool {
	if port.Thin && port.Peer == nil {
		return false
	}
	if port.Kind != "veth" && !port.Thin || port.Peer == nil {
		return true
	}
	p := port.Peer
	if p.NS == "" {
		return p.NSID < 0
	}
	ns := t.s.Namespace(p.NS)
	return ns != nil && !shallow(ns)
}

// carrier reports whether the other end of a link is up, as far as that is known.
func (t *tracer) carrier(r *room, dev *state.Link) bool {
	if dev.Kind != "veth" || dev.Peer == nil || !t.isNear(dev) {
		return true
	}
	far := t.farRoom(r, dev.Peer)
	if far == nil {
		return true
	}
	l := far.byIndex[dev.Peer.Index]
	if l == nil {
		l = far.byName[dev.Peer.Name]
	}
	return l == nil || l.Up
}

// above lists the devices of these kinds that sit on a link, in all namespaces that are known.
func (t *tracer) above(r *room, dev *state.Link, kinds ...string) []seat {
	if t.sits == nil {
		t.index()
	}
	var out []seat
	for _, c := range t.sits[visit{r, dev}] {
		if slices.Contains(kinds, c.dev.Kind) {
			out = append(out, c)
		}
	}
	return out
}

func (t *tracer) index() {
	t.sits = map[visit][]seat{}
	for i := range t.s.Namespaces {
		ns := &t.s.Namespaces[i]
		for j := range ns.Links {
			l := &ns.Links[j]
			if l.Lower == nil || l.Kind != "macvlan" && l.Kind != "macvtap" && l.Kind != "vlan" {
				continue
			}
			key := l.Lower.NS
			if key == "" && l.Lower.NSID < 0 {
				key = ns.Name
			}
			for _, id := range ns.NSIDs {
				if key == "" && id.ID == l.Lower.NSID {
					key = id.NS
				}
			}
			if key == "" && shallow(ns) {
				t.missing.name(ns.Name) // where it sits is told when the ids are
				continue
			}
			below := t.room(key)
			if below == nil {
				continue
			}
			dev := below.byIndex[l.Lower.Index]
			if dev == nil || l.Lower.Index == 0 {
				dev = below.byName[l.Lower.Name]
			}
			r := t.room(ns.Name)
			if r == nil {
				t.missing.name(ns.Name)
				continue
			}
			if dev != nil {
				v := visit{below, dev}
				t.sits[v] = append(t.sits[v], seat{r, r.byName[l.Name]})
			}
		}
	}
}

// filter runs one hook and writes down what stands in the way.
func (t *tracer) filter(r *room, p *filter.Packet, h filter.Hook, tr *trail, arp *filter.ARP) filter.Result {
	if !r.reads(state.PartFirewall) {
		tr.doubt(r, "filter", Doubt{Object: "nftables", Text: "the rules were not read"}, true)
		return filter.Result{}
	}
	t.agents(r, p, h, tr, arp)
	t.fullConntrack(r, p, h, tr)
	res := r.nf.Run(h, p)
	if res.Chains == 0 && len(res.Stops) == 0 && res.NAT == "" {
		return res
	}
	where := h.Family + " " + h.Name
	n := len(tr.steps)
	for i := range res.Visits {
		t.write(r, &res.Visits[i].Rule)
	}
	for _, st := range res.Stops {
		t.write(r, &st.Rule)
		if st.Taken != nil {
			tr.stop(r, "filter", portsTaken(r, p.Conn, st.Taken))
			continue
		}
		t.ruleStop(r, p, h, st, tr, arp)
	}
	if len(res.Stops) == 0 && (res.NAT != "" || t.flow.Explain || len(res.Visits) > 0) {
		text := where + ": passes"
		if res.NAT != "" {
			text = where + ": " + res.NAT
		}
		s := tr.step(r, "filter", where, "%s", text)
		if res.NAT != "" {
			s.Packet = packetText(p)
		}
	}
	if n < len(tr.steps) {
		tr.steps[n].Visits = res.Visits
	}
	return res
}

// ruleStop turns what a rule did into a reason.
func (t *tracer) ruleStop(r *room, p *filter.Packet, h filter.Hook, st filter.Stop, tr *trail, arp *filter.ARP) {
	object := ruleObject(&st.Rule)
	if st.Kind == filter.Unknown {
		tr.doubt(r, "filter", Doubt{Object: object, Text: st.Why, Resolve: "a probe with nft monitor trace"}, st.Detour)
		return
	}
	w := Reason{Code: FilterDrop, Object: object, Facts: facts(fact(readFrom(&st.Rule), "%s", ruleLine(&st.Rule))), Fix: ruleFix(r, &st.Rule, p)}
	what := "packet"
	nd := p.Proto == filter.ICMPv6 && (p.ICMPType == 135 || p.ICMPType == 136)
	if arp != nil {
		what = "ARP request"
		if arp.Op == 2 {
			what = "ARP answer"
		}
	} else if nd {
		what = "neighbour solicitation"
		if p.ICMPType == 136 {
			what = "neighbour advertisement"
		}
	}
	verb := "drops"
	if st.Kind == filter.Reject {
		w.Code = FilterReject
		verb = "rejects (" + st.With + ")"
	}
	w.Text = fmt.Sprintf("%s %s the %s in %s", ruleSubject(&st.Rule), verb, what, h.Name)
	switch {
	case arp != nil:
		w.Code = ARPFiltered
	case st.FIB:
		w.Code = RPFRule
		w.Text += fmt.Sprintf(": the way back to %s is not by the device that it came in by", p.Src)
	case nd:
		w.Code = NDPFiltered
	case st.State && p.Invalid:
		w.Code = CTInvalid
		w.Text += ": conntrack did not see the beginning of the connection (one way passes elsewhere)"
	}
	tr.stop(r, "filter", w)
}
