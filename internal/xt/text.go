package xt

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"warren/state"
)

// Save writes a table as iptables-save(8) does, without counters. What is not understood is written as its name with the
// number of its bytes in brackets, which no tool reads back: a rule never looks broader than it is.
func Save(t state.XTable) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%s\n", t.Name)
	for _, c := range t.Chains {
		policy := c.Policy
		if policy == "" {
			policy = "-"
		}
		fmt.Fprintf(&b, ":%s %s [%d:%d]\n", c.Name, policy, c.Counter.Packets, c.Counter.Bytes)
	}
	for _, c := range t.Chains {
		for i := range c.Rules {
			fmt.Fprintf(&b, "-A %s%s\n", c.Name, Rule(&c.Rules[i]))
		}
	}
	b.WriteString("COMMIT\n")
	return b.String()
}

// Rule writes a rule as iptables-save does, from the blank after the chain's name on.
func Rule(r *state.XRule) string {
	var w text
	w.prefix("-s", r.Src)
	w.prefix("-d", r.Dst)
	if r.In != "" {
		w.option(r.InInverted, "-i", r.In)
	}
	if r.Out != "" {
		w.option(r.OutInvert, "-o", r.Out)
	}
	if r.HasProto || r.Proto != 0 {
		w.option(r.ProtoInverted, "-p", protoName(r.Proto))
	}
	if r.Fragment {
		w.option(r.FragInverted, "-f")
	}
	for i := range r.Matches {
		w.WriteString(Match(&r.Matches[i]))
	}
	w.WriteString(Target(&r.Target))
	return w.String()
}

type text struct{ strings.Builder }

func (w *text) option(inverted bool, words ...string) {
	if inverted {
		w.WriteString(" !")
	}
	for _, s := range words {
		w.WriteString(" " + s)
	}
}

func (w *text) prefix(name string, p state.XPrefix) {
	if p.Addr.IsValid() {
		w.option(p.Inverted, name, prefixText(p))
	}
}

func prefixText(p state.XPrefix) string {
	if n, ok := maskLen(p.Mask); ok {
		return p.Addr.String() + "/" + strconv.Itoa(n)
	}
	return p.Addr.String() + "/" + p.Mask.String()
}

// hostText leaves out a length that covers the whole address.
func hostText(p state.XPrefix) string {
	if n, ok := maskLen(p.Mask); ok && n == p.Addr.BitLen() {
		return p.Addr.String()
	}
	return prefixText(p)
}

// maskLen is the length of a mask that is a prefix's.
func maskLen(m netip.Addr) (int, bool) {
	n, ended := 0, false
	for _, b := range m.AsSlice() {
		ones := bits.LeadingZeros8(^b)
		if ended && b != 0 || bits.OnesCount8(b) != ones {
			return 0, false
		}
		n += ones
		ended = ended || ones < 8
	}
	return n, true
}

func protoName(p uint8) string {
	switch p {
	case 4:
		return "ipencap"
	case 47:
		return "gre"
	case 50:
		return "esp"
	case 51:
		return "ah"
	case 58:
		return "ipv6-icmp"
	case 89:
		return "ospf"
	case 132:
		return "sctp"
	case 136:
		return "udplite"
	}
	return cmp.Or(state.ProtoName(p), strconv.Itoa(int(p)))
}

