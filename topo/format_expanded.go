package topo

import (
	"strconv"
	"strings"
)

// FormatExpanded prints a lab with every shorthand in its canonical form and every default filled in. Reading the result gives
// an equal Lab. The error is [Lab.Validate]'s: only a valid lab has such a form.
func FormatExpanded(lab *Lab) ([]byte, error) {
	l := lab.clone()
	l.Complete()
	if err := l.Validate(); err != nil {
		return nil, err
	}
	w := &writer{}
	w.line(0, "name", l.Name)
	w.head(0, "defaults")
	w.line(1, "mtu", number(l.Defaults.MTU))
	w.line(1, "ipv6", strconv.FormatBool(l.Defaults.IPv6))
	w.line(1, "pool4", l.Defaults.Pool4.String())
	w.line(1, "pool6", l.Defaults.Pool6.String())
	if len(l.Nets) > 0 {
		w.head(0, "nets")
	}
	for i := range l.Nets {
		w.net(&l.Nets[i])
	}
	if len(l.Nodes) > 0 {
		w.head(0, "nodes")
	}
	for i := range l.Nodes {
		w.node(&l.Nodes[i])
	}
	if len(l.Checks) > 0 {
		w.head(0, "checks")
	}
	for _, c := range l.Checks {
		w.item(1, quote(c.String()))
	}
	return []byte(w.b.String()), nil
}

type writer struct{ b strings.Builder }

func (w *writer) indent(n int) {
	for range n {
		w.b.WriteString("  ")
	}
}

func (w *writer) head(n int, key string) {
	w.indent(n)
	w.b.WriteString(quote(key) + ":\n")
}

// line writes a key and a value that is text.
func (w *writer) line(n int, key, value string) { w.raw(n, key, quote(value)) }

func (w *writer) raw(n int, key, value string) {
	w.indent(n)
	w.b.WriteString(quote(key) + ": " + value + "\n")
}

func (w *writer) item(n int, value string) {
	w.indent(n)
	w.b.WriteString("- " + value + "\n")
}

func (w *writer) list(n int, key string, values []string) {
	if len(values) == 0 {
		return
	}
	w.head(n, key)
	for _, v := range values {
		w.item(n+1, quote(v))
	}
}

