package topo

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Every function here reads one shorthand; the String method beside it writes the canonical form, which reads back as the
// same value.

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || s[0] == '0' || s[0] == '+' {
		return 0, fmt.Errorf("%q is not a port (1 to 65535)", s)
	}
	return uint16(n), nil
}

func parsePorts(s string) (Ports, error) {
	lo, hi, isRange := strings.Cut(s, "-")
	first, err := parsePort(lo)
	if err != nil {
		return Ports{}, err
	}
	if !isRange {
		return Ports{first, first}, nil
	}
	last, err := parsePort(hi)
	if err != nil {
		return Ports{}, err
	}
	if last < first {
		return Ports{}, fmt.Errorf("%q is not a range of ports: it ends before it begins", s)
	}
	return Ports{first, last}, nil
}

// IsZero reports whether the range stands for all ports.
func (p Ports) IsZero() bool { return p == Ports{} }

// Len is the number of ports.
func (p Ports) Len() int { return int(p.Last) - int(p.First) + 1 }

func (p Ports) String() string {
	if p.First == p.Last {
		return strconv.Itoa(int(p.First))
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

func (p Ports) overlaps(q Ports) bool { return p.First <= q.Last && q.First <= p.Last }

// cutProto takes "/tcp" or "/udp" off the end.
func cutProto(s string, known ...string) (rest, proto string, err error) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", nil
	}
	for _, k := range known {
		if s[i+1:] == k {
			return s[:i], k, nil
		}
	}
	if w := s[i+1:]; w != "" && (w[0] < '0' || w[0] > '9') {
		return "", "", fmt.Errorf("%q is not a protocol here (%s)", w, strings.Join(known, ", "))
	}
	return s, "", nil
}

// cutPort takes ":80" or ":8000-8010" off the end of a name, an IPv4 address or a bracketed IPv6 address.
func cutPort(s string) (host string, ports Ports, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return unbracket(s), Ports{}, nil
	}
	if strings.Count(s, ":") > 1 && !strings.HasSuffix(s[:i], "]") {
		return unbracket(s), Ports{}, nil // an IPv6 address without a port
	}
	ports, err = parsePorts(s[i+1:])
	return unbracket(s[:i]), ports, err
}

func unbracket(s string) string {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && strings.Contains(s, ":") {
		return s[1 : len(s)-1]
	}
	return s
}

func parseAddr(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4In6() {
		return netip.Addr{}, fmt.Errorf("%q is not an address", s)
	}
	return a, nil
}

// parseInterface reads 10.1.0.7/24, or 10.1.0.7 alone, whose length is that of a single address then.
func parseInterface(s string) (netip.Prefix, error) {
	if a, err := parseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not an address such as 10.1.0.7/24", s)
	}
	return p, nil
}

func parseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not a prefix such as 10.1.0.0/24", s)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits beyond its length (the prefix is %s)", s, p.Masked())
	}
	return p, nil
}

const maxDuration = 24 * time.Hour

func parseDuration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > maxDuration {
		return 0, fmt.Errorf("%q is not a time such as 500ms, 10s or 2m", s)
	}
	return d, nil
}

func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parsePublish reads [ADDR:]HOSTPORTS:PORTS[/PROTO].
func parsePublish(s string) (Publish, error) {
	rest, proto, err := cutProto(s, "tcp", "udp")
	if err != nil {
		return Publish{}, err
	}
	pub := Publish{Proto: orTCP(proto)}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 {
		return pub, fmt.Errorf("%q is not HOSTPORT:PORT (8080:80 publishes the node's port 80 at the host's port 8080)", s)
	}
	if pub.Node, err = parsePorts(rest[i+1:]); err != nil {
		return pub, err
	}
	rest = rest[:i]
	if i = strings.LastIndexByte(rest, ':'); i >= 0 {
		host := rest[:i]
		if strings.Contains(host, ":") && unbracket(host) == host {
			return pub, fmt.Errorf("%q: an IPv6 address stands in brackets, as in [::1]:8080:80", s)
		}
		if pub.Addr, err = parseAddr(unbracket(host)); err != nil {
			return pub, err
		}
		rest = rest[i+1:]
	}
	if pub.Host, err = parsePorts(rest); err != nil {
		return pub, err
	}
	if pub.Host.Len() != pub.Node.Len() {
		return pub, fmt.Errorf("%q: %d ports at the host, %d at the node", s, pub.Host.Len(), pub.Node.Len())
	}
	return pub, nil
}

func (p Publish) String() string {
	s := p.Host.String() + ":" + p.Node.String() + "/" + orTCP(p.Proto)
	switch {
	case !p.Addr.IsValid():
		return s
	case p.Addr.Is6():
		return "[" + p.Addr.String() + "]:" + s
	}
	return p.Addr.String() + ":" + s
}

func orTCP(proto string) string {
	if proto == "" {
		return "tcp"
	}
	return proto
}

// parseDNAT reads NET:PORTS -> NODE:PORTS[/PROTO].
func parseDNAT(s string) (DNAT, error) {
	left, right, ok := strings.Cut(s, "->")
	if !ok {
		return DNAT{}, fmt.Errorf("%q is not NET:PORT -> NODE:PORT", s)
	}
	d := DNAT{}
	left, right = strings.TrimSpace(left), strings.TrimSpace(right)
	l, lproto, err := cutProto(left, "tcp", "udp")
	if err != nil {
		return d, err
	}
	r, rproto, err := cutProto(right, "tcp", "udp")
	if err != nil {
		return d, err
	}
	if lproto != "" && rproto != "" && lproto != rproto {
		return d, fmt.Errorf("%q names two protocols", s)
	}
	d.Proto = orTCP(lproto + rproto)
	if lproto == rproto {
		d.Proto = orTCP(lproto)
	}
	if d.On, d.Ports, err = cutPort(l); err != nil {
		return d, err
	}
	if d.Ports.IsZero() {
		return d, fmt.Errorf("%q names no port on its left side", s)
	}
	host, ports, err := cutPort(r)
	if err != nil {
		return d, err
	}
	if ports.IsZero() {
		ports = d.Ports
	}
	d.ToPorts = ports
	if ports.Len() != d.Ports.Len() {
		return d, fmt.Errorf("%q: %d ports on the left, %d on the right", s, d.Ports.Len(), ports.Len())
	}
	if a, err := parseAddr(host); err == nil {
		d.Addr = a
		return d, nil
	}
	if err := checkNodeName(host); err != nil {
		return d, err
	}
	d.Node = host
	return d, checkNetName(d.On)
}

func (d DNAT) String() string {
	return fmt.Sprintf("%s:%s -> %s:%s/%s", d.On, d.Ports, hostText(d.Node, d.Addr), d.ToPorts, orTCP(d.Proto))
}

func hostText(name string, a netip.Addr) string {
	switch {
	case !a.IsValid():
		return name
	case a.Is6():
		return "[" + a.String() + "]"
	}
	return a.String()
}