// Match writes a match as iptables-save does, with a blank in front.
func Match(m *state.XTMatch) string {
	var w text
	name := m.Name
	if m.Conntrack != nil && m.Conntrack.Alias {
		name = "state"
	}
	w.WriteString(" -m " + name)
	switch {
	case m.Ports != nil:
		w.ports(m.Ports)
	case m.Multiport != nil:
		w.option(m.Multiport.Inverted, map[string]string{"source": "--sports", "destination": "--dports", "either": "--ports"}[m.Multiport.Which], rangesText(m.Multiport.Ranges))
	case m.Conntrack != nil:
		w.conntrack(name, m.Conntrack)
	case m.Mark != nil:
		w.option(m.Mark.Inverted, "--mark", masked(m.Mark))
	case m.AddrType != nil:
		w.addrType(m.AddrType)
	case m.ICMP != nil:
		word := "--icmp-type"
		if name == "icmp6" {
			word = "--icmpv6-type"
		}
		w.option(m.ICMP.Inverted, word, icmpText(m.ICMP))
	case m.MAC != nil:
		w.option(m.MAC.Inverted, "--mac-source", m.MAC.MAC.String())
	case m.PhysDev != nil:
		w.physDev(m.PhysDev)
	case m.RPFilter != nil:
		for _, f := range []struct {
			set  bool
			name string
		}{{m.RPFilter.Loose, "--loose"}, {m.RPFilter.ValidMark, "--validmark"}, {m.RPFilter.AcceptLocal, "--accept-local"}, {m.RPFilter.Inverted, "--invert"}} {
			if f.set {
				w.option(false, f.name)
			}
		}
	case m.IPRange != nil:
		if m.IPRange.Src[0].IsValid() {
			w.option(m.IPRange.SrcInverted, "--src-range", fmt.Sprintf("%s-%s", m.IPRange.Src[0], m.IPRange.Src[1]))
		}
		if m.IPRange.Dst[0].IsValid() {
			w.option(m.IPRange.DstInverted, "--dst-range", fmt.Sprintf("%s-%s", m.IPRange.Dst[0], m.IPRange.Dst[1]))
		}
	case m.PktType != nil:
		w.option(m.PktType.Inverted, "--pkt-type", word(uint32(m.PktType.Type), "unicast", "broadcast", "multicast"))
	case m.Length != nil:
		w.option(m.Length.Inverted, "--length", rangeText([2]uint16{m.Length.Min, m.Length.Max}))
	case m.Set != nil:
		name, dirs := setText(m.Set)
		w.option(m.Set.Inverted, "--match-set", name, dirs)
	case m.Comment != nil:
		w.option(false, "--comment", quoted(*m.Comment))
	case w.more(m):
	default:
		fmt.Fprintf(&w, " [%d bytes]", len(m.Data))
	}
	return w.String()
}

// quoted quotes as xtables_save_string does: all that is not made of letters, digits, "-" and "_".
func quoted(s string) string {
	plain := func(r rune) bool {
		return r == '-' || r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, `'`, `\'`).Replace(s) + `"`
}

func (w *text) ports(p *state.XTPorts) {
	all := [2]uint16{0, 0xffff}
	if p.Src != all || p.SrcInverted {
		w.option(p.SrcInverted, "--sport", rangeText(p.Src))
	}
	if p.Dst != all || p.DstInverted {
		w.option(p.DstInverted, "--dport", rangeText(p.Dst))
	}
	if p.Option != 0 {
		w.option(p.OptionInverted, "--tcp-option", strconv.Itoa(int(p.Option)))
	}
	if p.FlagsMask != 0 || p.FlagsInverted {
		w.option(p.FlagsInverted, "--tcp-flags", flagsText(p.FlagsMask), flagsText(p.Flags))
	}
}

func rangeText(r [2]uint16) string {
	if r[0] == r[1] {
		return strconv.Itoa(int(r[0]))
	}
	return fmt.Sprintf("%d:%d", r[0], r[1])
}

func rangesText(list [][2]uint16) string {
	parts := make([]string, len(list))
	for i, r := range list {
		parts[i] = rangeText(r)
	}
	return strings.Join(parts, ",")
}

func flagsText(f uint8) string {
	var list []string
	for i, n := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG"} {
		if f&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	if list == nil {
		return "NONE"
	}
	return strings.Join(list, ",")
}

