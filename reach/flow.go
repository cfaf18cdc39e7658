package reach

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// A Flow is the question: does this packet arrive, and does an answer come back?
type Flow struct {
	// Source is the key of the namespace that sends. Required.
	Source string
	// Dst is where it goes. Required. The zone of a link-local address names the link that it leaves by.
	Dst netip.Addr
	// Target is the key of the namespace that is meant, when the question named one; it only helps to find the reason
	// when nobody has the address.
	Target string
	// Out: the question is whether packets leave the host; Dst is any address outside.
	Out bool
	// Proto is filter.ICMP (0 means that, and ICMPv6 where Dst is IPv6), filter.TCP or filter.UDP.
	Proto uint8
	Port  uint16 // of TCP and UDP
	// From is the source address; zero = as the kernel chooses.
	From netip.Addr
	// SrcPort is the port to send from; 0 = a free one.
	SrcPort uint16
	Mark    uint32 // SO_MARK
	// Size of the IP packet in bytes, which must not be fragmented; 0 = a small packet, and a remark when full-size ones
	// would not pass.
	Size int
	// TTL or hop limit; 0 = 64.
	TTL uint8
	// Unprivileged: the sender has no raw sockets: echo requests need net.ipv4.ping_group_range.
	Unprivileged bool
	GID          uint32 // group of an unprivileged sender
	// Complete: there is no more to observe. What the walk misses becomes an Unknown.
	Complete bool
	// Asked are the addresses whose owners are in the snapshot, as far as there are any, see Missing.Asks.
	Asked []state.AddrBeyond
	// Explain makes steps list every rule that was looked at.
	Explain bool
	// Rules write rules as the tools print them; without them rules are told by chain and handle or number.
	Rules RuleTexts

	zone, fromZone string // of Dst and From
	bound          bool   // the question says from which address
}

// RuleTexts writes what rules say.
type RuleTexts struct {
	// NFT writes a rule as nft(8) lists it.
	NFT func(family string, r state.FirewallRule) string
	// Legacy writes a rule as iptables-save(8) does, without the chain.
	Legacy func(r *state.XRule) string
}

// ProtoName is "icmp", "tcp" or "udp".
func (f *Flow) ProtoName() string {
	switch f.Proto {
	case filter.TCP:
		return "tcp"
	case filter.UDP:
		return "udp"
	}
	return "icmp"
}

// To is the destination as it is written in a question: ADDR[:PORT]/PROTO.
func (f *Flow) To() string {
	if f.Port == 0 {
		return f.Dst.String() + "/" + f.ProtoName()
	}
	return netip.AddrPortFrom(f.Dst, f.Port).String() + "/" + f.ProtoName()
}

// A Destination is DST[:PORT][/PROTO] as typed.
type Destination struct {
	Name  string     // "" when Addr is set
	Addr  netip.Addr // zero when Name is set
	Port  uint16
	Proto uint8 // 0 = not said
}

// ParseDestination reads DST[:PORT][/tcp|udp|icmp]. DST is an address (IPv6 with a port in brackets) or a name. A port without
// a protocol is TCP's.
func ParseDestination(s string) (Destination, error) {
	var d Destination
	rest, proto, has := strings.Cut(s, "/")
	if i := strings.LastIndex(s, "/"); has && strings.HasPrefix(s, "/") { // a path
		switch s[i+1:] {
		case "tcp", "udp", "icmp":
			rest, proto = s[:i], s[i+1:]
		default:
			rest, proto, has = s, "", false
		}
	}
	switch {
	case !has:
	case proto == "tcp":
		d.Proto = filter.TCP
	case proto == "udp":
		d.Proto = filter.UDP
	case proto == "icmp":
		d.Proto = filter.ICMP
	default:
		return d, fmt.Errorf("destination %q: protocol %q is not tcp, udp or icmp", s, proto)
	}
	host, port, err := cutPort(rest)
	if err != nil {
		return d, fmt.Errorf("destination %q: %w", s, err)
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return d, fmt.Errorf("destination %q: port %q is not a number from 1 to 65535", s, port)
		}
		d.Port = uint16(n)
		if d.Proto == 0 {
			d.Proto = filter.TCP
		}
	}
	switch {
	case d.Port != 0 && d.Proto == filter.ICMP:
		return d, fmt.Errorf("destination %q: icmp has no ports", s)
	case d.Port == 0 && (d.Proto == filter.TCP || d.Proto == filter.UDP):
		return d, fmt.Errorf("destination %q: %s needs a port, as in %s:80/%s", s, proto, host, proto)
	case host == "":
		return d, fmt.Errorf("destination %q names nobody", s)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		d.Addr = a.Unmap()
	} else {
		d.Name = host
	}
	return d, nil
}

// cutPort splits HOST:PORT, [V6]:PORT, [V6] and bare forms. A bare IPv6 address keeps its colons. So does a name such as
// "cookie:17" or "pid:1": the forms of namespaces that have one are known.
func cutPort(s string) (host, port string, err error) {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, rest, ok = strings.Cut(rest, "]")
		if !ok {
			return "", "", fmt.Errorf("the bracket is not closed")
		}
		if rest == "" {
			return host, "", nil
		}
		port, ok = strings.CutPrefix(rest, ":")
		if !ok || port == "" {
			return "", "", fmt.Errorf("%q after the bracket is not a port", rest)
		}
		return host, port, nil
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return s, "", nil
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", nil
	}
	switch s[:i] {
	case "cookie", "pid", "id", "container":
		return s, "", nil
	}
	if i == len(s)-1 {
		return "", "", fmt.Errorf("the port is missing after the colon")
	}
	return s[:i], s[i+1:], nil
}
