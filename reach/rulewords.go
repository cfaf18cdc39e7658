package reach

import (
	"fmt"
	"net/netip"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// write fills in what a rule says.
func (t *tracer) write(r *room, u *filter.Rule) {
	texts := t.flow.Rules
	switch {
	case u.Backend == "nft" && (u.Handle != 0 || u.Number != 0) && texts.NFT != nil:
		for i := range r.Tables {
			if table := &r.Tables[i]; table.Family == u.Family && table.Name == u.Table {
				for i, x := range table.Chain(u.Chain).Rules {
					if u.Handle != 0 && x.Handle == u.Handle || u.Handle == 0 && i+1 == u.Number {
						u.Text = texts.NFT(u.Family, x)
					}
				}
			}
		}
	case u.Backend == "legacy" && u.Number != 0 && texts.Legacy != nil:
		for i := range r.XTables {
			if table := &r.XTables[i]; table.Name == u.Table && table.IPv6 == (u.Family == "ip6") {
				u.Text = strings.TrimSpace(texts.Legacy(&table.Chain(u.Chain).Rules[u.Number-1]))
			}
		}
	}
}

// ruleSubject begins a sentence about a rule or a policy.
func ruleSubject(u *filter.Rule) string {
	chain := ruleChain(u)
	switch {
	case u.Policy:
		return "the policy of " + chain
	case u.Handle != 0:
		return fmt.Sprintf("the rule with handle %d of %s", u.Handle, chain)
	case u.Number != 0:
		return fmt.Sprintf("rule %d of %s", u.Number, chain)
	}
	return chain
}

func ruleChain(u *filter.Rule) string {
	return fmt.Sprintf("%s %s %s/%s", u.Backend, u.Family, u.Table, u.Chain)
}

// ruleObject names a rule or a policy so that people find it again.
func ruleObject(u *filter.Rule) string {
	s := ruleChain(u)
	switch {
	case u.Policy:
		return s + " policy"
	case u.Handle != 0:
		return fmt.Sprintf("%s handle %d", s, u.Handle)
	case u.Number != 0:
		return fmt.Sprintf("%s rule %d", s, u.Number)
	}
	return s
}

func readFrom(u *filter.Rule) string {
	switch u.Backend {
	case "legacy":
		return "IPT_SO_GET_ENTRIES"
	case "ebtables":
		return "EBT_SO_GET_ENTRIES"
	}
	return "NFT_MSG_GETRULE"
}

func ruleLine(u *filter.Rule) string {
	if u.Policy {
		return "policy of chain " + u.Chain + " is drop"
	}
	if u.Text == "" {
		return ruleObject(u)
	}
	return strings.TrimSpace(u.Text)
}

// ruleFix says how to let the packet pass: an accept in front of the rule that drops it, in the same chain.
func ruleFix(r *room, u *filter.Rule, p *filter.Packet) []string {
	if u.Backend == "legacy" {
		cmd := "iptables-legacy"
		if u.Family == "ip6" {
			cmd = "ip6tables-legacy"
		}
		out := fix(r.in("%s -t %s -I %s %s -j ACCEPT", cmd, u.Table, u.Chain, legacyMatch(p)))
		if u.Number != 0 {
			out = append(out, r.in("%s -t %s -D %s %d", cmd, u.Table, u.Chain, u.Number))
		}
		return out
	}
	if u.Backend == "ebtables" {
		var out []string
		if p.ARP != nil {
			out = fix(r.in("ebtables-legacy -t %s -I %s -p ARP --arp-ip-dst %s -j ACCEPT", u.Table, u.Chain, p.ARP.Target))
		} else if !p.Is6() {
			out = fix(r.in("ebtables-legacy -t %s -I %s -p IPv4 --ip-src %s --ip-dst %s -j ACCEPT", u.Table, u.Chain, p.Src, p.Dst))
		} else {
			out = fix(r.in("ebtables-legacy -t %s -I %s -p IPv6 --ip6-src %s --ip6-dst %s -j ACCEPT", u.Table, u.Chain, p.Src, p.Dst))
		}
		if u.Number != 0 {
			out = append(out, r.in("ebtables-legacy -t %s -D %s %d", u.Table, u.Chain, u.Number))
		}
		return out
	}
	if p.ARP != nil && u.Policy {
		return fix(r.in("nft 'add chain %s %s %s { policy accept; }'", u.Family, u.Table, u.Chain))
	}
	if a := p.ARP; a != nil {
		out := fix(r.in("nft insert rule %s %s %s arp saddr ip %s arp daddr ip %s accept", u.Family, u.Table, u.Chain, a.Sender, a.Target))
		if u.Handle != 0 {
			out = append(out, r.in("nft delete rule %s %s %s handle %d", u.Family, u.Table, u.Chain, u.Handle))
		}
		return out
	}
	out := fix(r.in("nft insert rule %s %s %s %s accept", u.Family, u.Table, u.Chain, nftMatch(p)))
	if u.Handle != 0 {
		out = append(out, r.in("nft delete rule %s %s %s handle %d", u.Family, u.Table, u.Chain, u.Handle))
	}
	return out
}

func nftMatch(p *filter.Packet) string {
	ip := "ip"
	if p.Is6() {
		ip = "ip6"
	}
	s := fmt.Sprintf("%s saddr %s %s daddr %s", ip, p.Src, ip, p.Dst)
	switch p.Proto {
	case filter.TCP, filter.UDP:
		side, port := servicePort(p)
		s += fmt.Sprintf(" %s %s %d", protoWord(p.Proto), side, port)
	case filter.ICMP:
		s += " icmp type " + icmpWord(p)
	case filter.ICMPv6:
		if p.ICMPType >= 133 && p.ICMPType <= 137 {
			return "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }"
		}
		s += " icmpv6 type " + icmpWord(p)
	}
	return s
}

// servicePort is the port by which a rule knows the packet again: the other one is another each time.
func servicePort(p *filter.Packet) (side string, port uint16) {
	switch {
	case p.DPort == clientPort:
		return "sport", p.SPort
	case p.SPort == clientPort:
		return "dport", p.DPort
	case p.Reply || p.TCPFlags == filter.FlagSYN|filter.FlagACK:
		return "sport", p.SPort
	}
	return "dport", p.DPort
}

func icmpWord(p *filter.Packet) string {
	switch {
	case p.Proto == filter.ICMP && p.ICMPType == 8, p.Proto == filter.ICMPv6 && p.ICMPType == 128:
		return "echo-request"
	case p.Proto == filter.ICMP && p.ICMPType == 0, p.Proto == filter.ICMPv6 && p.ICMPType == 129:
		return "echo-reply"
	}
	return fmt.Sprint(p.ICMPType)
}

func legacyMatch(p *filter.Packet) string {
	s := fmt.Sprintf("-s %s -d %s", p.Src, p.Dst)
	switch p.Proto {
	case filter.TCP, filter.UDP:
		side, port := servicePort(p)
		s += fmt.Sprintf(" -p %s --%s %d", protoWord(p.Proto), side, port)
	case filter.ICMP:
		s += " -p icmp"
	case filter.ICMPv6:
		if p.ICMPType >= 133 && p.ICMPType <= 137 {
			return fmt.Sprintf("-p icmpv6 --icmpv6-type %d", p.ICMPType)
		}
		s += " -p icmpv6"
	}
	return s
}

func protoWord(n uint8) string {
	if n == filter.TCP {
		return "tcp"
	}
	return "udp"
}

// portsTaken is the reason why conntrack does not take a connection in: another one expects the same answers.
func portsTaken(r *room, c *filter.Conn, other *state.Conn) Reason {
	tuple := func(t state.ConnTuple) string {
		return fmt.Sprintf("%s > %s", netip.AddrPortFrom(t.Src, t.SPort), netip.AddrPortFrom(t.Dst, t.DPort))
	}
	proto := "icmp"
	if c.Proto == filter.TCP || c.Proto == filter.UDP {
		proto = protoWord(c.Proto)
	}
	return Reason{
		Code: NATPortsTaken, Object: fmt.Sprintf("conntrack %s %s", proto, tuple(other.Original)),
		Text:  fmt.Sprintf("NAT gives the connection a source that another one has towards the same destination (answers %s), and there is no free port", tuple(c.Reply)),
		Facts: facts(fact("CTNETLINK", "original %s, reply %s, %s", tuple(other.Original), tuple(other.Reply), other.TCPState)),
		Fix: fix(r.in("conntrack -D -p %s -s %s --sport %d -d %s --dport %d", proto, other.Original.Src, other.Original.SPort, other.Original.Dst, other.Original.DPort),
			"# or let the NAT rule use more ports"),
	}
}
