package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// netconfLen is the size of struct netconfmsg, padded (linux/netconf.h).
const netconfLen = 4

// netconfObject is "ip netconf".
func netconfObject(s *session, w *words) {
	verbs := []verb{
		{"show", netconfShow},
		{"lst", netconfShow},
		{"list", netconfShow},
		{"help", func(*session, *words) { usageOf(netconfUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("netconf", word)
	}
}

// A netconfFilter is what is to be shown.
type netconfFilter struct {
	family int
	index  uint32
}

func (f *netconfFilter) lets(data []byte) bool {
	if len(data) < netconfLen || f.family != unix.AF_UNSPEC && int(data[0]) != f.family {
		return false
	}
	const index = 1
	return f.index == 0 || rtnl.ParseAttrs(data[netconfLen:]).U32(index) == f.index
}

func netconfShow(s *session, w *words) {
	f := netconfFilter{family: s.opt.family}
	for w.more() {
		if w.peek() == "dev" {
			name := w.next()
			if f.index = uint32(s.indexOf(name)); f.index == 0 {
				fail(exitFailed, "Device \"%s\" does not exist.", name)
			}
		}
		w.skip()
	}
	if f.family != unix.AF_UNSPEC && f.index != 0 {
		s.opt.json = false // as with iproute2
	}
	m := rtnl.NewMessage(netconfLen)
	m.Head()[0] = uint8(f.family)
	req, err := m.Request(unix.RTM_GETNETCONF, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		if f.lets(msg.Data) {
			s.printNetconf(p, msg.Data)
		}
	}
}

// printNetconf prints the settings of a link, of all or of those to come (NETCONFA_*).
func (s *session) printNetconf(p *printer, data []byte) {
	const (
		index, forwarding, rpFilter, mcForwarding, proxyNeigh, ignoreDown, input = 1, 2, 3, 4, 5, 6, 7
		all, others                                                              = -1, -2
	)
	a := rtnl.ParseAttrs(data[netconfLen:])
	p.openObject("")
	s.printDeleted(p)
	family := familyName(int(data[0]))
	if data[0] == unix.AF_MPLS {
		family = "mpls"
	}
	p.str("family", "%s ", family)
	if a.Has(index) {
		switch i := a.S32(index); i {
		case all:
			p.colored(colorName, "interface", "%s ", "all")
		case others:
			p.colored(colorName, "interface", "%s ", "default")
		default:
			p.colored(colorName, "interface", "%s ", s.nameOf(int(i)))
		}
	}
	onOff := func(typ int, key string) {
		if a.Has(typ) {
			p.onOff(key, key+" %s ", a.U32(typ) != 0)
		}
	}
	onOff(forwarding, "forwarding")
	if a.Has(rpFilter) {
		words := []string{"off", "strict", "loose"}
		word := "unknown"
		if v := a.U32(rpFilter); int(v) < len(words) {
			word = words[v]
		}
		p.str("rp_filter", "rp_filter %s ", word)
	}
	onOff(mcForwarding, "mc_forwarding")
	onOff(proxyNeigh, "proxy_neigh")
	onOff(ignoreDown, "ignore_routes_with_linkdown")
	onOff(input, "input")
	p.text("\n")
	p.closeObject()
}
