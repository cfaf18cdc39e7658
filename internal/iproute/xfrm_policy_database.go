package iproute

import (
	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

func (x *xfrmCommand) flushPolicies(w *words) {
	r := &policyRequest{xfrmCommand: x}
	for ; w.more(); w.skip() {
		word := w.peek()
		if word != "ptype" {
			invalid("unknown", word)
		}
		once(&r.hasType, "ptype", word)
		r.ptype = mustName(xfrmTypes(), w.next(), "PTYPE value is invalid")
	}
	if x.opt.stats > 1 {
		x.hint("Flush policy")
	}
	m := rtnl.NewMessage(0)
	r.addType(m)
	x.talk(xfrm.FlushPolicy, m)
}

func (x *xfrmCommand) countPolicies(*words) {
	answer := x.query(xfrm.GetSPDInfo, everything())
	p := x.out()
	if len(answer.Data) < 4 {
		return
	}
	a := rtnl.ParseAttrs(answer.Data[4:])
	p.text("\t SPD")
	if n, ok := xfrm.Decode[xfrm.PolicyCount](a.Bytes(xfrm.AttrSPDInfo)); ok {
		p.text(" IN  %d OUT %d FWD %d", int32(n.In), int32(n.Out), int32(n.Fwd))
		if x.opt.stats > 0 {
			p.text(" (Sock: IN %d OUT %d FWD %d)", int32(n.SocketIn), int32(n.SocketOut), int32(n.SocketFwd))
		}
		p.text("%s", p.nl)
	}
	if x.opt.stats > 1 {
		if h, ok := xfrm.Decode[xfrm.HashCount](a.Bytes(xfrm.AttrSPDHash)); ok {
			p.text("\t SPD buckets: count %d Max %d%s", int32(h.Count), int32(h.Max), p.nl)
		}
		for i, name := range []string{"IPv4", "IPv6"} {
			if t, ok := xfrm.Decode[xfrm.Thresholds](a.Bytes(xfrm.AttrSPDThresholds4 + i)); ok {
				p.text("\t SPD %s thresholds: local %d remote %d%s", name, t.Local, t.Remote, p.nl)
			}
		}
	}
	x.endLine(p)
}

// setThresholds sets from which prefix lengths on policies are found by a hash.
func (x *xfrmCommand) setThresholds(w *words) {
	m := everything()
	var given [2]bool
	for ; w.more(); w.skip() {
		word := w.peek()
		i, most := 0, uint8(32)
		switch word {
		case "hthresh4":
		case "hthresh6":
			i, most = 1, 128
		default:
			invalid("unknown", word)
		}
		once(&given[i], word, word)
		bits := func(what string) uint8 {
			n, ok := parseUint(w.next(), 0, 8)
			if !ok || uint8(n) > most {
				invalid(word+" "+what+" value is invalid", w.peek())
			}
			return uint8(n)
		}
		t := xfrm.Thresholds{Local: bits("LBITS")}
		t.Remote = bits("RBITS")
		xfrmBytes(m, uint16(xfrm.AttrSPDThresholds4+i), t)
	}
	x.talk(xfrm.NewSPDInfo, m)
}

// setDefaults sets what becomes of packets that no policy selects.
func (x *xfrmCommand) setDefaults(w *words) {
	var d xfrm.DefaultPolicies
	var given [3]bool
	for ; w.more(); w.skip() {
		word := w.peek()
		i, to := 0, &d.In
		switch word {
		case "in":
		case "fwd":
			i, to = 1, &d.Fwd
		case "out":
			i, to = 2, &d.Out
		default:
			invalid("unknown direction", word)
		}
		once(&given[i], word, word)
		*to = mustName([]xfrmName{{"block", xfrm.DefaultBlock}, {"accept", xfrm.DefaultAccept}}, w.next(), word+" policy value is invalid")
	}
	x.talk(xfrm.SetDefault, xfrmMessage(d))
}

func (x *xfrmCommand) showDefaults(*words) {
	answer := x.query(xfrm.GetDefault, xfrmMessage(xfrm.DefaultPolicies{}))
	d, ok := xfrm.Decode[xfrm.DefaultPolicies](answer.Data)
	if !ok {
		return
	}
	word := func(v uint8) string {
		switch v {
		case xfrm.DefaultBlock:
			return "block"
		case xfrm.DefaultAccept:
			return "accept"
		}
		return "unknown"
	}
	x.out().text("Default policies:\n in:  %s\n fwd: %s\n out: %s\n", word(d.In), word(d.Fwd), word(d.Out))
}
