package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// Trace answers the question of a flow from a snapshot. When the snapshot holds too little, what it lacks is returned as
// Missing and the verdict is worth nothing: observe that and ask again, or set Flow.Complete to have it said as unknown.
func Trace(s *state.Snapshot, f Flow) (Verdict, Missing) {
	if f.Proto == 0 || f.Proto == filter.ICMPv6 {
		f.Proto = filter.ICMP
	}
	f.unzone()
	f.bound = f.From.IsValid()
	var missing Missing
	if s.Namespace(f.Source) == nil {
		missing.name(f.Source)
		return Verdict{}, missing
	}
	if f.Target != "" && s.Namespace(f.Target) == nil && !f.Complete {
		missing.name(f.Target)
	}
	out := explore(s, &f, &missing)
	if missing.Empty() || f.Complete {
		oldConnections(s, &f, out, &missing)
	}
	if !missing.Empty() && !f.Complete {
		return Verdict{}, missing
	}
	v := out.verdict(s, &f)
	if f.Size == 0 && v.Reachable == Yes {
		remarkFullSize(s, &f, &v)
	}
	return v, Missing{}
}

// An outcome is one walk with one set of decisions.
type outcome struct {
	request, reply trail
	// answered: both ways were walked to their end.
	answered bool
	used     []string
	from     string // source address
	forks    []fork
	differs  string // why walks with other decisions end otherwise
	at       fork   // where they part
}

func (o *outcome) state() string {
	switch first, unknown := o.first(); {
	case first == nil && !unknown && o.answered:
		return Yes
	case first != nil && !unknown:
		return No
	}
	return Unknown
}

// first is the reason that counts: the first obstacle, unless a doubt before it may lead the packet elsewhere.
func (o *outcome) first() (r *Reason, unknown bool) {
	doubt := false
	for _, tr := range []*trail{&o.request, &o.reply} {
		for _, u := range tr.troubles {
			switch {
			case u.doubt != nil:
				if u.detour {
					return nil, true
				}
				doubt = true
			case !u.reason.note:
				return u.reason, false
			}
		}
	}
	return nil, doubt
}

// explore walks with every combination of decisions and compares the ends.
func explore(s *state.Snapshot, f *Flow, missing *Missing) *outcome {
	base := walkOnce(s, f, missing, nil)
	if len(base.forks) == 0 {
		return base
	}
	picks := make([]int, len(base.forks))
	tried := 1
	var alts func(prefix []int, forks []fork, from int)
	alts = func(prefix []int, forks []fork, from int) {
		for i := from; i < len(forks); i++ {
			for k := 1; k < forks[i].n; k++ {
				if tried > 1<<maxForks {
					base.differs = "too many ways to try"
					return
				}
				tried++
				next := append(slices.Clone(prefix[:i]), k)
				o := walkOnce(s, f, missing, next)
				for _, u := range o.used {
					if !slices.Contains(base.used, u) {
						base.used = append(base.used, u)
					}
				}
				if o.state() != base.state() && base.differs == "" {
					base.at, base.differs = forks[i], forks[i].what+": one way ends with "+base.end()+", another with "+o.end()
				}
				full := append(slices.Clone(next), make([]int, max(0, len(o.forks)-len(next)))...)
				alts(full, o.forks, i+1)
			}
		}
	}
	alts(picks, base.forks, 0)
	return base
}

func (o *outcome) end() string {
	if r, unknown := o.first(); r != nil {
		return string(r.Code)
	} else if unknown {
		return "something unknown"
	}
	return "yes"
}