func (w *text) conntrack(name string, c *state.XTConntrack) {
	inv := func(bit uint16) bool { return c.Invert&bit != 0 }
	if c.Match&matchState != 0 {
		word := "--ctstate"
		if name == "state" {
			word = "--state"
		}
		w.option(inv(matchState), word, strings.Join(stateOrder(c.States), ","))
	}
	if c.Match&matchProto != 0 {
		w.option(inv(matchProto), "--ctproto", strconv.Itoa(int(c.Proto)))
	}
	for _, a := range []struct {
		bit  uint16
		name string
		p    state.XPrefix
	}{
		{matchOrigSrc, "--ctorigsrc", c.OrigSrc},
		{matchOrigDst, "--ctorigdst", c.OrigDst},
		{matchReplySrc, "--ctreplsrc", c.ReplySrc},
		{matchReplyDst, "--ctrepldst", c.ReplyDst},
	} {
		if c.Match&a.bit != 0 {
			w.option(inv(a.bit), a.name, hostText(a.p))
		}
	}
	for _, p := range []struct {
		bit  uint16
		name string
		r    [2]uint16
	}{
		{matchOrigSPort, "--ctorigsrcport", c.OrigSPort},
		{matchOrigDPort, "--ctorigdstport", c.OrigDPort},
		{matchReplySP, "--ctreplsrcport", c.ReplySPort},
		{matchReplyDP, "--ctrepldstport", c.ReplyDPort},
	} {
		if c.Match&p.bit != 0 {
			w.option(inv(p.bit), p.name, rangeText(p.r))
		}
	}
	if c.Match&matchStatus != 0 {
		w.option(inv(matchStatus), "--ctstatus", statusText(c.Status))
	}
	if c.Match&matchExpires != 0 {
		w.option(inv(matchExpires), "--ctexpire", fmt.Sprintf("%d:%d", c.Expires[0], c.Expires[1]))
	}
	if c.Match&matchDirection != 0 {
		w.option(false, "--ctdir", map[bool]string{false: "ORIGINAL", true: "REPLY"}[inv(matchDirection)])
	}
}

// statusText names the IPS_* that --ctstatus compares.
func statusText(s uint16) string {
	var list []string
	for i, n := range []string{"EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED"} {
		if s&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	if list == nil {
		return "NONE"
	}
	return strings.Join(list, ",")
}

// stateOrder is the order in which iptables writes states.
func stateOrder(have []string) []string {
	var list []string
	for _, s := range []string{"INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"} {
		for _, h := range have {
			if h == s {
				list = append(list, s)
			}
		}
	}
	return list
}

func masked(m *state.XTMark) string {
	if m.Mask == 0xffffffff {
		return fmt.Sprintf("0x%x", m.Value)
	}
	return fmt.Sprintf("0x%x/0x%x", m.Value, m.Mask)
}

func (w *text) addrType(a *state.XTAddrType) {
	if a.Src != 0 {
		w.option(a.SrcInverted, "--src-type", addrTypes(a.Src))
	}
	if a.Dst != 0 {
		w.option(a.DstInverted, "--dst-type", addrTypes(a.Dst))
	}
	if a.LimitIn {
		w.option(false, "--limit-iface-in")
	}
	if a.LimitOut {
		w.option(false, "--limit-iface-out")
	}
}

func addrTypes(mask uint16) string {
	var list []string
	for i, n := range []string{
		"UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW", "NAT", "XRESOLVE",
	} {
		if mask&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	return strings.Join(list, ",")
}

func icmpText(i *state.XTICMP) string {
	switch {
	case i.Type == 255:
		return "any"
	case i.Code == [2]uint8{0, 255}:
		return strconv.Itoa(int(i.Type))
	}
	return fmt.Sprintf("%d/%d", i.Type, i.Code[0])
}

func (w *text) physDev(p *state.XTPhysDev) {
	for _, o := range []struct {
		bit  uint8
		name string
		arg  string
	}{{8, "--physdev-is-in", ""}, {1, "--physdev-in", p.In}, {16, "--physdev-is-out", ""}, {2, "--physdev-out", p.Out}, {4, "--physdev-is-bridged", ""}} {
		if p.Match&o.bit == 0 {
			continue
		}
		if o.arg == "" {
			w.option(p.Invert&o.bit != 0, o.name)
		} else {
			w.option(p.Invert&o.bit != 0, o.name, o.arg)
		}
	}
}
