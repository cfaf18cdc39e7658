package topo

import (
	"fmt"
	"net/netip"
	"strings"
)

// parsePlace reads "all", an address, a prefix, or a name.
func parsePlace(s string) (Place, error) {
	s = unbracket(s)
	if s == "all" || s == "any" {
		return Place{}, nil
	}
	if a, err := parseAddr(s); err == nil {
		return Place{Prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if strings.ContainsAny(s, "/:") {
		p, err := parseCIDR(s)
		return Place{Prefix: p}, err
	}
	if s == "host" {
		return Place{Name: s}, nil
	}
	return Place{Name: s}, checkWord(s, "node or net", []string{"out", "lo", "default"})
}

func (p Place) String() string {
	switch {
	case p.Name != "":
		return p.Name
	case !p.Prefix.IsValid():
		return "all"
	case p.Prefix.IsSingleIP():
		return hostText("", p.Prefix.Addr())
	case p.Prefix.Addr().Is6():
		return "[" + p.Prefix.String() + "]"
	}
	return p.Prefix.String()
}

// IsZero reports whether the place is anywhere.
func (p Place) IsZero() bool { return p == Place{} }

var flowProtos = []string{"tcp", "udp", "icmp"}

// parseThrough reads FROM -> TO[:PORTS][/PROTO] [drop].
func parseThrough(s string) (Flow, error) {
	f := Flow{}
	text, drop := strings.CutSuffix(s, " drop")
	f.Drop = drop
	left, right, ok := strings.Cut(text, "->")
	if !ok {
		return f, fmt.Errorf("%q is not FROM -> TO[:PORT][/PROTO]", s)
	}
	var err error
	if f.From, err = parsePlace(strings.TrimSpace(left)); err != nil {
		return f, err
	}
	rest, proto, err := cutProto(strings.TrimSpace(right), flowProtos...)
	if err != nil {
		return f, err
	}
	f.Proto = proto
	host, ports, err := cutPort(rest)
	if err != nil {
		return f, err
	}
	f.Ports = ports
	if !f.Ports.IsZero() && f.Proto == "" {
		f.Proto = "tcp"
	}
	if !f.Ports.IsZero() && f.Proto == "icmp" {
		return f, fmt.Errorf("%q: icmp has no ports", s)
	}
	f.To, err = parsePlace(host)
	return f, err
}

// through is the canonical form of a forwarded flow.
func (f Flow) through() string {
	s := f.From.String() + " -> " + f.To.String()
	if !f.Ports.IsZero() {
		s += ":" + f.Ports.String()
	}
	if f.Proto != "" {
		s += "/" + f.Proto
	}
	if f.Drop {
		s += " drop"
	}
	return s
}

// parseEnd reads [tcp|udp|icmp|all] [PORTS] [from PLACE] (word "to" for what is sent) [drop].
func parseEnd(s, word string) (Flow, error) {
	f := Flow{}
	words := strings.Fields(s)
	if len(words) == 0 {
		return f, fmt.Errorf("an empty entry lets nothing pass (tcp 22 %s lan is one)", word)
	}
	if n := len(words); words[n-1] == "drop" {
		f.Drop, words = true, words[:n-1]
	}
	if len(words) > 0 {
		switch words[0] {
		case "tcp", "udp", "icmp":
			f.Proto, words = words[0], words[1:]
		case "all", "any":
			words = words[1:]
		}
	}
	if len(words) > 0 && f.Proto != "" && f.Proto != "icmp" && words[0] != word {
		p, err := parsePorts(words[0])
		if err != nil {
			return f, err
		}
		f.Ports, words = p, words[1:]
	}
	if len(words) == 0 {
		return f, nil
	}
	if len(words) != 2 || words[0] != word {
		return f, fmt.Errorf("%q is not [tcp|udp|icmp|all] [PORT] [%s PLACE]", s, word)
	}
	place, err := parsePlace(words[1])
	if word == "from" {
		f.From = place
	} else {
		f.To = place
	}
	return f, err
}

// end is the canonical form of a flow that the node itself receives ("from") or sends ("to").
func (f Flow) end(word string) string {
	s := "all"
	if f.Proto != "" {
		s = f.Proto
	}
	if !f.Ports.IsZero() {
		s += " " + f.Ports.String()
	}
	place := f.From
	if word == "to" {
		place = f.To
	}
	if !place.IsZero() {
		s += " " + word + " " + place.String()
	}
	if f.Drop {
		s += " drop"
	}
	return s
}
