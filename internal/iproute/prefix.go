package iproute

import (
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A prefixWord is an address with what the word said beside it.
type prefixWord struct {
	addr      netip.Addr
	bits      int
	specified bool // a length was given, or "default"
	any       bool // "default", "any" or "all": no address at all
}

// isZero: no word so far.
func (p prefixWord) set() bool { return p.addr.IsValid() || p.any }

func familyName(family int) string {
	switch family {
	case unix.AF_INET:
		return "inet"
	case unix.AF_INET6:
		return "inet6"
	case familyIPMR, familyIP6MR:
		return "???"
	}
	return "any valid"
}

func familyOfAddr(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// parseAddr reads an address of the family (0 = either), also a shortened IPv4 one such as "10.1", or one with octal or
// hexadecimal parts.
func parseAddr(word string, family int) (netip.Addr, bool) {
	a, err := netip.ParseAddr(word)
	if err != nil || a.Zone() != "" {
		if family == unix.AF_INET6 || strings.Contains(word, ":") {
			return netip.Addr{}, false
		}
		var b [4]byte
		for i, part := range strings.Split(word, ".") {
			n, ok := parseUint(part, 0, 8)
			if i >= 4 || !ok || part == "" || part[0] == '+' || part[0] == ' ' {
				return netip.Addr{}, false
			}
			b[i] = byte(n)
		}
		return netip.AddrFrom4(b), true
	}
	if family != 0 && familyOfAddr(a) != family {
		return netip.Addr{}, false
	}
	return a, true
}

// parsePrefix reads ADDR, ADDR/BITS or, for IPv4, ADDR/MASK.
func parsePrefix(word string, family int) (prefixWord, bool) {
	if word == "default" || word == "any" || word == "all" {
		return prefixWord{any: true, specified: word == "default"}, true
	}
	host, length, cut := strings.Cut(word, "/")
	a, ok := parseAddr(host, family)
	if !ok {
		return prefixWord{}, false
	}
	p := prefixWord{addr: a, bits: a.BitLen()}
	if !cut {
		return p, true
	}
	p.specified = true
	if n, ok := parseUint(length, 0, 32); ok && length != "" {
		p.bits = int(n)
		return p, int(n) <= a.BitLen()
	}
	mask, err := netip.ParseAddr(length)
	if err != nil || !mask.Is4() || !a.Is4() {
		return prefixWord{}, false
	}
	b := mask.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	p.bits = 0
	for ; m&(1<<31) != 0; m <<= 1 {
		p.bits++
	}
	return p, m == 0
}

// prefix is parsePrefix for a word that must be one.
func prefix(word string, family int) prefixWord {
	p, ok := parsePrefix(word, family)
	if !ok {
		exit("Error: %s prefix is expected rather than %s.", familyName(family), strconv.Quote(word))
	}
	return p
}

// host reads an address that must be one, with its family. "any" and "all" are no address at all; "default" is the unspecified one
// where the family is known.
func host(word string, family int) (a netip.Addr, of int) {
	switch word {
	case "default":
		return unspecified(family), family
	case "any", "all":
		return netip.Addr{}, family
	}
	a, ok := parseAddr(word, family)
	if !ok {
		exit("Error: %s address is expected rather than %s.", familyName(family), strconv.Quote(word))
	}
	return a, familyOfAddr(a)
}

// address is host where the family does not matter.
func address(word string, family int) netip.Addr {
	a, _ := host(word, family)
	return a
}

// unspecified is the family's address of zeros.
func unspecified(family int) netip.Addr {
	switch family {
	case unix.AF_INET:
		return netip.IPv4Unspecified()
	case unix.AF_INET6:
		return netip.IPv6Unspecified()
	}
	return netip.Addr{}
}

// hostPrefix is prefix where "default" is an address too.
func hostPrefix(word string, family int) prefixWord {
	p := prefix(word, family)
	if p.any && p.specified {
		p.addr = unspecified(family)
	}
	return p
}
