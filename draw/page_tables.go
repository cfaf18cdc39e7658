package draw

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"warren/state"
)

func (p *page) neighbours() {
	var rows [][]string
	for _, n := range p.n.Neighbors {
		if n.State == "noarp" && (n.IP.IsMulticast() || n.MAC.IsZero()) {
			continue // the kernel's own notes on multicast
		}
		flags := ""
		if n.Proxy {
			flags = "proxy"
		}
		if n.Router {
			flags = strings.TrimSpace(flags + " router")
		}
		rows = append(rows, []string{n.IP.String(), n.Link, n.MAC.String(), n.State, flags})
	}
	if len(rows) > 0 {
		p.title("neighbours")
		p.columns(rows)
	}
	rows = nil
	for _, f := range p.n.FDB {
		if f.MAC.IsMulticast() {
			continue
		}
		extra := ""
		if f.VLAN != 0 {
			extra = fmt.Sprintf("vlan %d", f.VLAN)
		}
		if f.Dst.IsValid() {
			extra = strings.TrimSpace(extra + " dst " + f.Dst.String())
		}
		rows = append(rows, []string{f.MAC.String(), f.Link, f.Master, f.State, extra})
	}
	if len(rows) > 0 {
		p.title("forwarding table")
		p.columns(rows)
	}
}

func (p *page) firewall() {
	if len(p.n.Tables)+len(p.n.XTables) == 0 {
		return
	}
	p.title("firewall")
	for _, t := range p.n.Tables {
		text := "table " + t.Key()
		if p.opt.Firewall != nil {
			text = p.opt.Firewall(t)
		}
		p.indent(text)
	}
	for _, t := range p.n.XTables {
		text := "*" + t.Name
		if p.opt.LegacyFirewall != nil {
			text = p.opt.LegacyFirewall(t)
		}
		if t.IPv6 {
			text = "# ip6tables\n" + text
		}
		p.indent(text)
	}
}

func (p *page) indent(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line != "" {
			line = "  " + strings.ReplaceAll(printableTabs(line), "\t", "    ")
		}
		p.b.WriteString(line + "\n")
	}
}

func printableTabs(s string) string {
	parts := strings.Split(s, "\t")
	for i := range parts {
		parts[i] = printable(parts[i])
	}
	return strings.Join(parts, "\t")
}

// sockets lists what waits for somebody: listeners, and unconnected datagram and raw sockets. Of the others it tells how
// many there are.
func (p *page) sockets() {
	var rows [][]string
	others := map[string]int{}
	var kinds []string
	for _, s := range p.n.Sockets {
		switch {
		case s.Protocol == "unix", s.Protocol == "netlink", s.Protocol == "packet", s.Protocol == "vsock":
		case s.State == "LISTEN", s.State == "UNCONN" && !s.Remote.IsValid(), s.State == "UNCONN" && s.Remote.Port() == 0:
			local := socketAddr(s)
			if s.Link != "" {
				local += "%" + s.Link
			}
			rows = append(rows, []string{s.Protocol, local, processText(s.Process, s.UID)})
			continue
		}
		kind := s.Protocol
		if s.State != "" && s.Protocol == "tcp" {
			kind += " " + s.State
		}
		if others[kind]++; others[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	if len(rows)+len(kinds) == 0 {
		return
	}
	p.title("listening")
	p.columns(rows)
	if len(kinds) > 0 {
		var parts []string
		for _, k := range kinds {
			parts = append(parts, fmt.Sprintf("%d %s", others[k], k))
		}
		fmt.Fprintf(&p.b, "  other sockets: %s\n", strings.Join(parts, ", "))
	}
}

func socketAddr(s state.Socket) string {
	a := s.Local.Addr()
	switch {
	case s.Protocol == "raw" && s.Local.Port() == 0:
		return fmt.Sprintf("%s (protocol %s)", a, protoName(s.Number))
	case a.IsUnspecified() && s.IPv6 && !s.V6Only:
		return "*:" + number(s.Local.Port())
	}
	return s.Local.String()
}

func processText(pr *state.Process, uid uint32) string {
	if pr == nil {
		return "uid " + strconv.FormatUint(uint64(uid), 10)
	}
	return fmt.Sprintf("%d %s", pr.PID, clip(pr.Command, 60))
}

func (p *page) conntrack() {
	if len(p.n.Conntrack) == 0 {
		return
	}
	p.title("connections")
	var rows [][]string
	for _, c := range p.n.Conntrack {
		nat := ""
		if c.Reply.Src != c.Original.Dst || c.Reply.SPort != c.Original.DPort || c.Reply.Dst != c.Original.Src || c.Reply.DPort != c.Original.SPort {
			nat = "reply " + tupleText(c.Reply)
		}
		mark := ""
		if c.Mark != 0 {
			mark = fmt.Sprintf("mark %#x", c.Mark)
		}
		rows = append(rows, []string{protoName(c.Proto), c.TCPState, tupleText(c.Original), nat, strings.Join(statusWords(c.Status), " "), mark})
	}
	p.columns(rows)
}

func tupleText(t state.ConnTuple) string {
	if t.SPort == 0 && t.DPort == 0 {
		s := fmt.Sprintf("%s > %s", t.Src, t.Dst)
		if t.ID != 0 || t.Type != 0 {
			s += fmt.Sprintf(" type %d id %d", t.Type, t.ID)
		}
		return s
	}
	return fmt.Sprintf("%s > %s", netip.AddrPortFrom(t.Src, t.SPort), netip.AddrPortFrom(t.Dst, t.DPort))
}

func statusWords(status uint32) []string {
	var w []string
	if status&2 == 0 {
		w = append(w, "unreplied")
	}
	for _, f := range []struct {
		bit  uint32
		word string
	}{{4, "assured"}, {16, "snat"}, {32, "dnat"}} {
		if status&f.bit != 0 {
			w = append(w, f.word)
		}
	}
	return w
}

// settings lists the sysctls that decide where packets go, where they are set; ip_forward always.
func (p *page) settings() {
	deciding := []string{
		"forwarding", "force_forwarding", "rp_filter", "accept_local", "route_localnet", "proxy_arp", "arp_ignore", "arp_filter",
		"disable_ipv6", "bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables", "ip_nonlocal_bind",
		"ignore_routes_with_linkdown", "fib_multipath_hash_policy", "src_valid_mark", "icmp_echo_ignore_all", "tcp_l3mdev_accept",
		"udp_l3mdev_accept",
	}
	var rows [][]string
	for _, s := range p.n.Sysctls {
		leaf := s.Key[strings.LastIndexByte(s.Key, '/')+1:]
		if leaf == "ip_forward" || s.Value != "0" && slices.Contains(deciding, leaf) {
			rows = append(rows, []string{s.Dotted(), "= " + strings.ReplaceAll(s.Value, "\t", " ")})
		}
	}
	if len(rows) > 0 {
		p.title("settings")
		p.columns(rows)
	}
}
