package wayout

import (
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// surroundings says in which families the real host has a default route, and which prefixes of IPv4 it has routes to.
func surroundings() (have families, used []netip.Prefix) {
	const dir = "/proc/self/net/" // of the main thread, which never leaves
	have.ip4 = len(defaults4(dir+"route")) > 0
	have.ip6 = len(defaults6(dir+"ipv6_route")) > 0
	for _, f := range fields(dir + "route") {
		if len(f) < 8 {
			continue
		}
		dst, ok1 := addr4(f[1])
		mask, ok2 := addr4(f[7])
		if !ok1 || !ok2 {
			continue
		}
		m := mask.As4()
		if ones, _ := net.IPMask(m[:]).Size(); ones > 0 {
			used = append(used, netip.PrefixFrom(dst, ones))
		}
	}
	return have, used
}

// addr4 reads an address as /proc/net/route has it: the number in memory's order, which on amd64 and arm64 is reversed.
func addr4(s string) (netip.Addr, bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 4 {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte{b[3], b[2], b[1], b[0]}), true
}

// Flags of routes (linux/route.h).
const (
	flagUp     = 0x1
	flagReject = 0x200
)

// defaults4 lists the links of the default routes in a file as /proc/net/route is.
func defaults4(path string) (links []string) {
	for _, f := range fields(path) {
		if len(f) >= 8 && f[1] == "00000000" && f[7] == "00000000" && usable(f[3]) {
			links = append(links, f[0])
		}
	}
	return links
}

// defaults6 lists the links of the default routes in a file as /proc/net/ipv6_route is.
func defaults6(path string) (links []string) {
	for _, f := range fields(path) {
		if len(f) >= 10 && f[1] == "00" && strings.Trim(f[0], "0") == "" && f[9] != "lo" && usable(f[8]) {
			links = append(links, f[9])
		}
	}
	return links
}

func usable(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 64)
	return err == nil && n&flagUp != 0 && n&flagReject == 0
}

func fields(path string) (out [][]string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		out = append(out, strings.Fields(line))
	}
	return out
}
