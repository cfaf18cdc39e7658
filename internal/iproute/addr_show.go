package iproute

import (
	"fmt"
	"net/netip"
	"path"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// An addrMsg is an RTM_NEWADDR message.
type addrMsg struct {
	family, bits, scope uint8
	index               int
	flags               uint32
	a                   rtnl.Attrs
	data                []byte
}

func readAddr(data []byte) (addrMsg, bool) {
	if len(data) < rtnl.IfaddrLen {
		return addrMsg{}, false
	}
	m := addrMsg{
		family: data[0], bits: data[1], scope: data[3], index: int(native.Uint32(data[4:])), flags: uint32(data[2]),
		a: rtnl.ParseAttrs(data[rtnl.IfaddrLen:]), data: data,
	}
	if m.a.Has(unix.IFA_FLAGS) {
		m.flags = m.a.U32(unix.IFA_FLAGS)
	}
	return m, true
}

// An addrFilter is what is to be shown or flushed.
type addrFilter struct {
	link            linkFilter
	family          int
	scope           uint8
	hasScope        bool
	flags, flagMask uint32
	to              prefixWord
	label           string
}

func (s *session) addrFilter(w *words) *addrFilter {
	f := &addrFilter{link: linkFilter{group: -1}, family: s.opt.family}
	for w.more() {
		if !s.addrFilterWord(f, w) && !s.linkFilterWord(&f.link, w) {
			s.filterDev(&f.link, w)
		}
		w.skip()
	}
	return f
}

func (s *session) addrFilterWord(f *addrFilter, w *words) bool {
	switch word := w.peek(); word {
	case "to":
		f.to = prefix(w.next(), f.family)
		if f.family == unix.AF_UNSPEC && f.to.addr.IsValid() {
			f.family = familyOfAddr(f.to.addr)
		}
	case "scope":
		if next := w.next(); next != "all" {
			f.scope, f.hasScope = scopeWord(s, next), true
		}
	case "label":
		f.label = w.next()
	case "dynamic", "permanent", "primary", "secondary", "temporary", "-dynamic", "-permanent", "-primary", "-secondary", "-temporary",
		"tentative", "deprecated", "dadfailed", "home", "nodad", "mngtmpaddr", "noprefixroute", "autojoin", "optimistic", "stable-privacy",
		"-tentative", "-deprecated", "-dadfailed", "-home", "-nodad", "-mngtmpaddr", "-noprefixroute", "-autojoin", "-optimistic", "-stable-privacy":
		name, not := strings.CutPrefix(word, "-")
		switch name {
		case "dynamic":
			name, not = "permanent", !not
		case "primary":
			name, not = "secondary", !not
		}
		for _, flag := range addrFlags() {
			if flag.name == name {
				f.flagMask |= flag.bit
				f.flags &^= flag.bit
				if !not {
					f.flags |= flag.bit
				}
			}
		}
	default:
		return false
	}
	return true
}

func (f *addrFilter) lets(m *addrMsg, label string) bool {
	if f.family != unix.AF_UNSPEC && int(m.family) != f.family || f.link.index != 0 && m.index != int(f.link.index) ||
		f.hasScope && m.scope != f.scope || (f.flags^m.flags)&f.flagMask != 0 {
		return false
	}
	if f.label != "" {
		if !labelled(f.label, label) {
			return false
		}
	}
	if !f.to.addr.IsValid() {
		return true
	}
	a := m.a.Addr(unix.IFA_LOCAL)
	if !a.IsValid() {
		a = m.a.Addr(unix.IFA_ADDRESS)
	}
	return a.IsValid() && a.BitLen() == f.to.addr.BitLen() && netip.PrefixFrom(f.to.addr, f.to.bits).Contains(a)
}

// labelled reports whether a label is of that form, with a shell's wildcards.
func labelled(form, label string) bool {
	ok, err := path.Match(form, label)
	return err == nil && ok
}

// addrs reads the addresses of a family, of one link if it is named.
func (s *session) addrs(family int, index uint32) []addrMsg {
	var list []addrMsg
	for _, msg := range s.addrMessages(family, index) {
		if a, ok := readAddr(msg.Data); ok {
			list = append(list, a)
		}
	}
	return list
}

func (s *session) addrMessages(family int, index uint32) []netlink.Message {
	m := rtnl.NewMessage(rtnl.IfaddrLen)
	m.Head()[0] = uint8(family)
	native.PutUint32(m.Head()[4:], index)
	req, err := m.Request(unix.RTM_GETADDR, 0)
	if err != nil {
		die("%v", err)
	}
	return s.dump(req)
}

func addrShow(s *session, w *words) {
	f := s.addrFilter(w)
	if f.family == unix.AF_PACKET {
		f.link.label = f.label
		s.showLinks(&f.link, f.family, s.linked)
		return
	}
	if s.linked && f.link.named && f.link.group < 0 {
		s.showLinks(&f.link, f.family, true) // no addresses, as in iproute2
		return
	}
	s.linkByName(&f.link)
	p := s.out()
	links := s.linkMessages(&f.link, f.family)
	byLink := map[int][]addrMsg{}
	for _, a := range s.addrs(f.family, f.link.index) {
		byLink[a.index] = append(byLink[a.index], a)
	}
	for _, data := range links {
		l, ok := readLink(data)
		if !ok {
			continue
		}
		s.addrsOfLink(p, f, &l, byLink[l.index])
	}
}

// addrsOfLink prints a link and its addresses. A link that has addresses but none that are looked for is left out, as is one
// without any when a family is looked for.
func (s *session) addrsOfLink(p *printer, f *addrFilter, l *linkMsg, all []addrMsg) {
	name := l.a.Str(unix.IFLA_IFNAME)
	var list []addrMsg
	for _, a := range all {
		label := a.a.Str(unix.IFA_LABEL)
		if label == "" {
			label = name
		}
		if f.lets(&a, label) {
			list = append(list, a)
		}
	}
	if len(list) == 0 && (len(all) > 0 || f.family != unix.AF_UNSPEC) {
		return
	}
	if !f.link.lets(l) {
		p.openObject("")
		p.closeObject()
		return
	}
	shown := false
	switch {
	case s.opt.brief && f.family == unix.AF_UNSPEC && f.label != "":
		p.openObject("")
	case s.opt.brief:
		s.printLinkBrief(p, l, true)
	case s.opt.oneline, f.family == unix.AF_UNSPEC && f.label != "":
		p.openObject("")
	default:
		s.printLink(p, l, s.linked, f.family)
		p.text("\n")
		shown = true
	}
	p.openArray("addr_info", "")
	for i := range list {
		p.openObject("")
		s.printAddr(p, &list[i], name)
		p.closeObject()
	}
	p.closeArray("")
	if s.opt.brief {
		p.text("\n")
	} else if s.opt.stats > 0 && shown && !s.linked {
		s.printStatsAfter(p, l)
	}
	p.closeObject()
}

// printStatsAfter prints the counters as lines of their own.
func (s *session) printStatsAfter(p *printer, l *linkMsg) {
	if p.isJSON() {
		s.printStats(p, l)
		return
	}
	sub := &printer{nl: p.nl}
	s.printStats(sub, l)
	p.text("%s\n", strings.TrimPrefix(sub.b.String(), p.nl))
}

func (s *session) printAddr(p *printer, m *addrMsg, link string) {
	s.printDeleted(p)
	if !s.opt.brief {
		if s.opt.oneline || s.monitoring {
			num(p, "index", "%d: ", m.index)
			p.str("dev", "%s", link)
		}
		word := familyName(int(m.family))
		p.str("family", "    %s ", word)
	}
	local, peer := m.a.Addr(unix.IFA_LOCAL), m.a.Addr(unix.IFA_ADDRESS)
	if !local.IsValid() {
		local = peer
	}
	if !peer.IsValid() {
		peer = local
	}
	color := colorOfFamily(int(m.family))
	p.colored(color, "local", "%s", s.host(local))
	if peer != local {
		p.text(" peer ")
		p.colored(color, "address", "%s", s.host(peer))
	}
	num(p, "prefixlen", "/%d ", m.bits)
	if m.a.Has(unix.IFA_RT_PRIORITY) {
		num(p, "metric", "metric %d ", m.a.U32(unix.IFA_RT_PRIORITY))
	}
	if s.opt.brief {
		return
	}
	if m.a.Has(unix.IFA_BROADCAST) {
		p.text("brd ")
		p.colored(color, "broadcast", "%s ", s.host(m.a.Addr(unix.IFA_BROADCAST)))
	}
	if m.a.Has(unix.IFA_ANYCAST) {
		p.text("any ")
		p.colored(color, "anycast", "%s ", s.host(m.a.Addr(unix.IFA_ANYCAST)))
	}
	p.str("scope", "scope %s ", scopeName(s, m.scope))
	printAddrFlags(p, m)
	if m.a.Has(unix.IFA_LABEL) {
		p.str("label", "%s", m.a.Str(unix.IFA_LABEL))
	}
	s.printLifetimes(p, m)
	p.text("\n")
}

func printAddrFlags(p *printer, m *addrMsg) {
	flags := m.flags
	for _, f := range addrFlags() {
		switch {
		case f.bit == unix.IFA_F_PERMANENT:
			if flags&f.bit == 0 {
				p.is("dynamic", "dynamic ")
			}
		case flags&f.bit != 0:
			name := f.name
			if f.bit == unix.IFA_F_SECONDARY && m.family == unix.AF_INET6 {
				name = "temporary"
			}
			p.is(name, name+" ")
		}
		flags &^= f.bit
	}
	if flags != 0 {
		p.str("ifa_flags", "flags %s ", fmt.Sprintf("%02x", flags))
	}
}

func (s *session) printLifetimes(p *printer, m *addrMsg) {
	b := m.a.Bytes(unix.IFA_CACHEINFO)
	if len(b) < 8 {
		return
	}
	preferred, valid := native.Uint32(b), native.Uint32(b[4:])
	p.text("%s       valid_lft ", p.nl)
	one := func(v uint32, deprecated bool) {
		switch {
		case v == forever:
			p.text("forever")
		case deprecated:
			p.text("%dsec", int32(v))
		default:
			p.text("%dsec", v)
		}
	}
	one(valid, false)
	p.text(" preferred_lft ")
	one(preferred, m.flags&unix.IFA_F_DEPRECATED != 0)
	num(p, "valid_life_time", "", valid)
	num(p, "preferred_life_time", "", preferred)
}

// addrFlush deletes what the filter lets through.
func addrFlush(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "Flush requires arguments.")
	}
	f := s.addrFilter(w)
	if f.family == unix.AF_PACKET {
		fail(exitFailed, "Cannot flush link addresses.")
	}
	s.linkByName(&f.link)
	most := uint32(10) // rounds of what a deletion makes appear, as promoted secondaries
	if s.opt.loops != 0 {
		most = s.opt.loops
	}
	s.monitoring = true
	defer func() { s.monitoring = false }()
	const secondary = unix.IFA_F_SECONDARY
	if !s.empty(&flush{
		once: f.flagMask&secondary != 0 && f.flags&secondary == 0,                                       // else the secondary ones would go that become primary
		what: "addresses", typ: unix.RTM_DELADDR, most: most, code: exitUsage, gone: unix.EADDRNOTAVAIL, // a secondary
		each: func(yield func([]byte) bool) {
			for _, a := range s.addrs(f.family, f.link.index) {
				if f.lets(&a, a.a.Str(unix.IFA_LABEL)) && !yield(a.data) {
					return
				}
			}
		},
		show: func(p *printer, data []byte) {
			if a, ok := readAddr(data); ok {
				s.printAddr(p, &a, s.nameOf(a.index))
			}
		},
	}) {
		fail(exitUsage, "*** Flush remains incomplete after %d rounds. ***", most)
	}
}
