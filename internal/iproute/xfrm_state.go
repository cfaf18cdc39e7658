package iproute

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// states is "ip xfrm state".
func (x *xfrmCommand) states(w *words) {
	on := func(run func(w *words)) func(*session, *words) { return func(_ *session, w *words) { run(w) } }
	deleteAll := on(func(w *words) { x.stateFilter(w); x.deleteStates() })
	word := w.peek()
	if !w.more() {
		x.listStates(w)
	} else if !dispatch(x.session, w, []verb{
		{"add", on(func(w *words) { x.modifyState(w, xfrm.NewState) })},
		{"update", on(func(w *words) { x.modifyState(w, xfrm.UpdState) })},
		{"allocspi", on(x.allocateSPI)},
		{"delete", on(func(w *words) { x.oneState(w, true) })},
		{"deleteall", deleteAll},
		{"delall", deleteAll},
		{"list", on(x.listStates)},
		{"show", on(x.listStates)},
		{"lst", on(x.listStates)},
		{"get", on(func(w *words) { x.oneState(w, false) })},
		{"flush", on(x.flushStates)},
		{"count", on(x.countStates)},
		{"help", on(func(*words) { usageOf(xfrmStateUsage) })},
	}) {
		unknownVerb("xfrm state", word)
	}
}

// oneState shows or deletes a state.
func (x *xfrmCommand) oneState(w *words, del bool) {
	var named xfrm.StateID
	var source xfrm.Address
	var mark xfrm.Mark
	given := false
	named.Family = x.family
	for ; w.more(); w.skip() {
		if w.peek() == "mark" {
			mark = markWord(w)
			continue
		}
		if given {
			invalid("unknown", w.peek())
		}
		given = true
		var id xfrm.ID
		x.id(w, &id, &source, &named.Family, false)
		named.Dst, named.SPI, named.Proto = id.Dst, id.SPI, id.Proto
	}
	if named.Family == unix.AF_UNSPEC {
		named.Family = unix.AF_INET
	}
	m := xfrmMessage(named)
	if given {
		m.Bytes(xfrm.AttrSource, source[:])
	}
	addMark(m, mark, false)
	if del {
		x.talk(xfrm.DelState, m)
		return
	}
	x.tellState(x.out(), x.query(xfrm.GetState, m))
}

// stateFilter reads which states are meant.
func (x *xfrmCommand) stateFilter(w *words) {
	f := &x.filter
	f.use = w.more() || x.family != unix.AF_UNSPEC
	f.state.Family = x.family
	id := false
	for ; w.more(); w.skip() {
		switch word := w.peek(); word {
		case "nokeys":
			x.nokeys = true
		case "mode":
			f.state.Mode, f.given.mode = xfrmMode(w.next()), true
		case "reqid":
			f.state.ReqID, f.given.reqid = u32(w.next(), "REQID value is invalid"), true
		case "flag":
			w.next()
			f.state.Flags = uint8(xfrmFlagWords(w, xfrmStateFlags(), 8, uint32(f.state.Flags), "FLAG value is invalid"))
			f.given.flags = true
		default:
			if id {
				invalid("unknown", word)
			}
			id = true
			x.id(w, &f.state.ID, &f.state.Src, &f.state.Family, true)
			if x.family == unix.AF_UNSPEC {
				x.family = f.state.Family
			}
		}
	}
}

// lets reports whether a state is meant.
func (f *xfrmFilter) letsState(s *xfrm.State) bool {
	want := &f.state
	return !f.use || s.Src.Within(want.Src, f.src) && s.ID.Dst.Within(want.ID.Dst, f.dst) &&
		(want.Family == unix.AF_UNSPEC || want.Family == s.Family) &&
		(!f.given.proto || s.ID.Proto == want.ID.Proto) && (!f.given.spi || s.ID.SPI == want.ID.SPI) &&
		(!f.given.mode || s.Mode == want.Mode) && (!f.given.reqid || s.ReqID == want.ReqID) && (!f.given.flags || s.Flags&want.Flags != 0)
}

func (x *xfrmCommand) listStates(w *words) {
	x.stateFilter(w)
	f := &x.filter
	m := rtnl.NewMessage(0)
	if proto := f.state.ID.Proto; proto != 0 {
		m.U8(xfrm.AttrProto, proto)
	}
	xfrmBytes(m, xfrm.AttrAddressFilter, xfrm.AddressFilter{
		Src: f.state.Src, Dst: f.state.ID.Dst, Family: f.state.Family, SrcPrefix: uint8(f.src), DstPrefix: uint8(f.dst),
	})
	c := x.open()
	defer c.Close()
	for _, msg := range x.table(c, xfrm.GetState, m, "Dump terminated") {
		x.tellState(x.out(), msg)
	}
	done()
}

func (x *xfrmCommand) deleteStates() {
	x.deleteAll(xfrm.GetState, rtnl.NewMessage(0), func(m netlink.Message) *nl.Request {
		s, ok := xfrm.Decode[xfrm.State](m.Data)
		if !ok || !x.filter.letsState(&s) {
			return nil
		}
		del := xfrmMessage(xfrm.StateID{Dst: s.ID.Dst, SPI: s.ID.SPI, Family: s.Family, Proto: s.ID.Proto})
		del.Bytes(xfrm.AttrSource, s.Src[:])
		if b := rtnl.ParseAttrs(after[xfrm.State](m.Data)).Bytes(xfrm.AttrMark); b != nil {
			del.Bytes(xfrm.AttrMark, b)
		}
		req, err := del.Request(xfrm.DelState, 0)
		if err != nil {
			die("%v", err)
		}
		return &req
	})
	done()
}

func (x *xfrmCommand) flushStates(w *words) {
	var f xfrm.Flush
	given := false
	for ; w.more(); w.skip() {
		word := w.peek()
		if word != "proto" {
			invalid("unknown", word)
		}
		once(&given, "proto", word)
		f.Proto = mustName(xfrmProtos(), w.next(), "XFRM-PROTO value is invalid")
	}
	if x.opt.stats > 1 {
		x.hint(fmt.Sprintf("Flush state with XFRM-PROTO value \"%s\"", nameFor(xfrmProtos(), f.Proto)))
	}
	x.talk(xfrm.FlushState, xfrmMessage(f))
}

// everything is the head of the messages about the databases themselves.
func everything() *rtnl.Message {
	m := rtnl.NewMessage(4)
	native.PutUint32(m.Head(), ^uint32(0))
	return m
}

func (x *xfrmCommand) countStates(*words) {
	answer := x.query(xfrm.GetSADInfo, everything())
	p := x.out()
	if len(answer.Data) < 4 {
		return
	}
	a := rtnl.ParseAttrs(answer.Data[4:])
	if !a.Has(xfrm.AttrSADCount) {
		p.text("BAD SAD info returned\n")
		return
	}
	p.text("\t SAD count %d", a.S32(xfrm.AttrSADCount))
	if h, ok := xfrm.Decode[xfrm.HashCount](a.Bytes(xfrm.AttrSADHash)); ok && x.opt.stats > 0 {
		p.text(" (buckets count %d Max %d)", int32(h.Count), int32(h.Max))
	}
	p.text("\n")
}
