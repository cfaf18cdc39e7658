package plan

import (
	"fmt"
	"strings"

	"warren/state"
)

func (s *shell) cable(c *Cable, verb Verb) {
	if verb == Delete {
		s.line(ip(c.A.NS), "link del", quote(c.A.Link.Name))
		return
	}
	place := ""
	if c.A.NS != c.B.NS {
		place = "netns " + quote(c.B.NS)
		if c.B.NS == state.HostNS {
			place = "netns 1"
		}
	}
	s.line(ip(c.A.NS), "link add name", quote(c.A.Link.Name), birthArgs(&c.A.Link), masterArg(&c.A.Link), upArg(&c.A.Link), "type veth peer name",
		quote(c.B.Link.Name), place, birthArgs(&c.B.Link))
	s.later(c.A.NS, &c.A.Link, true)
	s.later(c.B.NS, &c.B.Link, true)
}

func birthArgs(l *state.Link) string {
	var w []string
	if l.MTU != 0 {
		w = append(w, fmt.Sprintf("mtu %d", l.MTU))
	}
	if !l.MAC.IsZero() {
		w = append(w, "address "+l.MAC.String())
	}
	if l.TxQueueLen != 0 {
		w = append(w, fmt.Sprintf("txqueuelen %d", l.TxQueueLen))
	}
	if l.Group != 0 {
		w = append(w, fmt.Sprintf("group %d", l.Group))
	}
	return strings.Join(w, " ")
}

func masterArg(l *state.Link) string {
	if l.Master == "" {
		return ""
	}
	return "master " + quote(l.Master)
}

func upArg(l *state.Link) string {
	if l.Up {
		return "up"
	}
	return ""
}

// later writes what a link gets after its birth.
func (s *shell) later(ns string, l *state.Link, port bool) {
	for _, a := range l.AltNames {
		s.line(ip(ns), "link property add dev", quote(l.Name), "altname", quote(a))
	}
	if l.NoAddrGen {
		s.line(ip(ns), "link set dev", quote(l.Name), "addrgenmode none")
	}
	if l.Alias != "" {
		s.line(ip(ns), "link set dev", quote(l.Name), "alias", quote(l.Alias))
	}
	if port {
		s.attributes(ns, l.Name, "", attributeWords(&state.Link{}, &state.Link{Port: l.Port}))
	}
}

func (s *shell) attributes(ns, name, kind string, list []attribute) {
	var own, port []string
	for _, a := range list {
		if a.port {
			port = append(port, a.key, a.value)
		} else {
			own = append(own, a.key, a.value)
		}
	}
	if len(own) > 0 {
		s.line(ip(ns), "link set dev", quote(name), "type", kind, strings.Join(own, " "))
	}
	if len(port) > 0 {
		s.line(ip(ns), "link set dev", quote(name), "type bridge_slave", strings.Join(port, " "))
	}
}

func (s *shell) link(st *Step, verb Verb) {
	o := st.Object().Link
	switch verb {
	case Delete:
		s.line(ip(st.NS), "link del", quote(o.Name))
	case Create:
		below := ""
		if o.Lower != nil {
			below = "link " + quote(o.Lower.Name)
		}
		s.line(ip(st.NS), "link add", below, "name", quote(o.Name), birthArgs(o), masterArg(o), upArg(o), "type", o.Kind, kindArgs(o))
		s.later(st.NS, o, true)
	case Change:
		before, after := st.Before.Link, st.After.Link
		// Attributes and names first: a link comes up complete.
		add, remove := altNameChange(before, after)
		for _, a := range remove {
			s.line(ip(st.NS), "link property del dev", quote(o.Name), "altname", quote(a))
		}
		for _, a := range add {
			s.line(ip(st.NS), "link property add dev", quote(o.Name), "altname", quote(a))
		}
		if w := changeWords(before, after); w != "" {
			s.line(ip(st.NS), "link set dev", quote(o.Name), w)
		}
		s.attributes(st.NS, o.Name, after.Kind, attributeWords(before, after))
	}
}

// kindArgs are the arguments after the kind of a new link.
func kindArgs(l *state.Link) string {
	var w []string
	add := func(format string, args ...any) { w = append(w, fmt.Sprintf(format, args...)) }
	flag := func(name string, b *bool) {
		switch {
		case b == nil:
		case *b:
			w = append(w, name)
		default:
			w = append(w, "no"+name)
		}
	}
	switch {
	case l.Bridge != nil:
		for _, a := range attributeWords(&state.Link{}, &state.Link{Bridge: l.Bridge}) {
			w = append(w, a.key, a.value)
		}
	case l.VXLAN != nil:
		v := l.VXLAN
		add("id %d", v.ID)
		switch {
		case v.Remote.IsMulticast():
			add("group %v", v.Remote)
		case v.Remote.IsValid():
			add("remote %v", v.Remote)
		}
		if v.Local.IsValid() {
			add("local %v", v.Local)
		}
		if v.PortMin != 0 || v.PortMax != 0 {
			add("srcport %d %d", v.PortMin, v.PortMax)
		}
		port := v.Port
		if port == 0 {
			port = 8472 // the kernel's own default, which ip asks to be said
		}
		add("dstport %d", port)
		if v.TTL != 0 {
			add("ttl %d", v.TTL)
		}
		if v.TOS != 0 {
			add("tos %#x", v.TOS)
		}
		if v.Ageing != 0 {
			add("ageing %d", v.Ageing)
		}
		flag("learning", v.Learning)
		flag("proxy", v.Proxy)
		flag("l2miss", v.L2Miss)
		flag("l3miss", v.L3Miss)
		flag("udpcsum", v.UDPCsum)
		flag("udp6zerocsumtx", v.UDPZeroCsum6TX)
		flag("udp6zerocsumrx", v.UDPZeroCsum6RX)
		flag("external", v.External)
	case l.VLAN != nil:
		if l.VLAN.Protocol == 0x88a8 {
			add("protocol 802.1ad")
		}
		add("id %d", l.VLAN.ID)
	case l.MACVLAN != nil && l.MACVLAN.Mode != "":
		add("mode %s", l.MACVLAN.Mode)
	case l.IPVLAN != nil && l.IPVLAN.Mode != "":
		add("mode %s", l.IPVLAN.Mode)
	}
	return strings.Join(w, " ")
}
