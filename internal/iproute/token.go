package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// iflaInet6Token is IFLA_INET6_TOKEN (linux/if_link.h): the lower half of the addresses that a link gives itself.
const iflaInet6Token = 7

// tokenObject is "ip token".
func tokenObject(s *session, w *words) {
	verbs := []verb{
		{"list", tokenShow},
		{"lst", tokenShow},
		{"show", tokenShow},
		{"set", func(s *session, w *words) { tokenSet(s, w, true) }},
		{"get", tokenShow},
		{"delete", func(s *session, w *words) { tokenSet(s, w, false) }},
		{"help", func(*session, *words) { usageOf(tokenUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("token", word)
	}
}

func tokenShow(s *session, w *words) {
	index := uint32(0)
	for ; w.more(); w.skip() { // other words are passed over
		if w.peek() == "dev" {
			if next := w.next(); index != 0 {
				duplicate("dev", next)
			}
			index = s.tokenDevice(w.peek())
		}
	}
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	m.Head()[0] = unix.AF_INET6
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		l, ok := readLink(msg.Data)
		if !ok || l.family != unix.AF_INET6 || index != 0 && l.index != int(index) || l.flags&(unix.IFF_LOOPBACK|unix.IFF_NOARP) != 0 {
			continue
		}
		token := protInfo6(&l).Addr(iflaInet6Token)
		if !token.IsValid() {
			continue
		}
		p.openObject("")
		p.text("token ")
		p.colored(colorInet6, "token", "%s", token.String())
		p.text(" ")
		p.text("dev ")
		p.colored(colorName, "ifname", "%s\n", s.nameOf(l.index))
		p.closeObject()
	}
}

// protInfo6 is what a message of IPv6's about a link tells.
func protInfo6(l *linkMsg) rtnl.Attrs {
	if l.a.Has(unix.IFLA_PROTINFO) {
		return l.a.Nested(unix.IFLA_PROTINFO)
	}
	return l.a.Nested(unix.IFLA_AF_SPEC).Nested(unix.AF_INET6)
}

func tokenSet(s *session, w *words, set bool) {
	token, has, dev, index := netip.Addr{}, !set, "", uint32(0)
	if !set {
		token = netip.IPv6Unspecified()
	}
	for w.more() {
		switch word := w.peek(); {
		case word == "dev":
			if next := w.next(); dev != "" {
				duplicate("dev", next)
			}
			dev = w.peek()
			index = s.tokenDevice(dev)
		case matches(word, "help"):
			usageOf(tokenUsage)
		case has: // a word too many is passed over
		default:
			token, has = hostPrefix(word, unix.AF_INET6).addr, true
		}
		w.skip()
	}
	if !has {
		fail(exitFailed, "Not enough information: token is required.")
	}
	if dev == "" {
		fail(exitFailed, "Not enough information: \"dev\" argument is required.")
	}
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	spec := m.Begin(unix.IFLA_AF_SPEC)
	six := m.Begin(unix.AF_INET6)
	m.Addr(iflaInet6Token, token)
	m.End(six)
	m.End(spec)
	m.Head()[0] = unix.AF_INET6
	native.PutUint32(m.Head()[4:], index)
	s.do(m.Request(unix.RTM_SETLINK, 0))
}

// tokenDevice finds a link for which the word is right.
func (s *session) tokenDevice(name string) uint32 {
	index := s.indexOf(name)
	if index == 0 {
		invalid("dev is invalid\n", name)
	}
	return uint32(index)
}
