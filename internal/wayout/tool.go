package wayout

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Packages are what a distribution calls what this package can use, best first.
func Packages() []string { return []string{"passt", "slirp4netns"} }

// A tool is a program that carries packets between a network namespace and the sockets of another.
type tool struct {
	name string
	// argv are the arguments after the program's name. pid is the world's holder.
	argv func(pid int, p netip.Prefix, have families) []string
	// dns is the number, in the prefix, of the address that passes queries on.
	dns byte
	// ip6 says that it carries IPv6.
	ip6 bool
}

// families says in which ones the real host has a way out.
type families struct{ ip4, ip6 bool }

// mtu is what both are quick with: the largest that an Ethernet frame of theirs takes.
const mtu = "65520"

// prefix6 is a unique local one (RFC 4193), the same for every world: it is never seen outside.
const prefix6 = "fd57:6172:7265"

func tools() []tool {
	return []tool{
		{name: "pasta", dns: 3, ip6: true, argv: func(pid int, p netip.Prefix, have families) []string {
			// No ports by itself, neither in nor out, and no way to what listens on the real host's loopback.
			a := []string{"-f", "-q", "--config-net", "--no-map-gw", "-t", "none", "-u", "none", "-T", "none", "-U", "none", "-m", mtu, "-I", Link}
			if have.ip4 {
				a = append(a, "-a", nth(p, 2).String(), "-n", strconv.Itoa(p.Bits()), "-g", nth(p, 1).String(), "--dns-forward", nth(p, 3).String())
			} else {
				a = append(a, "-6")
			}
			if have.ip6 {
				a = append(a, "-a", prefix6+"::2", "-g", "fe80::1")
			} else {
				a = append(a, "-4")
			}
			return append(a, strconv.Itoa(pid))
		}},
		// Its IPv6 is an experiment, and useless until a router advertisement came.
		{name: "slirp4netns", dns: 3, argv: func(pid int, p netip.Prefix, _ families) []string {
			return []string{"--configure", "--mtu=" + mtu, "--disable-host-loopback", "--cidr=" + p.String(), strconv.Itoa(pid), Link}
		}},
	}
}

// nth is an address of an IPv4 prefix by its number.
func nth(p netip.Prefix, n byte) netip.Addr {
	a := p.Masked().Addr().As4()
	a[3] += n
	return netip.AddrFrom4(a)
}

// find looks for a program, also where an ordinary user's PATH may not point to.
func find(name string) (path string, ok bool) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin") {
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err == nil && filepath.IsAbs(path) && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return path, true
		}
	}
	return "", false
}

// freePrefix is one of 256 prefixes of IPv4 that overlaps with none of the real host's: what is between the world and
// the tool hides what the host has there.
func freePrefix(used []netip.Prefix) netip.Prefix {
	for i := 255; i >= 0; i-- {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 254, byte(i), 0}), 24)
		if !slices.ContainsFunc(used, p.Overlaps) {
			return p
		}
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, 255, 0}), 24) // a host with a route to all of 10.254/16
}

// parsePrefix finds in a tool's arguments the prefix that it was given.
func parsePrefix(argv []string) netip.Prefix {
	for i, a := range argv {
		if cidr, ok := strings.CutPrefix(a, "--cidr="); ok {
			p, _ := netip.ParsePrefix(cidr)
			return p
		}
		if a == "--dns-forward" && i+1 < len(argv) {
			if addr, err := netip.ParseAddr(argv[i+1]); err == nil {
				p, _ := addr.Prefix(24)
				return p
			}
		}
	}
	return netip.Prefix{}
}
