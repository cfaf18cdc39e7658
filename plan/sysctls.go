package plan

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// sysctlDevice is the link that a key is about, "" when it is about none ("all" and "default" are none).
func sysctlDevice(key string) string {
	rest, ok := strings.CutPrefix(key, "net/")
	if !ok {
		return ""
	}
	_, rest, _ = strings.Cut(rest, "/")
	kind, rest, _ := strings.Cut(rest, "/")
	device, _, ok := strings.Cut(rest, "/")
	if !ok || kind != "conf" && kind != "neigh" || device == "all" || device == "default" {
		return ""
	}
	return device
}

// defaultKey is the key that new links take the value from.
func defaultKey(key, device string) string {
	return strings.Replace(key, "/"+device+"/", "/default/", 1)
}

// overwrites is the prefix and suffix of the keys that the kernel rewrites when this one is written ("" = none):
// net/ipv4/ip_forward and conf/all/forwarding set every link's and the default, so do IPv6's forwarding and disable_ipv6
// (Documentation/networking/ip-sysctl.rst).
func overwrites(key string) (prefix, suffix string) {
	switch key {
	case "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding":
		return "net/ipv4/conf/", "/forwarding"
	case "net/ipv6/conf/all/forwarding", "net/ipv6/conf/all/disable_ipv6":
		return "net/ipv6/conf/", key[strings.LastIndexByte(key, '/'):]
	}
	return "", ""
}

// sysctlRank puts the keys that rewrite others first.
func sysctlRank(key string) int {
	switch {
	case key == "net/ipv4/ip_forward":
		return 0
	case strings.Contains(key, "/conf/all/"):
		return 1
	case strings.Contains(key, "/conf/default/"):
		return 2
	default:
		return 3
	}
}

// sameSysctl compares values as the kernel prints them: white space is one tab.
func sameSysctl(a, b string) bool {
	return a == b || slices.Equal(strings.Fields(a), strings.Fields(b))
}

func findSysctl(list []state.Sysctl, key string) (string, bool) {
	i, ok := slices.BinarySearchFunc(list, key, func(s state.Sysctl, k string) int { return strings.Compare(s.Key, k) })
	if !ok {
		return "", false
	}
	return list[i].Value, true
}

// sysctls appends the steps for the sysctls that need no link (early), or for the others.
func (d *differ) sysctls(steps []Step, p *place, early bool) []Step {
	var rewritten [][2]string
	put := func(key, value, reason string) {
		var have string
		var known bool
		if p.have != nil && !(p.deadLinks && d.dead(p.name, sysctlDevice(key))) {
			have, known = findSysctl(p.have.Sysctls, key)
		}
		again := slices.ContainsFunc(rewritten, func(r [2]string) bool {
			return strings.HasPrefix(key, r[0]) && strings.HasSuffix(key, r[1])
		})
		if known && sameSysctl(have, value) && !again {
			return
		}
		if prefix, suffix := overwrites(key); prefix != "" {
			rewritten = append(rewritten, [2]string{prefix, suffix})
		}
		s := Step{NS: p.name, After: Object{Sysctl: &state.Sysctl{Key: key, Value: value}}, Reason: reason}
		if known {
			s.Before = Object{Sysctl: &state.Sysctl{Key: key, Value: have}}
			switch {
			case reason == "" && sameSysctl(have, value):
				s.Reason = "a change before this one rewrites it"
			case reason == "":
				s.Reason = fmt.Sprintf("is %s, want %s", have, value)
			}
		}
		steps = append(steps, s)
	}
	mine := func(key string) bool {
		dev := sysctlDevice(key)
		return (dev == "" || dev == "lo") == early
	}
	for rank := range 4 {
		for _, s := range p.want.Sysctls {
			if mine(s.Key) && sysctlRank(s.Key) == rank {
				put(s.Key, s.Value, "")
			}
		}
		if p.former == nil || !p.owned || p.have == nil {
			continue
		}
		for _, s := range p.former.Sysctls {
			if !mine(s.Key) || sysctlRank(s.Key) != rank {
				continue
			}
			if _, still := findSysctl(p.want.Sysctls, s.Key); still {
				continue
			}
			dev := sysctlDevice(s.Key)
			fresh, ok := findSysctl(d.fresh, s.Key)
			if dev != "" && !ok {
				if p.wantLinks.get(dev) == nil && p.haveLinks.get(dev) == nil || d.dead(p.name, dev) {
					continue // gone with its link
				}
				fresh, ok = findSysctl(d.fresh, defaultKey(s.Key, dev))
			}
			if ok {
				put(s.Key, fresh, "no longer declared: back to what a fresh namespace has")
			}
		}
	}
	return steps
}