func flow(values []string) string {
	quoted := make([]string, 0, len(values))
	for _, v := range values {
		quoted = append(quoted, quote(v))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func texts[T interface{ String() string }](list []T) []string {
	out := make([]string, 0, len(list))
	for _, x := range list {
		out = append(out, x.String())
	}
	return out
}

func (w *writer) net(n *Net) {
	w.head(1, n.Name)
	cidr := "auto"
	if len(n.CIDR) > 0 {
		cidr = flow(texts(n.CIDR))
	}
	w.raw(2, "cidr", cidr)
	w.line(2, "ipv6", strconv.FormatBool(*n.IPv6))
	w.line(2, "kind", n.Kind)
	w.line(2, "mtu", number(n.MTU))
	if n.Uplink == nil {
		w.line(2, "uplink", "false")
	} else {
		w.raw(2, "uplink", "{nat: "+strconv.FormatBool(!n.Uplink.RouteOnly)+"}")
	}
	w.line(2, "isolated", strconv.FormatBool(n.Isolated))
	w.line(2, "internal", strconv.FormatBool(n.Internal))
	w.line(2, "stp", strconv.FormatBool(n.STP))
	w.line(2, "dns", strconv.FormatBool(!n.NoDNS))
	switch g := n.Gateway; {
	case g.None:
		w.line(2, "gateway", "none")
	case g.Node != "":
		w.line(2, "gateway", g.Node)
	case len(g.Addr) > 0:
		w.raw(2, "gateway", flow(texts(g.Addr)))
	default:
		w.line(2, "gateway", "auto")
	}
	if len(n.Members) == 0 {
		return
	}
	w.head(2, "nodes")
	for _, m := range n.Members {
		ip := "auto"
		if len(m.IP) > 0 {
			ip = flow(texts(m.IP))
		}
		s := quote(m.Node) + ": {ip: " + ip
		if !m.MAC.IsZero() {
			s += ", mac: " + quote(m.MAC.String())
		}
		w.item(3, s+", if: "+quote(m.If)+", mtu: "+number(m.MTU)+"}")
	}
}

func (w *writer) node(n *Node) {
	w.head(1, n.Name)
	w.line(2, "forward", strconv.FormatBool(*n.Forward))
	switch r := n.Routes; {
	case len(r.List) > 0:
		list := texts(r.List)
		if !r.NoAuto {
			list = append([]string{"auto"}, list...)
		}
		w.list(2, "routes", list)
	case r.NoAuto:
		w.line(2, "routes", "none")
	default:
		w.line(2, "routes", "auto")
	}
	if len(n.NAT) > 0 {
		w.head(2, "nat")
		for _, x := range n.NAT {
			s := "{to: " + quote(x.To)
			if x.Addr.IsValid() {
				s += ", address: " + quote(x.Addr.String())
			}
			w.item(3, s+"}")
		}
	}
	w.list(2, "dnat", texts(n.DNAT))
	w.list(2, "publish", texts(n.Publish))
	w.policy("allow", n, func(p Policy) ([]Flow, bool, bool) { return p.Allow, p.Strict, false })
	w.policy("deny", n, func(p Policy) ([]Flow, bool, bool) { return p.Deny, len(p.Deny) > 0 || p.Drop, p.Drop })
	if len(n.Sysctl) > 0 {
		w.head(2, "sysctl")
		for _, s := range n.Sysctl {
			w.line(3, s.Key, s.Value)
		}
	}
	if n.Netns != "" {
		w.line(2, "netns", n.Netns)
	}
	if len(n.Hosts) > 0 {
		w.head(2, "hosts")
		for _, h := range n.Hosts {
			w.raw(3, h.Name, flow(texts(h.Addr)))
		}
	}
	w.list(2, "dns", texts(n.DNS))
	if len(n.Services) > 0 {
		w.head(2, "services")
		for _, s := range n.Services {
			w.service(s)
		}
	}
}

func (w *writer) policy(key string, n *Node, of func(Policy) (flows []Flow, there, drop bool)) {
	head := false
	for _, d := range []struct {
		name string
		p    Policy
		text func(Flow) string
	}{
		{"forward", n.Through, Flow.through},
		{"in", n.In, func(f Flow) string { return f.end("from") }},
		{"out", n.Out, func(f Flow) string { return f.end("to") }},
	} {
		flows, there, drop := of(d.p)
		if !there {
			continue
		}
		if !head {
			head = true
			w.head(2, key)
		}
		list := make([]string, 0, len(flows)+1)
		for _, f := range flows {
			list = append(list, d.text(f))
		}
		if drop {
			list = append(list, "drop")
		}
		if len(list) == 0 {
			w.raw(3, d.name, "[]")
		}
		w.list(3, d.name, list)
	}
}

func (w *writer) service(s Service) {
	w.head(3, s.Name)
	if s.Cmd.Shell != "" {
		w.line(4, "cmd", s.Cmd.Shell)
	} else {
		w.list(4, "cmd", s.Cmd.Argv)
	}
	if !s.Ready.IsZero() {
		w.ready(s.Ready)
	}
	w.list(4, "after", s.After)
	if len(s.Env) > 0 {
		w.head(4, "env")
		for _, e := range s.Env {
			name, value, _ := strings.Cut(e, "=")
			w.line(5, name, value)
		}
	}
	if s.Dir != "" {
		w.line(4, "dir", s.Dir)
	}
	if s.User != "" {
		w.line(4, "user", s.User)
	}
	w.line(4, "stop", s.Stop.String())
	logs := s.Logs
	if logs == "" {
		logs = "auto"
	}
	w.line(4, "logs", logs)
}

func (w *writer) ready(r Ready) {
	value := r.Text
	switch r.Kind {
	case "tcp", "udp":
		value = strconv.Itoa(int(r.Port))
	case "http":
		value = ":" + strconv.Itoa(int(r.Port)) + r.Path
	}
	w.raw(4, "ready", "{"+r.Kind+": "+quote(value)+", within: "+formatDuration(r.Within)+"}")
}

// quote writes text so that every reader of YAML 1.2 takes it as the same text: plain where that is safe in a flow collection
// too, else in double quotes.
func quote(s string) string {
	if plainSafe(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\x` + hex2(byte(r)))
		case r == 0x85 || r == 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff:
			b.WriteString(`\u` + hex2(byte(r>>8)) + hex2(byte(r)))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex2(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}

func plainSafe(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	letter := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	if !letter(s[0]) && s[0] != '/' || s[len(s)-1] == ':' || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case letter(c) || strings.IndexByte("_./-+=@", c) >= 0:
		case c == ' ' && s[i-1] != ' ' && s[i-1] != ':':
		case c == '>' && s[i-1] == '-':
		case c == ':' && i+1 < len(s) && s[i+1] != ' ':
		default:
			return false
		}
	}
	return !strings.EqualFold(s, "null")
}
