package reach

import (
	"fmt"
	"slices"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// verdict puts an outcome into words.
func (o *outcome) verdict(s *state.Snapshot, f *Flow) Verdict {
	v := Verdict{
		Query: Query{Source: nameOf(s, f.Source), Dst: f.Dst.WithZone(f.zone).String(), Proto: f.ProtoName(), Port: f.Port, From: o.from, Mark: f.Mark, Size: f.Size},
		Also:  []Reason{}, Unknowns: []Doubt{},
		Snapshot: Basis{Time: s.Time, Kernel: s.Kernel, Namespaces: []string{}},
	}
	if f.Target != "" {
		v.Query.Target = nameOf(s, f.Target)
	}
	for _, u := range o.used {
		v.Snapshot.Namespaces = append(v.Snapshot.Namespaces, nameOf(s, u))
	}
	o.request.compact()
	o.reply.compact()
	v.Request, v.Reply = numbered(o.request.steps), numbered(o.reply.steps)
	v.Reachable = o.state()
	first, _ := o.first()
	for dir, tr := range map[string]*trail{Request: &o.request, Reply: &o.reply} {
		for i := range tr.troubles {
			if w := tr.troubles[i].reason; w != nil {
				w.Direction = dir
				w.Step = tr.troubles[i].step + 1
			}
		}
	}
	if o.differs != "" {
		v.Reachable = Unknown
		u := Doubt{Object: "choice", Text: "it depends: " + o.differs, Resolve: "make the ways agree, or leave one"}
		if o.at.r != nil && o.at.object != "choice" {
			u.Namespace, u.Object = o.at.r.name(), o.at.object
		}
		v.Unknowns = append(v.Unknowns, u)
		first = nil
	}
	if first != nil && v.Reachable == No {
		w := finished(first)
		dir := w.Direction
		v.Reason, v.Failed = &w, &dir
	}
	for _, tr := range []*trail{&o.request, &o.reply} {
		for _, u := range tr.troubles {
			switch {
			case u.doubt != nil:
				if !slices.Contains(v.Unknowns, *u.doubt) {
					v.Unknowns = append(v.Unknowns, *u.doubt)
				}
			case v.Reason == nil || !sameCause(u.reason, v.Reason):
				if w := finished(u.reason); !slices.ContainsFunc(v.Also, func(a Reason) bool { return sameCause(&a, &w) }) {
					v.Also = append(v.Also, w)
				}
			}
		}
	}
	if v.Reachable == Unknown && len(v.Unknowns) == 0 {
		v.Unknowns = append(v.Unknowns, Doubt{Object: "walk", Text: "the walk did not come to an end"})
	}
	return v
}

func sameCause(a, b *Reason) bool {
	if a.Code != b.Code || a.Namespace != b.Namespace {
		return false
	}
	return a.Object == b.Object || len(a.Fix) > 0 && len(b.Fix) > 0 && a.Fix[0] == b.Fix[0]
}

func nameOf(s *state.Snapshot, key string) string {
	if ns := s.Namespace(key); ns != nil && len(ns.Names) > 0 {
		return ns.Names[0]
	}
	return key
}

func numbered(steps []Step) []Step {
	out := slices.Clone(steps)
	if out == nil {
		out = []Step{}
	}
	for i := range out {
		out[i].Seq = i + 1
	}
	return out
}

// finished fills what every reason has: lists that are not nil, and each command in our own words, too.
func finished(w *Reason) Reason {
	out := *w
	if out.Facts == nil {
		out.Facts = []string{}
	}
	out.Fix = []string{}
	for _, c := range w.Fix {
		o := ourWords(c)
		if !nameless(c) {
			out.Fix = append(out.Fix, c)
		}
		if o != "" {
			out.Fix = append(out.Fix, o)
		}
	}
	return out
}

// nameless reports whether ip(8) does not find the namespace of a command: it knows names and paths alone.
func nameless(cmd string) bool {
	rest, ok := strings.CutPrefix(cmd, "ip netns exec ")
	if !ok {
		rest, ok = strings.CutPrefix(strings.Replace(cmd, "ip -6 ", "ip ", 1), "ip -n ")
	}
	if !ok {
		rest, ok = strings.CutPrefix(cmd, "bridge -n ")
	}
	ns, _, _ := strings.Cut(rest, " ")
	return ok && strings.Contains(ns, ":") && !strings.Contains(ns, "/")
}

// ourWords is a command, or several, as warren says it, which finds namespaces without a name, too.
func ourWords(cmd string) string {
	parts := strings.Split(cmd, " && ")
	for i, c := range parts {
		if parts[i] = ourWord(c); parts[i] == "" {
			return ""
		}
	}
	return strings.Join(parts, " && ")
}

func ourWord(cmd string) string {
	if rest, ok := strings.CutPrefix(cmd, "ip netns exec "); ok {
		if ns, rest, ok := strings.Cut(rest, " "); ok {
			return "warren exec " + ns + " -- " + rest
		}
	}
	if rest, ok := strings.CutPrefix(cmd, "bridge -n "); ok {
		ns, rest, _ := strings.Cut(rest, " ")
		return "warren -n " + ns + " bridge " + rest
	}
	for _, family := range []string{"", "-6 "} {
		if rest, ok := strings.CutPrefix(cmd, "ip "+family+"-n "); ok {
			ns, rest, _ := strings.Cut(rest, " ")
			return "warren -n " + ns + " " + family + rest
		}
	}
	return ""
}

// speak finds out what the sender of a packet that dies is told: whether the ICMP error comes back to it.
func (t *tracer) speak(o *outcome) {
	for dir, tr := range []*trail{&o.request, &o.reply} {
		for i := range tr.troubles {
			u := &tr.troubles[i]
			if u.reason == nil || u.reason.note {
				continue
			}
			if t.say(u, dir == 1); u.reason.note {
				continue
			}
			break // only the first is really sent
		}
	}
}

// say walks one ICMP error to the sender of the packet that it is about.
func (t *tracer) say(u *trouble, reply bool) {
	w, n := u.reason, u.tells
	if n == nil {
		if w.Symptom == "" {
			w.Symptom = "no answer"
		}
		return
	}
	if reply {
		// The error goes to who answered; who asked hears nothing.
		w.Symptom = "no answer"
	}
	if n.bridged {
		if !reply {
			w.Symptom = n.text
		}
		return
	}
	if n.r.owns(n.p.Src) != nil { // told by its own kernel
		if !reply {
			w.Symptom = n.text
		}
		return
	}
	var tr trail
	p := &filter.Packet{Dst: n.p.Src, Proto: filter.ICMP, ICMPType: n.typ, ICMPCode: n.code, Length: 20 + 8 + min(n.p.Length, 548), Inner: &n.p}
	if n.p.Is6() {
		p.Proto = filter.ICMPv6
	}
	if n.typ == 0 { // a TCP reset
		p = &filter.Packet{Src: n.p.Dst, Dst: n.p.Src, Proto: filter.TCP, TCPFlags: filter.FlagRST | filter.FlagACK, SPort: n.p.DPort, DPort: n.p.SPort, Length: 40, DF: true}
	}
	inner := n.p
	inner.Conn, inner.Reply = n.p.Conn, n.p.Reply
	p.Inner = &inner
	if n.typ == 0 {
		p.Inner = nil
	}
	d := t.travel(n.r, p, &tr, walkOptions{reply: true, error: true})
	if d != nil && tr.obstacles() == 0 && !d.out {
		switch {
		case !reply:
			w.Symptom = n.text
		case w.Code == MTUExceeded && n.p.Proto == filter.ICMPv6:
			// The kernel keeps what it is told, and cuts the next echo reply itself (ip6_append_data).
			w.note = true
			w.Text += "; who answers is told, so only the first answer is lost, and those after it come in fragments"
		}
		return
	}
	lost := tr.first()
	if w.Code == MTUExceeded {
		old := *w
		w.Code = PMTUBlackhole
		w.Text = old.Text + "; the ICMP error that says so does not come back to the sender, who goes on sending too much"
		if lost != nil {
			w.Namespace, w.Object = lost.Namespace, lost.Object
			w.Text += ": " + lost.Text
			w.Facts = append(w.Facts, lost.Facts...)
			w.Fix = append(slices.Clone(lost.Fix), old.Fix...)
		}
	}
	if !reply {
		w.Symptom = "no answer"
		if lost != nil {
			w.Facts = append(w.Facts, fact("walk", "the error %q does not reach the sender: %s", n.text, lost.Code))
		}
	}
}

// remarkFullSize walks a full-size packet where a small one passes.
func remarkFullSize(s *state.Snapshot, f *Flow, v *Verdict) {
	g := *f
	g.Size = fullSize(s, f)
	if g.Size == 0 {
		return
	}
	var missing Missing
	g.Complete = true
	o := explore(s, &g, &missing)
	w, unknown := o.first()
	if w == nil || unknown {
		return
	}
	switch w.Code {
	case MTUPeer, MTUBridgePort, MTUExceeded, PMTUBlackhole:
	default:
		return
	}
	if w.Code == MTUExceeded && f.Proto == filter.TCP {
		return // TCP is told, and sends less
	}
	x := finished(w)
	x.Text = fmt.Sprintf("small packets pass, those of %d bytes do not: %s", g.Size, x.Text)
	v.Also = append(v.Also, x)
}

// fullSize is what the sender's first link takes, and for TCP what the other side offers to take (its MSS).
func fullSize(s *state.Snapshot, f *Flow) int {
	var missing Missing
	t := newTracer(s, f, &missing, nil)
	r := t.room(f.Source)
	out := t.linkMTU(r, f)
	if f.Proto != filter.TCP {
		return out
	}
	for _, h := range t.holders(f.Dst) {
		far := t.room(h.ns.Name)
		if far == nil {
			continue
		}
		g := Flow{Dst: f.From}
		if !g.Dst.IsValid() {
			if a := r.fib.lookup(query{dst: f.Dst, oif: r.zoned(f), local: true}); len(a.hops) > 0 {
				g.Dst = r.sourceOf(&a, a.hops[0], f.Dst)
			}
		}
		if g.Dst.IsValid() {
			if m := t.linkMTU(far, &g); m != 0 {
				out = min(out, m)
			}
		}
	}
	return out
}

func (t *tracer) linkMTU(r *room, f *Flow) int {
	a := r.fib.lookup(query{dst: f.Dst, src: f.From, oif: r.zoned(f), local: true, mark: f.Mark})
	if a.typ != "unicast" || len(a.hops) == 0 || a.hops[0].link == nil {
		return 0
	}
	return mtuOf(&a, a.hops[0].link, f.Dst.Is6())
}