// walkOnce walks request, reply and, of TCP, the third packet.
func walkOnce(s *state.Snapshot, f *Flow, missing *Missing, picks []int) *outcome {
	t := newTracer(s, f, missing, picks)
	o := &outcome{}
	r := t.room(f.Source)
	t.touch(r)
	if kind := manyReceivers(f.Dst); kind != "" {
		o.request.doubt(r, "route", Doubt{
			Object: "address " + f.Dst.String(), Text: f.Dst.String() + " is " + kind + ": who answers is up to every receiver, and that is not modelled",
			Resolve: "ask for one address, or send a probe",
		}, true)
		o.used = t.used
		return o
	}
	t.mayProbe(r, &o.request)
	p := t.firstPacket(r)
	bound, ok := t.scope(r, &o.request)
	if !ok {
		o.used = t.used
		return o
	}
	opt := walkOptions{connected: f.Proto == filter.TCP || f.Proto == filter.UDP, oif: bound}
	d := t.travel(r, p, &o.request, opt)
	if p.Src.IsValid() {
		o.from = p.Src.String()
	}
	if sentFrom := o.from; sentFrom == "" && d != nil {
		o.from = d.p.Src.String()
	}
	switch {
	case d == nil:
	case d.out:
		if !f.Out {
			o.request.doubt(d.r, "link", Doubt{Object: "link " + d.dev.Name, Text: "the packet leaves the host by " + d.dev.Name + "; what is beyond cannot be seen", Resolve: "a probe"}, true)
		} else {
			o.answered = true
		}
	default:
		t.answer(o, r, d, t.accept(d, &o.request), bound)
		t.sentBack(o, d)
		t.givenAway(o, d)
		t.third(o, r, d, opt)
	}
	if t.told != nil && o.state() == Yes { // else what it was told is the effect of what is in the way
		o.request.troubles = append([]trouble{{reason: t.told, step: -1}}, o.request.troubles...)
	}
	t.speak(o)
	o.used, o.forks = t.used, t.forks
	return o
}

// manyReceivers names the kind of an address that stands for many; "" for all others.
func manyReceivers(a netip.Addr) string {
	switch {
	case a.IsMulticast():
		return "a multicast address"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "the broadcast address"
	}
	return ""
}

// firstPacket is the flow's first one.
func (t *tracer) firstPacket(_ *room) *filter.Packet {
	f := t.flow
	p := &filter.Packet{Src: f.From, Dst: f.Dst, Proto: f.Proto, Mark: f.Mark, TTL: f.TTL, DF: true}
	head := 20
	if f.Dst.Is6() {
		head = 40
	}
	switch f.Proto {
	case filter.TCP:
		p.SPort, p.DPort, p.TCPFlags, p.Length = t.srcPort(), f.Port, filter.FlagSYN, head+40
	case filter.UDP:
		p.SPort, p.DPort, p.Length = t.srcPort(), f.Port, head+8+16
	default:
		p.ICMPType, p.ICMPID, p.Length = 8, 4242, head+64
		if f.Dst.Is6() {
			p.Proto, p.ICMPType = filter.ICMPv6, 128
		}
	}
	if f.Size != 0 && f.Proto != filter.TCP {
		p.Length = max(f.Size, head+8)
	}
	if f.Unprivileged {
		p.GID = f.GID
	}
	return p
}

// clientPort is a port that no rule means and no connection has.
const clientPort = 47001

func (t *tracer) srcPort() uint16 {
	if t.flow.SrcPort != 0 {
		return t.flow.SrcPort
	}
	return clientPort
}

// answer walks the reply to where the request came from.
func (t *tracer) answer(o *outcome, src *room, d *delivery, bound, asked *state.Link) {
	req := d.p
	p := &filter.Packet{Src: req.Dst, Dst: req.Src, Proto: req.Proto, SPort: req.DPort, DPort: req.SPort, ICMPID: req.ICMPID, Length: req.Length}
	switch req.Proto {
	case filter.TCP:
		p.TCPFlags, p.DF = filter.FlagSYN|filter.FlagACK, true
	case filter.UDP:
		p.DF = true
		p.Length = min(p.Length, 60)
	case filter.ICMPv6:
		p.ICMPType = 129
	default:
		p.ICMPType = 0
	}
	reflect := "net/ipv4/fwmark_reflect"
	if p.Is6() {
		reflect = "net/ipv6/fwmark_reflect"
	}
	if d.r.sysctl(reflect) != 0 {
		p.Mark = req.Mark
	}
	if d.socket != nil {
		p.UID, p.NoGID = d.socket.UID, true
	}
	if p.Dst.IsLinkLocalUnicast() {
		bound = replyLink(d, asked) // such an address means nothing without its link
	}
	back := t.travel(d.r, p, &o.reply, walkOptions{reply: true, oif: bound})
	if back == nil {
		t.misrouted(o, d, nil)
		return
	}
	switch {
	case back.out:
		if !t.misrouted(o, d, back) {
			o.reply.doubt(back.r, "link", Doubt{Object: "link " + back.dev.Name, Text: "the answer leaves the host by " + back.dev.Name}, true)
		}
	case back.r != src:
		if o.reply.obstacles() == 0 {
			w := Reason{Code: ReplyMisrouted, Namespace: d.r.name(), Object: "reply", Text: fmt.Sprintf("the answer ends in %q, not in %q", back.r.name(), src.name())}
			if a := back.r.owns(back.p.Dst); a != nil {
				w.Object = "address " + back.p.Dst.String()
				w.Facts = facts(fact("RTM_GETADDR", "%s is on %s in %q, too", back.p.Dst, a.Link, back.r.name()))
				w.Fix = fix(back.r.ip("addr del %s dev %s", a.Prefix, a.Link))
			}
			o.reply.stop(back.r, "deliver", w)
		}
	case !t.expected(back.p) && !t.echoes(back.p):
		if w := t.bypassed(o, back); o.reply.obstacles() == 0 {
			o.reply.stop(back.r, "deliver", w)
		}
	default:
		t.misrouted(o, d, back)
		if !t.expected(back.p) && o.reply.obstacles() == 0 {
			w := t.bypassed(o, back)
			w.Text += "; an echo request takes an answer from anybody, and ping says (DIFFERENT ADDRESS!)"
			o.reply.note(back.r, w)
		}
		o.reply.step(src, "deliver", "socket", "the answer is there: %s", packetText(back.p))
		o.answered = true
	}
}

