package iproute

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// These print parts of states and policies. A prefix stands before each of their lines.

// ntop writes an address as the C library does: one that starts with 96 zero bits ends in IPv4's notation.
func ntop(a netip.Addr) string {
	if !a.IsValid() {
		return "???"
	}
	if b := a.As16(); a.Is6() && !a.Is4In6() && [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return a.String()
}

// endLine ends an entry that is one line.
func (x *xfrmCommand) endLine(p *printer) {
	if x.opt.oneline {
		p.text("\n")
	}
}

// detailed: -s was there.
func (x *xfrmCommand) detailed() bool { return x.opt.stats > 0 }

// printFlagNames prints the names of flags, and a number for those without one.
func printFlagNames(p *printer, list []xfrmName, flags uint32) {
	for _, f := range list {
		if flags&uint32(f.value) != 0 {
			flags &^= uint32(f.value)
			p.text("%s", f.name)
			if flags != 0 {
				p.text(" ")
			}
		}
	}
	if flags != 0 {
		p.text("%x", flags)
	}
}

func (x *xfrmCommand) printID(p *printer, src xfrm.Address, id xfrm.ID, family uint16, mode uint8, reqid uint32, always bool, prefix, title string) {
	p.text("%ssrc %s dst %s%s%s\t", title, ntop(src.Addr(family)), ntop(id.Dst.Addr(family)), p.nl, prefix)
	p.text("proto %s ", nameFor(xfrmProtos(), id.Proto))
	if x.detailed() || always || id.SPI.Get() != 0 {
		x.printSPI(p, id.SPI.Get())
	}
	p.text("reqid %d", reqid)
	if x.detailed() {
		p.text("(0x%08x)", reqid)
	}
	p.text(" mode %s%s", nameFor(xfrmModes(), mode), p.nl)
}

func (x *xfrmCommand) printSPI(p *printer, spi uint32) {
	p.text("spi 0x%08x", spi)
	if x.detailed() {
		p.text("(%d)", spi)
	}
	p.text(" ")
}

func xfrmAmount(limit uint64) string {
	if limit == xfrm.Infinite {
		return "(INF)"
	}
	return strconv.FormatUint(limit, 10)
}

func xfrmTime(seconds uint64) string {
	if seconds == 0 {
		return "-"
	}
	return time.Unix(int64(seconds), 0).Format("2006-01-02 15:04:05")
}

func printLifetime(p *printer, l *xfrm.Lifetime, used *xfrm.Used, prefix string) {
	line := func(format string, args ...any) {
		p.text("%s"+format+"%s", append(append([]any{prefix}, args...), p.nl)...)
	}
	line("lifetime config:")
	line("  limit: soft %s(bytes), hard %s(bytes)", xfrmAmount(l.SoftBytes), xfrmAmount(l.HardBytes))
	line("  limit: soft %s(packets), hard %s(packets)", xfrmAmount(l.SoftPackets), xfrmAmount(l.HardPackets))
	line("  expire add: soft %d(sec), hard %d(sec)", l.SoftAdd, l.HardAdd)
	line("  expire use: soft %d(sec), hard %d(sec)", l.SoftUse, l.HardUse)
	line("lifetime current:")
	line("  %d(bytes), %d(packets)", used.Bytes, used.Packets)
	line("  add %s use %s", xfrmTime(used.Added), xfrmTime(used.First))
}

func (x *xfrmCommand) printSelector(p *printer, sel *xfrm.Selector, family uint16, prefix string) {
	if sel.Family != unix.AF_UNSPEC {
		family = sel.Family
	}
	if family == unix.AF_UNSPEC {
		family = x.family
	}
	p.text("%ssrc %s/%d dst %s/%d ", prefix, ntop(sel.Src.Addr(family)), sel.SrcPrefix, ntop(sel.Dst.Addr(family)), sel.DstPrefix)
	if sel.Proto != 0 {
		p.text("proto %s ", x.protoName(sel.Proto))
	}
	src, dst := sel.SrcPortMask.Get() != 0, sel.DstPortMask.Get() != 0
	one := func(given bool, word string, v xfrm.BE16) {
		if given {
			p.text("%s %d ", word, v.Get())
		}
	}
	switch sel.Proto {
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		one(src, "type", sel.SrcPort)
		one(dst, "code", sel.DstPort)
	case unix.IPPROTO_GRE:
		if src || dst {
			p.text("key %d ", uint32(sel.SrcPort.Get())<<16+uint32(sel.DstPort.Get()))
		}
	case protoMH:
		one(src, "type", sel.SrcPort)
		if dst && x.detailed() {
			p.text("(dport) 0x%.4x ", native.Uint16(sel.DstPort[:]))
		}
	default:
		one(src, "sport", sel.SrcPort)
		one(dst, "dport", sel.DstPort)
	}
	if sel.Link > 0 {
		p.text("dev %s ", x.nameOf(int(sel.Link)))
	}
	if x.detailed() {
		p.text("uid %d", sel.User)
	}
	p.text("%s", p.nl)
}

// cString is what stands before the first zero.
func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// printAlgorithm prints one with its key, whose bytes come after the head; a head that is longer than the shortest ends in a length.
func (x *xfrmCommand) printAlgorithm(p *printer, kind string, b []byte, head int, prefix string, nokeys bool) {
	a, ok := xfrm.Decode[xfrm.Algorithm](b)
	p.text("%s%s ", prefix, kind)
	switch key := b[min(head, len(b)):]; {
	case !ok || len(b) < head:
		p.text("(ERROR truncated)%s", p.nl)
		return
	case len(key) < int(a.Bits/8):
		p.text("%s (ERROR truncated)", cString(a.Name[:]))
	default:
		p.text("%s ", cString(a.Name[:]))
		switch {
		case nokeys:
			p.text("<<Keys hidden>>")
		case a.Bits/8 > 0:
			p.text("0x%x", key[:a.Bits/8])
			if x.detailed() {
				p.text(" (%d bits)", int32(a.Bits))
			}
		}
	}
	if head > xfrm.Size[xfrm.Algorithm]() {
		p.text(" %d", int32(native.Uint32(b[xfrm.Size[xfrm.Algorithm]():])))
	}
	p.text("%s", p.nl)
}

func (x *xfrmCommand) printTemplates(p *printer, b []byte, prefix string) {
	n := 0
	for ; ; n++ {
		t, ok := xfrm.Decode[xfrm.Template](b)
		if !ok {
			break
		}
		b = b[xfrm.Size[xfrm.Template]():]
		p.text("%s", prefix)
		x.printID(p, t.Src, t.ID, t.Family, t.Mode, t.ReqID, false, prefix, "tmpl ")
		if x.detailed() || t.Optional != 0 {
			level := map[uint8]string{0: "required", 1: "use"}[t.Optional]
			if level == "" {
				level = strconv.Itoa(int(t.Optional))
			}
			p.text("%s\tlevel %s ", prefix, level)
			if x.detailed() {
				p.text("share %s ", xfrmShare(t.Share))
			}
			p.text("%s", p.nl)
		}
		if x.detailed() {
			p.text("%s\t", prefix)
			printMasks(p, t.Crypt, t.Auth, t.Comp)
			p.text("%s", p.nl)
		}
	}
	if n == 0 {
		p.text("%s(ERROR \"tmpl\" truncated)%s", prefix, p.nl)
	}
}

func printMasks(p *printer, crypt, auth, comp uint32) {
	p.text("enc-mask %.8x auth-mask %.8x comp-mask %.8x", crypt, auth, comp)
}

func xfrmShare(v uint8) string {
	return nameFor([]xfrmName{{"any", 0}, {"session", 1}, {"user", 2}, {"unique", 3}}, v)
}

// printAttrs prints what states and policies may have.
func (x *xfrmCommand) printAttrs(p *printer, a rtnl.Attrs, family uint16, prefix string, nokeys bool) {
	printMarks(p, a)
	if b := a.Bytes(xfrm.AttrAuth); b != nil && !a.Has(xfrm.AttrAuthTrunc) {
		x.printAlgorithm(p, "auth", b, xfrm.Size[xfrm.Algorithm](), prefix, nokeys)
	}
	if b := a.Bytes(xfrm.AttrAuthTrunc); b != nil {
		x.printAlgorithm(p, "auth-trunc", b, xfrm.Size[xfrm.AlgorithmTruncated](), prefix, nokeys)
	}
	if b := a.Bytes(xfrm.AttrAEAD); b != nil {
		x.printAlgorithm(p, "aead", b, xfrm.Size[xfrm.AlgorithmAEAD](), prefix, nokeys)
	}
	if b := a.Bytes(xfrm.AttrCrypt); b != nil {
		x.printAlgorithm(p, "enc", b, xfrm.Size[xfrm.Algorithm](), prefix, nokeys)
	}
	if b := a.Bytes(xfrm.AttrComp); b != nil {
		x.printAlgorithm(p, "comp", b, xfrm.Size[xfrm.Algorithm](), prefix, nokeys)
	}
	truncated := func(word string, ok bool) bool {
		p.text("%s%s", prefix, word)
		if !ok {
			p.text("(ERROR truncated)%s", p.nl)
		}
		return !ok
	}
	if a.Has(xfrm.AttrEncap) {
		e, ok := xfrm.Decode[xfrm.Encap](a.Bytes(xfrm.AttrEncap))
		if truncated("encap ", ok) {
			return
		}
		kind := nameFor([]xfrmName{{"espinudp-nonike", xfrm.EncapUDPNonIKE}, {"espinudp", xfrm.EncapUDP}, {"espintcp", xfrm.EncapTCP}}, uint8(e.Type))
		if e.Type > 0xff {
			kind = strconv.Itoa(int(e.Type))
		}
		p.text("type %s sport %d dport %d addr %s%s", kind, e.SPort.Get(), e.DPort.Get(), ntop(e.Original.Addr(family)), p.nl)
	}
	if b := a.Bytes(xfrm.AttrTemplates); b != nil {
		x.printTemplates(p, b, prefix)
	}
	if b := a.Bytes(xfrm.AttrCareOf); b != nil {
		if truncated("coa ", len(b) >= 16) {
			return
		}
		p.text("%s%s", ntop(xfrm.Address(b[:16]).Addr(family)), p.nl)
	}
	if b := a.Bytes(xfrm.AttrLastUsed); b != nil {
		if truncated("lastused ", len(b) >= 8) {
			return
		}
		p.text("%s%s", xfrmTime(native.Uint64(b)), p.nl)
	}
	x.printReplay(p, a, prefix)
	x.printExtras(p, a, prefix)
}

// printMarks prints what packets are compared with and what they get, in one line.
func printMarks(p *printer, a rtnl.Attrs) {
	m, ok := xfrm.Decode[xfrm.Mark](a.Bytes(xfrm.AttrMark))
	if !ok && !a.Has(xfrm.AttrOutputMark) {
		return
	}
	p.text("\t")
	if ok {
		p.text("mark %s/%s ", sharpHex(m.Value), sharpHex(m.Mask))
	}
	if a.Has(xfrm.AttrOutputMark) {
		p.text("output-mark 0x%x", a.U32(xfrm.AttrOutputMark))
		if a.Has(xfrm.AttrOutputMask) {
			p.text("/0x%x", a.U32(xfrm.AttrOutputMask))
		}
	}
	p.text("%s", p.nl)
}

func (x *xfrmCommand) printReplay(p *printer, a rtnl.Attrs, prefix string) {
	if r, ok := xfrm.Decode[xfrm.Replay](a.Bytes(xfrm.AttrReplay)); ok {
		p.text("%santi-replay context: seq 0x%x, oseq 0x%x, bitmap 0x%08x%s", prefix, r.Seq, r.OSeq, r.Bitmap, p.nl)
	}
	b := a.Bytes(xfrm.AttrReplayESN)
	r, ok := xfrm.Decode[xfrm.ReplayESN](b)
	if !ok {
		return
	}
	p.text("%santi-replay esn context:%s", prefix, p.nl)
	p.text("%s seq-hi 0x%x, seq 0x%x, oseq-hi 0x%0x, oseq 0x%0x%s", prefix, r.SeqHigh, r.Seq, r.OSeqHigh, r.OSeq, p.nl)
	p.text("%s replay_window %d, bitmap-length %d%s", prefix, r.Window, r.Words, p.nl)
	bits := b[xfrm.Size[xfrm.ReplayESN]():]
	words := min(int(r.Words), len(bits)/4)
	const perLine = 8
	for i := range words { // the newest first
		if i%perLine == 0 {
			if i > 0 {
				p.text("%s", p.nl)
			}
			p.text("%s ", prefix)
		}
		p.text("%08x ", native.Uint32(bits[4*(words-1-i):]))
	}
	if words > 0 {
		p.text("%s", p.nl)
	}
}

func (x *xfrmCommand) printExtras(p *printer, a rtnl.Attrs, prefix string) {
	if o, ok := xfrm.Decode[xfrm.Offload](a.Bytes(xfrm.AttrOffload)); ok {
		dir := "out"
		if o.Flags&xfrm.OffloadInbound != 0 {
			dir = "in"
		}
		p.text("%scrypto offload parameters: dev %s dir %s%s", prefix, x.nameOf(int(o.Link)), dir, p.nl)
	}
	if a.Has(xfrm.AttrInterface) {
		p.text("%sif_id %s%s", prefix, sharpHex(a.U32(xfrm.AttrInterface)), p.nl)
	}
	if a.Has(xfrm.AttrTFCPad) {
		p.text("%stfcpad %d%s", prefix, a.U32(xfrm.AttrTFCPad), p.nl)
	}
}

// sharpHex is C's %#x.
func sharpHex(v uint32) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("0x%x", v)
}

func printContext(p *printer, a rtnl.Attrs, format string) {
	if b := a.Bytes(xfrm.AttrContext); b != nil {
		p.text("\tsecurity context ")
		head := xfrm.Size[xfrm.Context]()
		if len(b) < head {
			p.text("(ERROR truncated)")
			head = len(b)
		}
		p.text(format, cString(b[head:]), p.nl)
	}
}
