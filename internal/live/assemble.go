package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"warren/internal/drops"
	"warren/reach"
)

// An assembly turns what the witnesses told into events of the probe and its answer. It keeps to packets that are known to be
// theirs: of the probe's addresses and ports, and, when those are translated on the way, of those that the same packet has
// afterwards.
type assembly struct {
	table     string            // ours
	known     map[tuple]string  // flow -> direction
	functions map[uint64]string // of the kernel, by address
	reason    func(uint32) string
	events    []Event
}

func newAssembly(flows []tuple, table string) *assembly {
	a := &assembly{table: table, known: map[tuple]string{}}
	for _, f := range flows {
		a.learn(f, reach.Request)
	}
	return a
}

func (a *assembly) learn(t tuple, dir string) {
	back := reach.Reply
	if dir == reach.Reply {
		back = reach.Request
	}
	if t == t.reverse() { // to oneself, by the same id: the type tells
		back = dir
	}
	a.known[t] = dir
	if _, ok := a.known[t.reverse()]; !ok {
		a.known[t.reverse()] = back
	}
}

// direction of a packet; "" = it is not ours.
func (a *assembly) direction(p *packet) string {
	if p.quoted != nil {
		if _, ok := a.known[*p.quoted]; ok {
			return Errors
		}
		return ""
	}
	dir := a.known[p.tuple]
	if dir != "" && (p.proto == protoICMP && p.typ == 0 || p.proto == protoICMPv6 && p.typ == 129) {
		return reach.Reply
	}
	return dir
}

// records takes what the eyes saw. start is when the probe was sent.
func (a *assembly) records(list []record, start time.Duration, name func(cookie uint64) string) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(x, y record) int { return cmp.Compare(x.at, y.at) })
	type held struct {
		dir  string
		mark packetMark
	}
	in := map[uint64]held{} // packets by their sk_buff
	for _, r := range list {
		p, ok := parse(r.packet)
		if !ok {
			continue
		}
		dir := a.direction(&p)
		h, same := in[r.skb]
		carried := false
		if dir == "" && same {
			switch {
			case p.mark == h.mark: // its addresses were translated
				a.learn(p.tuple, h.dir)
				dir = h.dir
			case p.length > h.mark.length: // it is carried inside of this one
				dir, carried = h.dir, true
			}
		}
		if dir == "" {
			continue
		}
		if !carried {
			in[r.skb] = held{dir, p.mark}
		}
		e := Event{
			At: max(r.at-start, 0), Witness: ByBPF, Direction: dir, Namespace: name(r.cookie), Link: r.link, Packet: p.String(),
		}
		switch r.kind {
		case kindSent:
			e.Event = Sent
		case kindReceived:
			e.Event = Received
		case kindDropped:
			delete(in, r.skb)
			a.explain(&e, r, &p)
		default:
			continue
		}
		a.events = append(a.events, e)
	}
}

// explain says why a packet was dropped.
func (a *assembly) explain(e *Event, r record, p *packet) {
	e.Event = Dropped
	e.Function = a.functions[r.location]
	if a.reason != nil {
		e.Reason = a.reason(r.reason)
	}
	ether := uint16(0x0800)
	if p.src.Addr().Is6() {
		ether = 0x86dd
	}
	d := drops.Event{Reason: e.Reason, Function: e.Function, Link: e.Link, Packet: drops.Packet{EtherType: ether, Proto: p.proto, Src: p.src, Dst: p.dst}}
	e.Code, e.Text = d.Explain()
	e.Harmless = d.Harmless() || putAway(e, p)
}

// putAway reports drops that say nothing about the way: a reset, by who takes it and by who does not; a first packet that came
// again while the connection is half open; an echo request to which no answer could be sent; ICMP errors.
func putAway(e *Event, p *packet) bool {
	unspecified := e.Reason == "NOT_SPECIFIED" && (e.Function == "tcp_v4_rcv" || e.Function == "tcp_v6_rcv" || e.Function == "icmpv6_rcv")
	return unspecified || p.reset && (e.Code == "" || e.Code == reach.NoListener) || e.Direction == Errors
}

// trace takes what nft said in one namespace, in its order.
func (a *assembly) trace(ns string, list []traced, link func(index uint32) string) {
	type seen struct {
		dir    string
		packet string
	}
	packets := map[uint32]seen{} // by the kernel's number of it
	type place struct {
		id    uint32
		chain string
	}
	devices := map[uint32]string{}
	passed := map[place]bool{}
	for _, t := range list {
		if t.packet != nil {
			if p, ok := parse(t.packet); ok {
				dir := a.direction(&p)
				if old, ok := packets[t.id]; dir == "" && ok && p.quoted == nil { // translated
					dir = old.dir
					a.learn(p.tuple, dir)
				}
				if dir != "" {
					packets[t.id] = seen{dir, p.String()}
				}
			}
			devices[t.id] = cmp.Or(link(t.oif), link(t.iif))
			if t.chain == "prerouting" || t.chain == "input" {
				devices[t.id] = cmp.Or(link(t.iif), link(t.oif))
			}
		}
		s, ok := packets[t.id]
		if !ok {
			continue
		}
		e := Event{Witness: ByTrace, Direction: s.dir, Namespace: ns, Packet: s.packet, Link: devices[t.id]}
		family := familyWord(t.family)
		if t.table == a.table {
			hook := t.chain
			if t.family == familyBridge {
				hook = "bridge " + hook
			}
			at := place{t.id, hook}
			if passed[at] {
				continue
			}
			passed[at] = true
			e.Event, e.Hook = Passed, hook
			a.events = append(a.events, e)
			continue
		}
		switch {
		case strings.HasPrefix(t.table, tablePrefix): // of somebody else who asks at the same time
			continue
		case t.typ == tracedRule && t.handle != 0: // the end of a chain looks like a rule without a handle
			e.Object = fmt.Sprintf("nft %s %s/%s handle %d", family, t.table, t.chain, t.handle)
		case t.typ == tracedPolicy:
			e.Object = fmt.Sprintf("nft %s %s/%s policy", family, t.table, t.chain)
		default:
			continue
		}
		e.Event, e.Verdict = Rule, verdictWord(t.verdict, t.target)
		if e.Verdict == "drop" {
			e.Code, e.Text = reach.FilterDrop, "a rule of the firewall dropped it"
		}
		a.events = append(a.events, e)
	}
}
