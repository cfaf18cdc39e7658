package iproute

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// hint says something that is no failure.
func (s *session) hint(text string) { fmt.Fprintln(s.stdio.Err, text) }

// A linkFilter is what "show" is to be restricted to; the kernel does what it can of it.
type linkFilter struct {
	index  uint32
	dev    string
	named  bool // a link was named, if by no name at all
	up     bool
	group  int64
	master uint32
	noMast bool
	kind   string
	label  string // of addresses, which names links too
}

func (f *linkFilter) lets(l *linkMsg) bool {
	switch {
	case f.index != 0 && l.index != int(f.index),
		f.up && l.flags&unix.IFF_UP == 0,
		f.group >= 0 && l.a.Has(unix.IFLA_GROUP) && int64(l.a.U32(unix.IFLA_GROUP)) != f.group,
		f.master != 0 && l.a.U32(unix.IFLA_MASTER) != f.master,
		f.noMast && l.a.U32(unix.IFLA_MASTER) != 0:
		return false
	}
	return f.kind == "" || l.isKind(f.kind)
}

// isKind reports whether the link, or with KIND_slave its master, is of that kind.
func (l *linkMsg) isKind(kind string) bool {
	info := l.a.Nested(unix.IFLA_LINKINFO)
	if n := len(kind) - len("_slave"); n > 0 && kind[n:] == "_slave" {
		return info.Str(unix.IFLA_INFO_SLAVE_KIND) == kind[:n]
	}
	return info.Str(unix.IFLA_INFO_KIND) == kind
}

func linkShow(s *session, w *words) {
	f := linkFilter{group: -1}
	for w.more() {
		if !s.linkFilterWord(&f, w) {
			s.filterDev(&f, w)
		}
		w.skip()
	}
	s.linked = s.personality != Warren
	s.showLinks(&f, unix.AF_UNSPEC, true)
}

// linkFilterWord reads a word that "ip link show" and "ip addr show" share.
func (s *session) linkFilterWord(f *linkFilter, w *words) bool {
	switch w.peek() {
	case "up":
		f.up = true
	case "group":
		f.group = int64(groupWord(s, w.next()))
	case "master":
		index := s.indexOf(w.next())
		if index == 0 {
			invalid("Device does not exist\n", w.peek())
		}
		f.master = uint32(index)
	case "nomaster":
		f.noMast = true
	case "vrf":
		f.master = s.domain(w.next(), "Not a valid VRF name\n")
	case "type":
		f.kind = w.next()
	default:
		return false
	}
	return true
}

// filterDev reads the link, with or without "dev".
func (s *session) filterDev(f *linkFilter, w *words) {
	if w.peek() == "dev" {
		w.next()
	} else if matches(w.peek(), "help") {
		usageOf(addrUsage)
	}
	if f.dev != "" {
		garbage("dev", w.peek())
	}
	f.dev, f.named = w.peek(), true
}

// linkByName finds the link that a filter names.
func (s *session) linkByName(f *linkFilter) {
	if !f.named {
		return
	}
	f.index = uint32(s.indexOf(f.dev))
	if f.index == 0 {
		fail(exitFailed, "Device \"%s\" does not exist.", f.dev)
	}
}

// linkMessages reads the links: one, or all.
func (s *session) linkMessages(f *linkFilter, family int) [][]byte {
	var datas [][]byte
	if f.index != 0 {
		msgs, err := s.ask(rtnl.GetLinkIndex(int(f.index)))
		refused(err)
		for _, m := range msgs {
			datas = append(datas, m.Data)
		}
		return datas
	}
	c := s.cache()
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	m.Head()[0] = uint8(family)
	if f.master != 0 {
		m.U32(unix.IFLA_MASTER, f.master)
	}
	if f.kind != "" {
		info := m.Begin(unix.IFLA_LINKINFO)
		m.Str(unix.IFLA_INFO_KIND, f.kind)
		m.End(info)
	}
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.kernel().Dump(s.ctx, req)
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		if family == unix.AF_INET6 {
			return nil // IPv6's list of links cannot be filtered
		}
		fail(exitFailed, "%s\nDump terminated", kernelText(err))
	}
	for _, m := range msgs {
		c.add(m.Data)
		datas = append(datas, m.Data)
	}
	c.whole = f.master == 0 && f.kind == ""
	return datas
}

func (s *session) showLinks(f *linkFilter, family int, forLink bool) {
	s.linkByName(f)
	p := s.out()
	for _, data := range s.linkMessages(f, unix.AF_UNSPEC) {
		l, ok := readLink(data)
		if f.label != "" && !labelled(f.label, l.a.Str(unix.IFLA_IFNAME)) {
			continue
		}
		if !ok || !f.lets(&l) {
			// What the kernel could not leave out is an empty object.
			p.openObject("")
			p.closeObject()
			continue
		}
		if s.opt.brief {
			s.printLinkBrief(p, &l, false)
			continue
		}
		s.printLink(p, &l, forLink, family)
		p.text("\n")
		p.closeObject()
	}
}
