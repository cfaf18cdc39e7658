package iproute

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// watch is "ip xfrm monitor".
func (x *xfrmCommand) watch(w *words) {
	o := watch{protocol: unix.NETLINK_XFRM}
	x.showsAnyway = x.personality != Warren
	objects := []struct {
		name  string
		group uint32
	}{
		{"acquire", xfrm.GroupAcquire},
		{"expire", xfrm.GroupExpire},
		{"SA", xfrm.GroupState},
		{"aevent", xfrm.GroupEvent},
		{"policy", xfrm.GroupPolicy},
		{"report", xfrm.GroupReport},
	}
words:
	for ; w.more(); w.skip() {
		word := w.peek()
		switch {
		case matches(word, "file"):
			o.file = w.next()
			continue
		case word == "nokeys":
			x.nokeys = true
			continue
		case word == "all":
			continue
		case matches(word, "all-nsid"):
			o.allNSID = true
			continue
		}
		for _, obj := range objects {
			if matches(word, obj.name) {
				o.groups = append(o.groups, obj.group)
				continue words
			}
		}
		if matches(word, "help") {
			usageOf(xfrmMonitorUsage)
		}
		die("Argument \"%s\" is unknown, try \"ip xfrm monitor help\".", word)
	}
	if len(o.groups) == 0 {
		for g := uint32(xfrm.GroupAcquire); g <= xfrm.GroupMapping; g++ {
			o.groups = append(o.groups, g)
		}
	}
	o.tell = func(p *printer, m netlink.Message, head func(string)) {
		head("")
		x.tell(p, m)
	}
	x.monitor(o)
}

func (x *xfrmCommand) tell(p *printer, m netlink.Message) {
	switch m.Header.Type {
	case xfrm.NewState, xfrm.DelState, xfrm.UpdState, xfrm.MsgExpire:
		x.tellState(p, m)
	case xfrm.NewPolicy, xfrm.DelPolicy, xfrm.UpdPolicy, xfrm.PolExpire:
		x.tellPolicy(p, m)
	case xfrm.MsgAcquire:
		x.tellAcquire(p, m)
	case xfrm.FlushState:
		if f, ok := xfrm.Decode[xfrm.Flush](m.Data); ok {
			p.text("Flushed state proto %s%s", nameFor(xfrmProtos(), f.Proto), p.nl)
			x.endLine(p)
		}
	case xfrm.FlushPolicy:
		a := rtnl.ParseAttrs(m.Data)
		p.text("Flushed policy ")
		if a.Has(xfrm.AttrPolicyType) {
			p.text("ptype %s ", nameFor(xfrmTypes(), policyType(a)))
		}
		p.text("%s", p.nl)
		x.endLine(p)
	case xfrm.MsgReport:
		x.tellReport(p, m)
	case xfrm.NewEvent:
		x.tellEvent(p, m)
	case xfrm.MsgMapping:
		x.tellMapping(p, m)
	default:
		p.text("Unknown message: %08d 0x%08x 0x%08x\n", m.Header.Length, uint16(m.Header.Type), uint16(m.Header.Flags))
	}
}

func (x *xfrmCommand) tellAcquire(p *printer, m netlink.Message) {
	q, ok := xfrm.Decode[xfrm.Acquire](m.Data)
	if !ok {
		x.wrongLength(len(m.Data), xfrm.Size[xfrm.Acquire]())
		return
	}
	a := rtnl.ParseAttrs(after[xfrm.Acquire](m.Data))
	family := q.Sel.Family
	if family == unix.AF_UNSPEC {
		family = q.Policy.Sel.Family
	}
	p.text("acquire proto %s ", nameFor(xfrmProtos(), q.ID.Proto))
	if x.detailed() || q.ID.SPI.Get() != 0 {
		x.printSPI(p, q.ID.SPI.Get())
	}
	p.text("%s", p.nl)
	x.printSelector(p, &q.Sel, family, "  sel ")
	x.printPolicy(p, &q.Policy, a, "    ", "  policy ")
	if x.detailed() {
		p.text("  seq 0x%08d ", q.Seq)
		printMasks(p, q.Crypt, q.Auth, q.Comp)
	}
	p.text("%s", p.nl)
	x.endLine(p)
}

func (x *xfrmCommand) tellReport(p *printer, m netlink.Message) {
	r, ok := xfrm.Decode[xfrm.Report](m.Data)
	if !ok {
		x.wrongLength(len(m.Data), xfrm.Size[xfrm.Report]())
		return
	}
	family := r.Sel.Family
	if family == unix.AF_UNSPEC {
		family = x.family
	}
	p.text("report proto %s %s", nameFor(xfrmProtos(), r.Proto), p.nl)
	x.printSelector(p, &r.Sel, family, "  sel ")
	x.printAttrs(p, rtnl.ParseAttrs(after[xfrm.Report](m.Data)), family, "  ", x.nokeys)
	x.endLine(p)
}

func (x *xfrmCommand) tellEvent(p *printer, m netlink.Message) {
	e, ok := xfrm.Decode[xfrm.Event](m.Data)
	if !ok {
		return
	}
	p.text("Async event  (0x%x) ", e.Flags)
	for _, f := range []struct {
		flag uint32
		text string
	}{{xfrm.EventReplay, " replay update "}, {xfrm.EventExpired, " timer expired "}, {xfrm.EventPolicy, " policy updated "}} {
		if e.Flags&f.flag != 0 {
			p.text("%s", f.text)
		}
	}
	p.text("\n\tsrc %s ", ntop(e.Src.Addr(e.ID.Family)))
	x.printStateID(p, &e.ID, e.ReqID)
}

func (x *xfrmCommand) tellMapping(p *printer, m netlink.Message) {
	c, ok := xfrm.Decode[xfrm.Mapping](m.Data)
	if !ok {
		return
	}
	end := func(a xfrm.Address, port xfrm.BE16) string {
		return fmt.Sprintf("%s:%d", ntop(a.Addr(c.ID.Family)), port.Get())
	}
	p.text("Mapping change %s -> %s\n\t", end(c.OldSrc, c.OldPort), end(c.NewSrc, c.NewPort))
	x.printStateID(p, &c.ID, c.ReqID)
}

func (x *xfrmCommand) printStateID(p *printer, id *xfrm.StateID, reqid uint32) {
	p.text("dst %s  reqid 0x%x protocol %s  SPI 0x%x\n", ntop(id.Dst.Addr(id.Family)), reqid, x.protoName(id.Proto), id.SPI.Get())
}