// expected reports whether an answer is the one that the sender waits for.
func (t *tracer) expected(p *filter.Packet) bool {
	f := t.flow
	if p.Src != f.Dst || f.From.IsValid() && p.Dst != f.From {
		return false
	}
	return f.Proto != filter.TCP && f.Proto != filter.UDP || p.SPort == f.Port && p.DPort == t.srcPort()
}

// misrouted names a reply that left its namespace by another way than the request came, and got lost there.
func (t *tracer) misrouted(o *outcome, d, back *delivery) bool {
	w := o.reply.first()
	if back == nil && w == nil {
		return false
	}
	lost := back != nil && back.out
	if w != nil {
		switch w.Code {
		case NoRoute, NeighbourFailed, GatewayUnanswered, ForwardingDisabled, Loop, RouteShadowed:
			lost = lost || w.Namespace != d.r.name() || w.Code == GatewayUnanswered || w.Code == NeighbourFailed
		}
	}
	if !lost {
		return false
	}
	dev, rule := egressOf(o.reply.steps, d.r.name())
	if dev == "" || dev == d.dev.Name {
		return false
	}
	n := Reason{
		Code: ReplyMisrouted, Namespace: d.r.name(), Object: rule, Direction: Reply,
		Text:  fmt.Sprintf("the request came in on %s, and the answer leaves by %s (%s) and is lost there", d.dev.Name, dev, rule),
		Facts: facts(fact("RTM_GETROUTE, RTM_GETRULE", "%s", rule)),
		Fix:   fix(d.r.ipFor(d.p.Is6(), "rule add to %s lookup main pref 1", d.p.Src)),
	}
	u := trouble{reason: &n, step: -1}
	if len(o.reply.steps) > 0 {
		u.step = 0
		for i, s := range o.reply.steps {
			if s.Namespace == d.r.name() && s.Stage == "route" {
				u.step = i
				break
			}
		}
		o.reply.steps[u.step].OK, o.reply.steps[u.step].Code = false, ReplyMisrouted
	}
	o.reply.troubles = append([]trouble{u}, o.reply.troubles...)
	return true
}

// egressOf finds in the steps by which device a packet left a namespace, and by what route.
func egressOf(steps []Step, ns string) (dev, route string) {
	for _, s := range steps {
		if s.Namespace != ns {
			continue
		}
		if s.Stage == "route" {
			route = s.Object
		}
	}
	return wordAfter(route, "dev"), route
}

// third walks what follows a TCP handshake: acknowledgement and data, by which conntrack sees one-sided connections.
func (t *tracer) third(o *outcome, src *room, d *delivery, opt walkOptions) {
	if t.flow.Proto != filter.TCP || !o.answered || o.request.obstacles()+o.reply.obstacles() > 0 {
		return
	}
	p := t.firstPacket(src)
	p.TCPFlags, p.Length = filter.FlagACK|filter.FlagPSH, p.Length-8
	if t.flow.Size != 0 {
		p.Length = t.flow.Size
	}
	var tr trail
	got := t.travel(src, p, &tr, opt)
	if got == nil || tr.obstacles() > 0 || tr.weight() > 0 {
		o.request.step(src, "socket", "tcp", "the handshake is done; what follows goes another way through the rules:")
		o.request.followTroubles(tr)
		if got == nil && tr.obstacles() == 0 {
			o.answered = false
		}
		return
	}
	if got.r != d.r {
		o.request.stop(got.r, "deliver", Reason{Code: StaleConntrack, Object: "conntrack", Text: "the packets of one connection end in different namespaces"})
	}
}
