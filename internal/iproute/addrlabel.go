package iproute

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// Messages about the labels by which IPv6 chooses source addresses (RFC 6724, linux/if_addrlabel.h).
const (
	rtmNewAddrlabel = 72
	rtmDelAddrlabel = 73
	rtmGetAddrlabel = 74

	addrlabelLen   = 12
	ifalAddress    = 1
	ifalLabel      = 2
	noSuchLabel    = 0xffffffff
	addrlabelIndex = 4
)

// addrlabelObject is "ip addrlabel".
func addrlabelObject(s *session, w *words) {
	verbs := []verb{
		{"list", addrlabelShow},
		{"show", addrlabelShow},
		{"add", func(s *session, w *words) {
			addrlabelModify(s, w, rtmNewAddrlabel, netlink.Create|netlink.Excl)
		}},
		{"delete", func(s *session, w *words) { addrlabelModify(s, w, rtmDelAddrlabel, 0) }},
		{"flush", addrlabelFlush},
		{"help", func(*session, *words) { usageOf(addrlabelUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("addrlabel", word)
	}
}

func (s *session) addrlabels() []netlink.Message {
	m := rtnl.NewMessage(addrlabelLen)
	m.Head()[0] = unix.AF_INET6
	if s.opt.family != unix.AF_UNSPEC {
		m.Head()[0] = uint8(s.opt.family)
	}
	req, err := m.Request(rtmGetAddrlabel, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.kernel().Dump(s.ctx, req)
	if err != nil && len(msgs) == 0 {
		die("%s\nDump terminated", kernelText(err))
	}
	return msgs
}

func addrlabelShow(s *session, w *words) {
	if w.more() {
		fail(exitFailed, "\"ip addrlabel show\" does not take any arguments.")
	}
	p := s.out()
	for _, msg := range s.addrlabels() {
		s.printAddrlabel(p, msg.Data)
	}
}

func (s *session) printAddrlabel(p *printer, data []byte) {
	if len(data) < addrlabelLen {
		return
	}
	a := rtnl.ParseAttrs(data[addrlabelLen:])
	p.openObject("")
	s.printDeleted(p)
	if a.Has(ifalAddress) {
		p.text("prefix ")
		p.colored(colorOfFamily(int(data[0])), "address", "%s", a.Addr(ifalAddress).String())
		num(p, "prefixlen", "/%d ", data[2])
	}
	if index := native.Uint32(data[addrlabelIndex:]); index != 0 {
		p.text("dev ")
		p.colored(colorName, "ifname", "%s ", s.nameOf(int(index)))
	}
	if a.Has(ifalLabel) {
		num(p, "label", "label %d ", a.S32(ifalLabel))
	}
	p.text("\n")
	p.closeObject()
}

func addrlabelModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	var where prefixWord
	label, dev := uint32(noSuchLabel), uint32(0)
	for w.more() {
		switch w.peek() {
		case "prefix":
			where = hostPrefix(w.next(), s.opt.family)
		case "dev":
			dev = s.tokenDevice(w.next())
		case "label":
			n, ok := parseUint(w.next(), 0, 32)
			if !ok || n == noSuchLabel {
				invalid("invalid label value\n", w.peek())
			}
			label = uint32(n)
		}
		w.skip()
	}
	if !where.set() {
		fail(exitFailed, "Not enough information: \"prefix\" argument is required.")
	}
	if label == noSuchLabel {
		fail(exitFailed, "Not enough information: \"label\" argument is required.")
	}
	m := rtnl.NewMessage(addrlabelLen)
	m.U32(ifalLabel, label)
	m.Addr(ifalAddress, where.addr)
	head := m.Head()
	head[0], head[2] = uint8(s.opt.family), uint8(where.bits)
	if where.addr.IsValid() {
		head[0] = uint8(familyOfAddr(where.addr))
	}
	native.PutUint32(head[addrlabelIndex:], dev)
	s.do(m.Request(typ, flags))
}

func addrlabelFlush(s *session, w *words) {
	if w.more() {
		fail(exitFailed, "\"ip addrlabel flush\" does not allow extra arguments")
	}
	var reqs []nl.Request
	for _, m := range s.addrlabels() {
		reqs = append(reqs, nl.Request{Type: rtmDelAddrlabel, Data: m.Data})
	}
	for _, err := range s.kernel().Batch(reqs) {
		if err != nil {
			exit("%s\nFlush terminated", kernelText(err))
		}
	}
}
