package iproute

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// hostCondition reads HOST of a condition: [FAMILY:]ADDRESS[/BITS][:PORT], or a port alone. A family restricts what is shown
// to it.
func (s *ss) hostCondition(word string, isPort bool) []ssAddress {
	family := s.sel.family
	for _, p := range []struct {
		prefix string
		family int
	}{{"unix:", unix.AF_UNIX}, {"link:", unix.AF_PACKET}, {"netlink:", unix.AF_NETLINK}, {"vsock:", unix.AF_VSOCK}, {"inet:", unix.AF_INET}, {"inet6:", unix.AF_INET6}} {
		if rest, ok := strings.CutPrefix(word, p.prefix); ok {
			family, word = p.family, rest
			break
		}
	}
	var list []ssAddress
	switch family {
	case unix.AF_UNIX:
		list = []ssAddress{{family: unix.AF_UNIX, pattern: word}}
	case unix.AF_PACKET, unix.AF_NETLINK, unix.AF_VSOCK:
		list = []ssAddress{s.otherHost(family, word, isPort)}
	default:
		list = s.inetHost(family, word, isPort)
	}
	if family != 0 {
		s.sel.families = 1 << family
		s.sel.family = family
	}
	return list
}

func badHost(format string, args ...any) {
	text := ""
	if format != "" {
		text = fmt.Sprintf(format, args...) + "\n"
	}
	fail(exitFailed, "%sCannot parse dst/src address.", text)
}

// otherHost reads the addresses of packet, netlink and vsock sockets: PROTOCOL:LINK, PROTOCOL:PORT, CID:PORT.
func (s *ss) otherHost(family int, word string, isPort bool) ssAddress {
	a := ssAddress{family: family, port: sockdiag.AnyPort}
	host, port, _ := strings.Cut(word, ":")
	if isPort {
		host, port = "", strings.TrimPrefix(word, ":")
	}
	if port != "" && port != "*" {
		n, ok := parseInt(port)
		switch {
		case ok:
		case family == unix.AF_PACKET:
			if n = int64(s.indexOf(port)); n == 0 {
				badHost("")
			}
		case family == unix.AF_NETLINK && port == "kernel":
		default:
			badHost("")
		}
		a.port = n
	}
	if host == "" || host == "*" {
		return a
	}
	var value uint32
	switch family {
	case unix.AF_PACKET:
		p, ok := etherTypeWord(host)
		if !ok {
			badHost("")
		}
		value = uint32(p)
	case unix.AF_NETLINK:
		p, ok := netlinkProtocolWord(host)
		if !ok {
			badHost("")
		}
		value = uint32(p)
	default:
		n, ok := parseUint(host, 0, 32)
		if !ok {
			badHost("")
		}
		value = uint32(n)
	}
	a.bits, a.addr = 32, native.AppendUint32(nil, value)
	return a
}

func (s *ss) inetHost(family int, word string, isPort bool) []ssAddress {
	host, port := word, ""
	switch {
	case strings.HasPrefix(word, "["):
		var closed bool
		if host, port, closed = strings.Cut(word[1:], "]"); !closed {
			badHost("")
		}
	case strings.HasPrefix(word, "*"):
		host, port = "", word[1:]
	default:
		from := max(strings.IndexByte(word, '/'), 0)
		if i := strings.LastIndexByte(word[from:], ':'); i >= 0 {
			host, port = word[:from+i], word[from+i:]
		}
	}
	if isPort {
		host, port = "", word
	}
	a := ssAddress{port: sockdiag.AnyPort}
	port = strings.TrimPrefix(port, ":")
	if port != "" && port[0] != '*' {
		n, ok := parseInt(port)
		if !ok {
			n = s.servicePort(port)
		}
		a.port = n
	}
	if host == "" || host[0] == '*' {
		return []ssAddress{a}
	}
	p, ok := parsePrefix(host, family)
	if !ok {
		return s.lookup(a, host, family)
	}
	if p.addr.IsValid() {
		a.family, a.addr, a.bits = familyOfAddr(p.addr), p.addr.AsSlice(), p.bits
	}
	return []ssAddress{a}
}

// servicePort is the port of a service by its name.
func (s *ss) servicePort(name string) int64 {
	var found []int
	for _, p := range []struct {
		kind     ssKind
		protocol string
	}{{kindUDP, "udp"}, {kindTCP, "tcp"}} {
		if s.sel.wants(1 << p.kind) {
			if n, ok := s.services().byName(name, p.protocol); ok {
				found = append(found, n)
			}
		}
	}
	switch {
	case len(found) == 2 && found[0] != found[1]:
		badHost("Error: ambiguous port \"%s\".", name)
	case len(found) == 0:
		badHost("Error: \"%s\" does not look like a port.", name)
	}
	return int64(found[0])
}

// lookup finds the addresses of a host by its name.
func (s *ss) lookup(a ssAddress, host string, family int) []ssAddress {
	network := "ip"
	switch family {
	case unix.AF_INET:
		network = "ip4"
	case unix.AF_INET6:
		network = "ip6"
	}
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	if err != nil || len(found) == 0 {
		badHost("Error: an inet prefix is expected rather than \"%s\".", host)
	}
	list := make([]ssAddress, 0, len(found))
	for _, addr := range found {
		addr = addr.Unmap()
		b := a
		b.family, b.addr, b.bits = familyOfAddr(addr), addr.AsSlice(), addr.BitLen()
		list = append(list, b)
	}
	return list
}
