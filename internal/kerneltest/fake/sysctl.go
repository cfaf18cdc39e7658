package fake

import (
	"strings"
	"syscall"
)

// split takes a key net/FAMILY/conf/LINK/NAME apart; ok is false for other keys.
func split(key string) (link, name string, ok bool) {
	p := strings.Split(key, "/")
	if len(p) != 5 || p[0] != "net" || p[2] != "conf" && p[2] != "neigh" {
		return "", "", false
	}
	return p[3], p[4], true
}

// freshValues are what a new namespace has where that is not 0.
var freshValues = map[string]string{
	"accept_ra": "1", "accept_redirects": "1", "accept_dad": "1", "autoconf": "1", "dad_transmits": "1", "send_redirects": "1",
	"router_solicitations": "-1", "secure_redirects": "1", "mtu": "1500", "hop_limit": "64", "ip_default_ttl": "64",
	"ip_local_port_range": "32768\t60999", "tcp_syncookies": "1", "icmp_echo_ignore_broadcasts": "1", "max_addresses": "16",
}

// readSysctl reads a value; ok is false where there is no such key.
func (s *space) readSysctl(key string) (string, bool) {
	if v, ok := s.sysctl[key]; ok {
		return v, true
	}
	link, name, ok := split(key)
	if !ok {
		name = key[strings.LastIndexByte(key, '/')+1:]
		if !strings.HasPrefix(key, "net/") {
			return "", false
		}
	} else if link != "all" && link != "default" {
		l := s.link(link)
		if l == nil || l.Name != link {
			return "", false
		}
	}
	if v, ok := freshValues[name]; ok {
		return v, true
	}
	return "0", true
}

// writeSysctl writes a value, with what the kernel writes along with it.
func (s *space) writeSysctl(key, value string) error {
	if _, ok := s.readSysctl(key); !ok {
		return refuse(syscall.ENOENT, "%s", key)
	}
	value = strings.Join(strings.Fields(value), "\t")
	s.sysctl[key] = value
	switch key {
	case "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding":
		s.sysctl["net/ipv4/ip_forward"] = value
		s.spread("ipv4", "forwarding", value)
	case "net/ipv6/conf/all/forwarding":
		s.spread("ipv6", "forwarding", value)
	case "net/ipv6/conf/all/disable_ipv6":
		s.spread("ipv6", "disable_ipv6", value)
	}
	for _, l := range s.links {
		if key == "net/ipv6/conf/all/disable_ipv6" || key == "net/ipv6/conf/"+l.Name+"/disable_ipv6" {
			s.applyIPv6(l)
		}
	}
	return nil
}

// spread writes a value for all links, the ones to come included.
func (s *space) spread(family, name, value string) {
	for _, link := range []string{"all", "default"} {
		s.sysctl["net/"+family+"/conf/"+link+"/"+name] = value
	}
	for _, l := range s.links {
		s.sysctl["net/"+family+"/conf/"+l.Name+"/"+name] = value
	}
}

// inherit gives a new link the defaults as its own.
func (s *space) inherit(link string) {
	for key, v := range s.sysctl {
		if of, _, ok := split(key); ok && of == "default" {
			s.sysctl[strings.Replace(key, "/default/", "/"+link+"/", 1)] = v
		}
	}
}

func (s *space) disinherit(link string) {
	for key := range s.sysctl {
		if of, _, ok := split(key); ok && of == link {
			delete(s.sysctl, key)
		}
	}
}

// ipv6 reports whether the link speaks IPv6.
func (s *space) ipv6(link string) bool {
	v, _ := s.readSysctl("net/ipv6/conf/" + link + "/disable_ipv6")
	return v == "0"
}

// applyIPv6 follows a change of disable_ipv6: off takes all addresses and routes away.
func (s *space) applyIPv6(l *link) {
	if s.ipv6(l.Name) {
		if l.Up {
			s.linkUp6(l)
		}
		return
	}
	s.flush6(l)
}
