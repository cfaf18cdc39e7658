package topo

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// MustCheck is [ParseCheck] for constant text: it panics when the text is not one check.
func MustCheck(text string) Check {
	c, err := ParseCheck(text)
	if err != nil {
		panic("topo: " + err.Error())
	}
	if len(c) != 1 {
		panic("topo: " + text + " is more than one check")
	}
	return c[0]
}

var checkVerbs = []string{"ping", "tcp", "udp", "http", "dns", "mtu"}

// ParseCheck reads
//
//	A can|cannot ping|tcp|udp|http|dns TARGET [on NET] [within TIME] [over 4|6] [via NODE] [retry TIME]
//	A can|cannot mtu N to TARGET ...
//
// It gives several checks when A or TARGET holds a range.
func ParseCheck(text string) ([]Check, error) {
	words := strings.Fields(text)
	if len(words) < 4 {
		return nil, fmt.Errorf("%q is not A can|cannot VERB TARGET, as in: h1 can ping h2", text)
	}
	c := Check{Can: words[1] == "can", Verb: words[2]}
	if !c.Can && words[1] != "cannot" {
		return nil, fmt.Errorf("%q: the second word is %q, not can or cannot", text, words[1])
	}
	known := false
	for _, v := range checkVerbs {
		known = known || v == c.Verb
	}
	if !known {
		return nil, fmt.Errorf("%q is not something that a check can try (%s)", c.Verb, strings.Join(checkVerbs, ", "))
	}
	from, target, rest := words[0], words[3], words[4:]
	if c.Verb == "mtu" {
		n, err := strconv.ParseUint(words[3], 10, 17)
		if err != nil || n < 68 || n > 65535 || len(words) < 6 || words[4] != "to" {
			return nil, fmt.Errorf("%q is not A can|cannot mtu N to TARGET, with N from 68 to 65535", text)
		}
		c.MTU, target, rest = uint32(n), words[5], words[6:]
	}
	if err := c.options(text, rest); err != nil {
		return nil, err
	}
	froms, err := expandName(from)
	if err != nil {
		return nil, err
	}
	targets := []string{target}
	if !strings.Contains(target, "://") && !strings.HasPrefix(target, "[") {
		if targets, err = expandName(target); err != nil {
			return nil, err
		}
	}
	if len(froms)*len(targets) > maxRange {
		return nil, fmt.Errorf("%q stands for more than %d checks", text, maxRange)
	}
	var out []Check
	for _, f := range froms {
		if f != "all" && f != "host" {
			if err := checkWord(f, "node or net", []string{"out", "lo", "default"}); err != nil {
				return nil, err
			}
		}
		for _, t := range targets {
			one := c
			one.From = f
			if one.Target, err = parseTarget(t, c.Verb); err != nil {
				return nil, err
			}
			if a := one.Target.Addr; a.IsValid() && c.Over != 0 && (c.Over == 4) != a.Is4() {
				return nil, fmt.Errorf("%q: %s is not an address of IPv%d", text, a, c.Over)
			}
			one.Text = one.String()
			out = append(out, one)
		}
	}
	return out, nil
}

