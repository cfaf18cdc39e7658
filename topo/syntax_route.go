package topo

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

var routeTypes = []string{"unicast", "blackhole", "unreachable", "prohibit", "throw"}

// parseRoute reads a route as ip-route(8) writes it: [TYPE] DST [via GATEWAY] [dev NET] [src A] [metric N] [table N] [mtu N]
// [onlink].
func parseRoute(s string) (Route, error) {
	words := strings.Fields(s)
	r := Route{}
	if len(words) > 0 {
		for _, t := range routeTypes {
			if words[0] == t {
				if t != "unicast" {
					r.Type = t
				}
				words = words[1:]
				break
			}
		}
	}
	if len(words) == 0 {
		return r, fmt.Errorf("%q is not a route such as 10.9.0.0/16 via h2", s)
	}
	dst := words[0]
	words = words[1:]
	if dst == "default" {
		r.Default = true
	} else if a, err := parseAddr(dst); err == nil {
		r.Dst = netip.PrefixFrom(a, a.BitLen())
	} else if strings.ContainsAny(dst, "/:.") {
		p, err := parseCIDR(dst)
		if err != nil {
			return r, err
		}
		r.Dst = p
	} else {
		if err := checkWord(dst, "net or node", []string{"host", "all", "out", "lo"}); err != nil {
			return r, err
		}
		r.To = dst
	}
	seen := map[string]bool{}
	for len(words) > 0 {
		key := words[0]
		words = words[1:]
		if seen[key] {
			return r, fmt.Errorf("%q says %q twice", s, key)
		}
		seen[key] = true
		if key == "onlink" {
			r.OnLink = true
			continue
		}
		if len(words) == 0 {
			return r, fmt.Errorf("%q: nothing stands after %q", s, key)
		}
		if err := r.set(key, words[0]); err != nil {
			return r, err
		}
		words = words[1:]
	}
	return r, r.sound(s)
}

func (r *Route) sound(s string) error {
	way := r.Via.IsValid() || r.ViaNode != ""
	switch {
	case r.Type != "" && (way || r.Dev != "" || r.OnLink || r.Src.IsValid() || r.MTU != 0):
		return fmt.Errorf("%q: a route of type %s leads nowhere, so it takes only a metric and a table", s, r.Type)
	case r.Type == "" && !way && r.Dev == "":
		return fmt.Errorf("%q says neither via nor dev", s)
	case r.Via.IsValid() && r.Dst.IsValid() && r.Via.Is4() != r.Dst.Addr().Is4(),
		r.Src.IsValid() && r.Via.IsValid() && r.Via.Is4() != r.Src.Is4(),
		r.Src.IsValid() && r.Dst.IsValid() && r.Src.Is4() != r.Dst.Addr().Is4():
		return fmt.Errorf("%q mixes IPv4 and IPv6", s)
	case r.OnLink && r.Dev == "":
		return fmt.Errorf("%q: onlink needs dev NET", s)
	case r.OnLink && !r.Via.IsValid():
		return fmt.Errorf("%q: onlink needs via ADDRESS", s)
	}
	return nil
}

func (r *Route) set(key, value string) (err error) {
	switch key {
	case "via":
		if r.Via, err = parseAddr(unbracket(value)); err == nil {
			return nil
		}
		if strings.ContainsAny(value, ".:/") {
			return err
		}
		r.ViaNode = value
		if value == "host" {
			return nil
		}
		return checkNodeName(value)
	case "dev":
		r.Dev = value
		return checkNetName(value)
	case "src":
		r.Src, err = parseAddr(value)
	case "metric":
		r.Metric, err = parseNumber(value)
	case "table":
		if value == "main" {
			return nil
		}
		if r.Table, err = parseNumber(value); r.Table == 254 {
			r.Table = 0
		}
	case "mtu":
		r.MTU, err = parseNumber(value)
	default:
		err = fmt.Errorf("%q is not a word of a route (via, dev, src, metric, table, mtu, onlink)", key)
	}
	return err
}

func parseNumber(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a number (1 to %d)", s, uint32(1<<32-1))
	}
	return uint32(n), nil
}

func (r Route) String() string {
	var b strings.Builder
	if r.Type != "" && r.Type != "unicast" {
		b.WriteString(r.Type + " ")
	}
	switch {
	case r.Default:
		b.WriteString("default")
	case r.To != "":
		b.WriteString(r.To)
	default:
		b.WriteString(r.Dst.String())
	}
	word := func(w, v string) {
		if v != "" {
			b.WriteString(" " + w + " " + v)
		}
	}
	number := func(w string, n uint32) {
		if n != 0 {
			word(w, strconv.FormatUint(uint64(n), 10))
		}
	}
	if r.Via.IsValid() {
		word("via", r.Via.String())
	}
	word("via", r.ViaNode)
	word("dev", r.Dev)
	if r.Src.IsValid() {
		word("src", r.Src.String())
	}
	number("metric", r.Metric)
	number("table", r.Table)
	number("mtu", r.MTU)
	if r.OnLink {
		b.WriteString(" onlink")
	}
	return b.String()
}
