package plan

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// NFT writes nftables' language. The package does not know it: the caller brings the functions.
type NFT struct {
	Table func(state.Table) string // as nft list table prints it
	Value func(state.Value) string // one value, as in an element
}

// Shell is the plan as the ip, sysctl and nft lines that a person would have typed. They run with sh as root. A hidden
// namespace gets a name below /run/netns there.
func (p Plan) Shell(nft NFT) string {
	s := &shell{nft: nft}
	for i := range p.Steps {
		s.step(&p.Steps[i])
	}
	return s.String()
}

type shell struct {
	strings.Builder
	nft NFT
}

func (s *shell) line(words ...string) {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	s.WriteString(strings.Join(words, " ") + "\n")
}

// ip is the command in a namespace.
func ip(ns string) string {
	if ns == state.HostNS {
		return "ip"
	}
	return "ip -n " + quote(ns)
}

// within is the prefix of a command in a namespace.
func within(ns string) string {
	if ns == state.HostNS {
		return ""
	}
	return "ip netns exec " + quote(ns)
}

func (s *shell) step(st *Step) {
	o, verb := st.Object(), st.Verb()
	switch {
	case o.Namespace != nil:
		s.namespace(o.Namespace, verb)
	case o.Cable != nil:
		s.cable(o.Cable, verb)
	case o.Link != nil:
		s.link(st, verb)
	case o.Addr != nil:
		s.addr(st.NS, o.Addr, verb)
	case o.Route != nil:
		s.line(ip(st.NS), family(o.Route.Dst.Addr().Is6()), "route", map[Verb]string{Create: "add", Change: "replace", Delete: "del"}[verb], routeArgs(o.Route))
	case o.Rule != nil:
		s.line(ip(st.NS), family(o.Rule.IPv6), "rule", word(verb, "add", "del"), ruleWords(o.Rule), protocol(o.Rule.Protocol))
	case o.Neighbor != nil:
		s.neighbor(st.NS, o.Neighbor, verb)
	case o.FDB != nil:
		s.fdb(st.NS, o.FDB, verb)
	case o.Table != nil:
		s.table(st.NS, o.Table, verb)
	case o.Elements != nil:
		if st.Before.Elements != nil {
			s.elements(st.NS, "delete", st.Before.Elements)
		}
		if st.After.Elements != nil {
			s.elements(st.NS, "add", st.After.Elements)
		}
	case o.Sysctl != nil:
		if verb != Delete {
			s.line(within(st.NS), "sysctl -qw", quote(o.Sysctl.Key+"="+strings.Join(strings.Fields(o.Sysctl.Value), " ")))
		}
	}
}

func word(v Verb, add, del string) string {
	if v == Delete {
		return del
	}
	return add
}

func family(is6 bool) string {
	if is6 {
		return "-6"
	}
	return ""
}

func protocol(p uint8) string {
	if p == 0 {
		return ""
	}
	return fmt.Sprintf("protocol %d", p)
}

func (s *shell) namespace(n *state.DesiredNamespace, verb Verb) {
	if verb == Delete {
		s.line("ip netns del", quote(n.Name))
		return
	}
	s.line("ip netns add", quote(n.Name))
	if !n.Mark.IsZero() {
		s.line(ip(n.Name), "link property add dev lo altname", quote(n.Mark.AltName()))
	}
}

func (s *shell) addr(ns string, a *state.Addr, verb Verb) {
	w := []string{ip(ns), "addr", map[Verb]string{Create: "add", Change: "replace", Delete: "del"}[verb]}
	if a.Peer.IsValid() {
		w = append(w, a.Prefix.Addr().String(), "peer", fmt.Sprintf("%v/%d", a.Peer, a.Prefix.Bits()))
	} else {
		w = append(w, a.Prefix.String())
	}
	if verb != Delete {
		if a.Broadcast.IsValid() {
			w = append(w, "broadcast", a.Broadcast.String())
		}
		if a.Scope != 0 {
			w = append(w, fmt.Sprintf("scope %d", a.Scope))
		}
		if a.Label != "" {
			w = append(w, "label", quote(a.Label))
		}
		if a.Metric != 0 {
			w = append(w, fmt.Sprintf("metric %d", a.Metric))
		}
		// No "proto": older versions of ip do not know it, and an address is recognised without.
	}
	w = append(w, "dev", quote(a.Link))
	if verb != Delete {
		if a.Flags&state.AddrNoDAD != 0 {
			w = append(w, "nodad")
		}
		if a.Flags&state.AddrNoPrefixRoute != 0 {
			w = append(w, "noprefixroute")
		}
		if a.Valid != 0 {
			w = append(w, fmt.Sprintf("valid_lft %d", int(a.Valid.Seconds())))
		}
		if a.Preferred != 0 {
			w = append(w, fmt.Sprintf("preferred_lft %d", int(a.Preferred.Seconds())))
		}
	}
	s.line(w...)
}

