package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

func neighShow(s *session, w *words) {
	f := s.neighFilter(w, false)
	p := s.out()
	for _, data := range s.neighMessages(f) {
		s.printNeigh(p, data, f.index != 0)
	}
}

// neighGet asks for one entry.
func neighGet(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	dev, has, flags, family := "", false, uint8(0), s.opt.family
	for w.more() {
		switch word := w.peek(); word {
		case "dev":
			dev = w.next()
		case "proxy":
			flags |= unix.NTF_PROXY
			w.next()
			fallthrough
		default:
			if w.peek() == "to" {
				w.next()
			}
			if has {
				garbage("to", w.peek())
			}
			a, of := host(w.peek(), family)
			family, has = of, of != unix.AF_UNSPEC
			m.Addr(unix.NDA_DST, a)
		}
		w.skip()
	}
	if dev == "" || !has {
		fail(exitFailed, "Device and address are required arguments.")
	}
	head := m.Head()
	head[0], head[10] = uint8(family), flags
	native.PutUint32(head[4:], s.device(dev))
	req, err := m.Request(unix.RTM_GETNEIGH, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.ask(req)
	refused(err)
	s.opt.json = false // as with ip
	p := s.out()
	for _, msg := range msgs {
		s.printNeigh(p, msg.Data, false)
	}
}

func (s *session) printNeigh(p *printer, b []byte, hideDev bool) {
	index, state, flags := native.Uint32(b[4:]), native.Uint16(b[8:]), b[10]
	a := rtnl.ParseAttrs(b[rtnl.NdmsgLen:])
	p.openObject("")
	s.printDeleted(p)
	if s.opt.brief {
		s.printNeighBrief(p, a, int(b[0]), index, hideDev)
		return
	}
	if a.Has(unix.NDA_DST) {
		p.colored(colorOfFamily(int(b[0])), "dst", "%s ", s.host(a.Addr(unix.NDA_DST)))
	}
	if !hideDev && index != 0 {
		p.text("dev ")
		p.colored(colorName, "dev", "%s ", s.nameOf(int(index)))
	}
	if ll := a.Bytes(unix.NDA_LLADDR); ll != nil {
		hw := uint16(0)
		if l, ok := s.brief(int(index)); ok {
			hw = l.hw
		}
		p.text("lladdr ")
		p.colored(colorMAC, "lladdr", "%s ", hwAddr(ll, hw))
	}
	for _, f := range []struct {
		set  bool
		name string
	}{
		{flags&unix.NTF_ROUTER != 0, "router"},
		{flags&unix.NTF_PROXY != 0, "proxy"},
		{a.U32(ndaFlagsExt)&ntfExtManaged != 0, "managed"},
		{flags&unix.NTF_EXT_LEARNED != 0, "extern_learn"},
		{flags&unix.NTF_OFFLOADED != 0, "offload"},
	} {
		if f.set {
			p.null(f.name, f.name+" ")
		}
	}
	if s.opt.stats > 0 {
		printNeighStats(p, a)
	}
	if state != 0 {
		p.openArray("state", "")
		for _, n := range nudStates() {
			if state&uint16(n.value) != 0 {
				state &^= uint16(n.value)
				p.item("%s ", n.name)
			}
		}
		if state != 0 {
			p.item("%s ", strconv.FormatUint(uint64(state), 16))
		}
		p.closeArray("")
	}
	if a.Has(ndaProtocol) {
		p.str("protocol", "proto %s ", protocolName(s, a.U8(ndaProtocol)))
	}
	p.text("\n")
	p.closeObject()
}

// printNeighBrief prints the line of -br, and closes the entry.
func (s *session) printNeighBrief(p *printer, a rtnl.Attrs, family int, index uint32, hideDev bool) {
	if a.Has(unix.NDA_DST) {
		p.colored(colorOfFamily(family), "dst", "%-40s", s.host(a.Addr(unix.NDA_DST)))
	}
	if !hideDev && index != 0 {
		p.colored(colorName, "dev", "%-17s", s.nameOf(int(index)))
	}
	if ll := a.Bytes(unix.NDA_LLADDR); ll != nil {
		hw := uint16(0)
		if l, ok := s.brief(int(index)); ok {
			hw = l.hw
		}
		p.colored(colorMAC, "lladdr", "%s", hwAddr(ll, hw))
	}
	p.text("\n")
	p.closeObject()
}

func printNeighStats(p *printer, a rtnl.Attrs) {
	const ticks = 100 // of a second
	if c := a.Bytes(unix.NDA_CACHEINFO); len(c) >= 16 {
		if refs := native.Uint32(c[12:]); refs != 0 {
			num(p, "refcnt", " ref %d", refs)
		}
		num(p, "used", " used %d", native.Uint32(c[4:])/ticks)
		num(p, "confirmed", "/%d", native.Uint32(c)/ticks)
		num(p, "updated", "/%d", native.Uint32(c[8:])/ticks)
	}
	if a.Has(unix.NDA_PROBES) {
		num(p, "probes", "probes %d ", a.U32(unix.NDA_PROBES))
	}
}
