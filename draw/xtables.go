package draw

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"warren/state"
)

// XTableText writes a legacy table as iptables-save(8) does. The counters of policies are not known and written as zero; a
// match or target that is not understood is written with its name and its bytes in a comment, so that the text never says
// less than the table.
func XTableText(t state.XTable) string {
	var b strings.Builder
	if t.IPv6 {
		b.WriteString("# ip6tables\n")
	}
	fmt.Fprintf(&b, "*%s\n", t.Name)
	for _, c := range t.Chains {
		policy := c.Policy
		if policy == "" {
			policy = "-"
		}
		fmt.Fprintf(&b, ":%s %s [0:0]\n", c.Name, policy)
	}
	for _, c := range t.Chains {
		for _, r := range c.Rules {
			fmt.Fprintf(&b, "-A %s%s\n", c.Name, xruleText(r))
		}
	}
	b.WriteString("COMMIT\n")
	return b.String()
}

// A xwriter collects words, each with a space before.
type xwriter struct{ strings.Builder }

func (w *xwriter) add(words ...string) {
	for _, x := range words {
		w.WriteByte(' ')
		w.WriteString(x)
	}
}

// option writes "! --word value" or "--word value".
func (w *xwriter) option(inverted bool, word string, value ...string) {
	if inverted {
		w.add("!")
	}
	w.add(word)
	w.add(value...)
}

func xruleText(r state.XRule) string {
	w := &xwriter{}
	w.prefix("-s", r.Src)
	w.prefix("-d", r.Dst)
	if r.In != "" {
		w.option(r.InInverted, "-i", r.In)
	}
	if r.Out != "" {
		w.option(r.OutInvert, "-o", r.Out)
	}
	if r.HasProto || r.Proto != 0 {
		w.option(r.ProtoInverted, "-p", xproto(r.Proto))
	}
	if r.Fragment {
		w.option(r.FragInverted, "-f")
	}
	for _, m := range r.Matches {
		w.match(m)
	}
	w.target(r.Target)
	return w.String()
}

func xproto(p uint8) string {
	if p == 58 {
		return "ipv6-icmp"
	}
	return protoName(p)
}

func (w *xwriter) prefix(word string, p state.XPrefix) {
	if p.Addr.IsValid() {
		w.option(p.Inverted, word, xprefix(p))
	}
}

// xprefix is an address with its mask: as a length when it is one.
func xprefix(p state.XPrefix) string {
	if !p.Mask.IsValid() {
		return p.Addr.String()
	}
	n, ok := maskLength(p.Mask)
	if !ok {
		return p.Addr.String() + "/" + p.Mask.String()
	}
	return netip.PrefixFrom(p.Addr, n).String()
}

func maskLength(mask netip.Addr) (int, bool) {
	n, ended := 0, false
	for _, b := range mask.AsSlice() {
		ones := bits.LeadingZeros8(^b)
		if ended && b != 0 || b<<ones != 0 {
			return 0, false
		}
		n += ones
		ended = ended || ones < 8
	}
	return n, true
}

func xports(p [2]uint16) string {
	if p[0] == p[1] {
		return number(p[0])
	}
	return number(p[0]) + ":" + number(p[1])
}

func (w *xwriter) match(m state.XTMatch) {
	w.add("-m", m.Name)
	switch {
	case m.Ports != nil:
		w.ports(m.Ports)
	case m.Multiport != nil:
		var list []string
		for _, r := range m.Multiport.Ranges {
			list = append(list, xports(r))
		}
		word := map[string]string{"source": "--sports", "destination": "--dports"}[m.Multiport.Which]
		if word == "" {
			word = "--ports"
		}
		w.option(m.Multiport.Inverted, word, strings.Join(list, ","))
	case m.Conntrack != nil:
		w.conntrack(m.Name, m.Conntrack)
	case m.Mark != nil:
		w.option(m.Mark.Inverted, "--mark", xmark(m.Mark))
	case m.AddrType != nil:
		a := m.AddrType
		if a.Src != 0 {
			w.option(a.SrcInverted, "--src-type", addrTypes(a.Src))
		}
		if a.Dst != 0 {
			w.option(a.DstInverted, "--dst-type", addrTypes(a.Dst))
		}
		if a.LimitIn {
			w.add("--limit-iface-in")
		}
		if a.LimitOut {
			w.add("--limit-iface-out")
		}
	case m.ICMP != nil:
		word := "--icmp-type"
		if m.Name == "icmp6" {
			word = "--icmpv6-type"
		}
		v := "any"
		if m.ICMP.Type != 255 {
			v = number(m.ICMP.Type)
			if m.ICMP.Code != [2]uint8{0, 255} {
				v += "/" + number(m.ICMP.Code[0])
			}
		}
		w.option(m.ICMP.Inverted, word, v)
	case m.MAC != nil:
		w.option(m.MAC.Inverted, "--mac-source", m.MAC.MAC.String())
	case m.PhysDev != nil:
		w.physdev(m.PhysDev)
	case m.RPFilter != nil:
		f := m.RPFilter
		for _, x := range []struct {
			set  bool
			word string
		}{{f.Loose, "--loose"}, {f.ValidMark, "--validmark"}, {f.AcceptLocal, "--accept-local"}, {f.Inverted, "--invert"}} {
			if x.set {
				w.add(x.word)
			}
		}
	case m.IPRange != nil:
		if r := m.IPRange; r.Src[0].IsValid() {
			w.option(r.SrcInverted, "--src-range", r.Src[0].String()+"-"+r.Src[1].String())
		}
		if r := m.IPRange; r.Dst[0].IsValid() {
			w.option(r.DstInverted, "--dst-range", r.Dst[0].String()+"-"+r.Dst[1].String())
		}
	case m.PktType != nil:
		names := []string{"unicast", "broadcast", "multicast"}
		v := number(m.PktType.Type)
		if int(m.PktType.Type) < len(names) {
			v = names[m.PktType.Type]
		}
		w.option(m.PktType.Inverted, "--pkt-type", v)
	case m.Length != nil:
		w.option(m.Length.Inverted, "--length", xports([2]uint16{m.Length.Min, m.Length.Max}))
	case m.Comment != nil:
		w.add("--comment", xquote(*m.Comment))
	default:
		w.unknown(m.Data)
	}
}

func (w *xwriter) unknown(data []byte) {
	w.add(fmt.Sprintf("/* not understood: %x */", data))
}

// xquote quotes as iptables-save does: only where a shell would not take the word for one.
func xquote(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if plain {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`).Replace(s) + `"`
}

func (w *xwriter) ports(p *state.XTPorts) {
	if p.Src != [2]uint16{0, 65535} {
		w.option(p.SrcInverted, "--sport", xports(p.Src))
	}
	if p.Dst != [2]uint16{0, 65535} {
		w.option(p.DstInverted, "--dport", xports(p.Dst))
	}
	if p.Option != 0 {
		w.option(p.OptionInverted, "--tcp-option", number(p.Option))
	}
	if p.FlagsMask != 0 {
		w.option(p.FlagsInverted, "--tcp-flags", tcpFlags(p.FlagsMask), tcpFlags(p.Flags))
	}
}

func tcpFlags(f uint8) string {
	var list []string
	for i, name := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG"} {
		if f&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return "NONE"
	}
	return strings.Join(list, ",")
}

// Bits of XTConntrack.Match (linux/netfilter/xt_conntrack.h).
const (
	xtctState = 1 << iota
	xtctProto
	xtctOrigSrc
	xtctOrigDst
	xtctReplySrc
	xtctReplyDst
	xtctStatus
	xtctExpires
	xtctOrigSPort
	xtctOrigDPort
	xtctReplySPort
	xtctReplyDPort
	xtctDirection
)

func (w *xwriter) conntrack(name string, c *state.XTConntrack) {
	if name == "state" {
		w.option(c.Invert&xtctState != 0, "--state", strings.Join(c.States, ","))
		return
	}
	for _, o := range []struct {
		bit   uint16
		word  string
		value string
	}{
		{xtctState, "--ctstate", strings.Join(c.States, ",")},
		{xtctProto, "--ctproto", number(c.Proto)},
		{xtctOrigSrc, "--ctorigsrc", xprefix(c.OrigSrc)},
		{xtctOrigDst, "--ctorigdst", xprefix(c.OrigDst)},
		{xtctReplySrc, "--ctreplsrc", xprefix(c.ReplySrc)},
		{xtctReplyDst, "--ctrepldst", xprefix(c.ReplyDst)},
		{xtctOrigSPort, "--ctorigsrcport", xports(c.OrigSPort)},
		{xtctOrigDPort, "--ctorigdstport", xports(c.OrigDPort)},
		{xtctReplySPort, "--ctreplsrcport", xports(c.ReplySPort)},
		{xtctReplyDPort, "--ctrepldstport", xports(c.ReplyDPort)},
		{xtctStatus, "--ctstatus", ctStatus(c.Status)},
		{xtctExpires, "--ctexpire", fmt.Sprintf("%d:%d", c.Expires[0], c.Expires[1])},
	} {
		if c.Match&o.bit != 0 {
			w.option(c.Invert&o.bit != 0, o.word, o.value)
		}
	}
	if c.Match&xtctDirection != 0 {
		dir := "ORIGINAL"
		if c.Invert&xtctDirection != 0 {
			dir = "REPLY"
		}
		w.add("--ctdir", dir)
	}
}

func ctStatus(s uint16) string {
	var list []string
	for _, f := range []struct {
		bit  uint16
		word string
	}{{1, "EXPECTED"}, {2, "SEEN_REPLY"}, {4, "ASSURED"}, {8, "CONFIRMED"}} {
		if s&f.bit != 0 {
			list = append(list, f.word)
		}
	}
	if len(list) == 0 {
		return "NONE"
	}
	return strings.Join(list, ",")
}

func xmark(m *state.XTMark) string {
	if m.Mask == 0xffffffff {
		return fmt.Sprintf("%#x", m.Value)
	}
	return fmt.Sprintf("%#x/%#x", m.Value, m.Mask)
}

func addrTypes(b uint16) string {
	names := []string{"UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE"}
	var list []string
	for i, n := range names {
		if b&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	return strings.Join(list, ",")
}

// Bits of XTPhysDev.Match (linux/netfilter/xt_physdev.h).
const (
	physIn = 1 << iota
	physOut
	physBridged
	physIsIn
	physIsOut
)

func (w *xwriter) physdev(p *state.XTPhysDev) {
	for _, o := range []struct {
		bit   uint8
		words []string
	}{
		{physIsIn, []string{"--physdev-is-in"}},
		{physIn, []string{"--physdev-in", p.In}},
		{physIsOut, []string{"--physdev-is-out"}},
		{physOut, []string{"--physdev-out", p.Out}},
		{physBridged, []string{"--physdev-is-bridged"}},
	} {
		if p.Match&o.bit != 0 {
			w.option(p.Invert&o.bit != 0, o.words[0], o.words[1:]...)
		}
	}
}