func (s *shell) neighbor(ns string, n *state.Neighbor, verb Verb) {
	w := []string{ip(ns), "neigh", map[Verb]string{Create: "add", Change: "replace", Delete: "del"}[verb]}
	if n.Proxy {
		w = append(w, "proxy")
	}
	w = append(w, n.IP.String())
	if verb != Delete && !n.MAC.IsZero() {
		w = append(w, "lladdr", n.MAC.String())
	}
	w = append(w, "dev", quote(n.Link))
	if verb != Delete && !n.Proxy {
		w = append(w, "nud", orWord(n.State, "permanent"), protocol(n.Protocol))
	}
	s.line(w...)
}

func (s *shell) fdb(ns string, e *state.FDBEntry, verb Verb) {
	cmd := "bridge"
	if ns != state.HostNS {
		cmd = "bridge -n " + quote(ns)
	}
	w := []string{cmd, "fdb", map[Verb]string{Create: "append", Change: "replace", Delete: "del"}[verb], e.MAC.String(), "dev", quote(e.Link)}
	if e.Dst.IsValid() {
		w = append(w, "dst", e.Dst.String())
	} else if verb == Create {
		w[2] = "add"
	}
	if e.VLAN != 0 {
		w = append(w, fmt.Sprintf("vlan %d", e.VLAN))
	}
	if e.VNI != 0 {
		w = append(w, fmt.Sprintf("vni %d", e.VNI))
	}
	if e.Port != 0 {
		w = append(w, fmt.Sprintf("port %d", e.Port))
	}
	if e.Master != "" || e.Flags&4 != 0 {
		w = append(w, "master")
	}
	if e.Flags&2 != 0 {
		w = append(w, "self")
	}
	if verb != Delete {
		w = append(w, map[string]string{"permanent": "permanent", "static": "static"}[orWord(e.State, "permanent")])
	}
	s.line(w...)
}

func (s *shell) table(ns string, t *state.Table, verb Verb) {
	if verb == Delete {
		s.line(within(ns), "nft delete table", t.Family, t.Name)
		return
	}
	s.here(ns, fmt.Sprintf("table %s %s\ndelete table %s %s\n", t.Family, t.Name, t.Family, t.Name)+s.nft.Table(*t))
}

// here hands text to nft.
func (s *shell) here(ns, text string) {
	s.line(within(ns), "nft -f - <<'EOF'")
	s.WriteString(strings.TrimRight(text, "\n") + "\nEOF\n")
}

func (s *shell) elements(ns, verb string, e *Elements) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s element %s %s %s {\n", verb, e.Family, e.Table, e.Set)
	for i := range e.Elements {
		x := &e.Elements[i]
		b.WriteString("\t" + s.values(x.Key))
		if x.KeyEnd != nil {
			b.WriteString("-" + s.values(x.KeyEnd))
		}
		if verb == "add" && x.Comment != "" {
			b.WriteString(" comment \"" + x.Comment + "\"")
		}
		switch {
		case len(x.Data) > 0:
			b.WriteString(" : " + s.values(x.Data))
		case x.Verdict != nil:
			b.WriteString(" : " + strings.TrimSpace(x.Verdict.Kind+" "+x.Verdict.Chain))
		}
		b.WriteString(",\n")
	}
	b.WriteString("}")
	s.here(ns, b.String())
}

func (s *shell) values(list []state.Value) string {
	w := make([]string, len(list))
	for i := range list {
		w[i] = s.nft.Value(list[i])
	}
	return strings.Join(w, " . ")
}

// quote makes a word safe for sh; most need nothing.
func quote(w string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/:@%+=,", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !safe(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