func (c *Check) options(text string, words []string) (err error) {
	seen := map[string]bool{}
	for len(words) > 0 {
		key := words[0]
		if len(words) == 1 {
			return fmt.Errorf("%q: nothing stands after %q", text, key)
		}
		if seen[key] {
			return fmt.Errorf("%q says %q twice", text, key)
		}
		seen[key] = true
		value := words[1]
		words = words[2:]
		switch key {
		case "on":
			c.On, err = value, checkNetName(value)
		case "within":
			c.Within, err = parseDuration(value)
		case "retry":
			c.Retry, err = parseDuration(value)
		case "via":
			c.Via, err = value, checkNodeName(value)
		case "over":
			switch value {
			case "4", "6":
				c.Over = int(value[0] - '0')
			default:
				err = fmt.Errorf("%q: over takes 4 or 6, not %q", text, value)
			}
		default:
			err = fmt.Errorf("%q is not an option of a check (on, within, over, via, retry)", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseTarget(s, verb string) (Target, error) {
	t := Target{}
	if s == "all" {
		if verb == "tcp" || verb == "udp" || verb == "dns" {
			return t, fmt.Errorf("a %s check needs one target, not all", verb)
		}
		return Target{All: true}, nil
	}
	if strings.Contains(s, "://") {
		rest, ok := strings.CutPrefix(s, "http://")
		if verb != "http" || !ok || rest == "" || rest[0] == '/' {
			return t, fmt.Errorf("%q: only http checks take a URL, and it begins with http://NAME", s)
		}
		host, path, _ := strings.Cut(rest, "/")
		t, err := splitTarget(host, verb)
		if err != nil {
			return t, err
		}
		return Target{URL: "http://" + host + "/" + path}, nil
	}
	host, path, hasPath := strings.Cut(s, "/")
	if hasPath && verb != "http" {
		return t, fmt.Errorf("%q: only http checks take a path", s)
	}
	if verb == "dns" {
		for _, r := range s {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
				return t, fmt.Errorf("%q is not a name to look up", s)
			}
		}
		return Target{Name: s}, nil
	}
	t, err := splitTarget(host, verb)
	if err != nil {
		return t, err
	}
	if hasPath && path != "" {
		t.Path = "/" + path
	}
	if t.Port == 0 && (verb == "tcp" || verb == "udp") {
		return t, fmt.Errorf("a %s check needs a port, as in %s:80", verb, s)
	}
	if t.Port != 0 && (verb == "ping" || verb == "mtu") {
		return t, fmt.Errorf("a %s check takes no port", verb)
	}
	return t, nil
}

// splitTarget reads NODE[:PORT], ADDRESS[:PORT] or [ADDRESS6][:PORT].
func splitTarget(s, verb string) (Target, error) {
	host, ports, err := cutPort(s)
	if err != nil {
		return Target{}, err
	}
	if ports.First != ports.Last {
		return Target{}, fmt.Errorf("%q: a check tries one port", s)
	}
	t := Target{Port: ports.First}
	if a, err := parseAddr(host); err == nil {
		t.Addr = a
		return t, nil
	}
	t.Name = host
	if verb == "http" && strings.Contains(host, ".") {
		return t, nil // NODE.NET, or a name of the node's own hosts or resolver
	}
	if host == "host" {
		return t, nil
	}
	if n, net, ok := strings.Cut(host, "."); ok { // NODE.NET
		if err := checkNodeName(n); err != nil {
			return t, err
		}
		return t, checkNetName(net)
	}
	return t, checkNodeName(host)
}

func (t Target) String() string {
	switch {
	case t.URL != "":
		return t.URL
	case t.All:
		return "all"
	}
	s := t.Name
	if t.Addr.IsValid() {
		if s = t.Addr.String(); t.Port != 0 || t.Path != "" {
			s = hostText("", t.Addr)
		}
	}
	if t.Port != 0 {
		s = netipJoin(s, t.Port)
	}
	return s + t.Path
}

func netipJoin(host string, port uint16) string { return host + ":" + strconv.Itoa(int(port)) }

// String is the canonical form.
func (c Check) String() string {
	var b strings.Builder
	b.WriteString(c.From)
	if c.Can {
		b.WriteString(" can ")
	} else {
		b.WriteString(" cannot ")
	}
	b.WriteString(c.Verb + " ")
	if c.Verb == "mtu" {
		fmt.Fprintf(&b, "%d to ", c.MTU)
	}
	b.WriteString(c.Target.String())
	if c.On != "" {
		b.WriteString(" on " + c.On)
	}
	if c.Within != 0 {
		b.WriteString(" within " + formatDuration(c.Within))
	}
	if c.Over != 0 {
		fmt.Fprintf(&b, " over %d", c.Over)
	}
	if c.Via != "" {
		b.WriteString(" via " + c.Via)
	}
	if c.Retry != 0 {
		b.WriteString(" retry " + formatDuration(c.Retry))
	}
	return b.String()
}

// prefixOf is the prefix of one address.
func prefixOf(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }
