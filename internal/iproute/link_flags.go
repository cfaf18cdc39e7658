package iproute

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// printFlags prints interface flags in iproute2's order.
func printFlags(p *printer, flags uint32, down bool) {
	p.openArray("flags", "<")
	if flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING == 0 {
		printFlag(p, "NO-CARRIER", flags != 0)
	}
	flags &^= unix.IFF_RUNNING
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.IFF_LOOPBACK, "LOOPBACK"},
		{unix.IFF_BROADCAST, "BROADCAST"},
		{unix.IFF_POINTOPOINT, "POINTOPOINT"},
		{unix.IFF_MULTICAST, "MULTICAST"},
		{unix.IFF_NOARP, "NOARP"},
		{unix.IFF_ALLMULTI, "ALLMULTI"},
		{unix.IFF_PROMISC, "PROMISC"},
		{unix.IFF_MASTER, "MASTER"},
		{unix.IFF_SLAVE, "SLAVE"},
		{unix.IFF_DEBUG, "DEBUG"},
		{unix.IFF_DYNAMIC, "DYNAMIC"},
		{unix.IFF_AUTOMEDIA, "AUTOMEDIA"},
		{unix.IFF_PORTSEL, "PORTSEL"},
		{unix.IFF_NOTRAILERS, "NOTRAILERS"},
		{unix.IFF_UP, "UP"},
		{unix.IFF_LOWER_UP, "LOWER_UP"},
		{unix.IFF_DORMANT, "DORMANT"},
		{unix.IFF_ECHO, "ECHO"},
	} {
		if flags&f.bit != 0 {
			flags &^= f.bit
			printFlag(p, f.name, flags != 0)
		}
	}
	if flags != 0 {
		p.item("%s", fmt.Sprintf("%x", flags))
	}
	if down {
		p.item(",%s", "M-DOWN")
	}
	p.closeArray("> ")
}

func printFlag(p *printer, name string, more bool) {
	if more {
		p.item("%s,", name)
		return
	}
	p.item("%s", name)
}

// hardware names a link's hardware type (ARPHRD_*).
func (s *session) hardware(t uint16) string {
	if s.opt.numeric {
		return fmt.Sprintf("[%d]", t)
	}
	switch t {
	case unix.ARPHRD_ETHER:
		return "ether"
	case unix.ARPHRD_LOOPBACK:
		return "loopback"
	case unix.ARPHRD_NONE, unix.ARPHRD_VOID:
		if t == unix.ARPHRD_VOID {
			return "void"
		}
		return "none"
	case unix.ARPHRD_TUNNEL:
		return "ipip"
	case unix.ARPHRD_TUNNEL6:
		return "tunnel6"
	case unix.ARPHRD_SIT:
		return "sit"
	case unix.ARPHRD_IPGRE:
		return "gre"
	case unix.ARPHRD_IP6GRE:
		return "gre6"
	case unix.ARPHRD_PPP:
		return "ppp"
	case unix.ARPHRD_NETLINK:
		return "netlink"
	case unix.ARPHRD_INFINIBAND:
		return "infiniband"
	}
	return fmt.Sprintf("[%d]", t)
}

// hwAddr writes a link-layer address: of a tunnel it is an IP address.
func hwAddr(b []byte, hw uint16) string {
	switch {
	case len(b) == 4 && (hw == unix.ARPHRD_TUNNEL || hw == unix.ARPHRD_SIT || hw == unix.ARPHRD_IPGRE),
		len(b) == 16 && (hw == unix.ARPHRD_TUNNEL6 || hw == unix.ARPHRD_IP6GRE):
		a, _ := netip.AddrFromSlice(b)
		return a.String()
	}
	var s strings.Builder
	for i, c := range b {
		if i > 0 {
			s.WriteByte(':')
		}
		fmt.Fprintf(&s, "%02x", c)
	}
	return s.String()
}

// parseHW reads a link-layer address: hexadecimal bytes between colons.
func parseHW(word string) ([]byte, bool) {
	if strings.Contains(word, ".") { // the address of a tunnel's end
		a, ok := parseAddr(word, unix.AF_INET)
		if !ok {
			return nil, false
		}
		return a.AsSlice(), true
	}
	var b []byte
	for part := range strings.SplitSeq(word, ":") {
		n, ok := leadingHex(part)
		if !ok {
			return nil, false
		}
		b = append(b, n)
	}
	return b, len(b) <= 32
}

// leadingHex reads a byte as C's "%x" does: what follows the digits is not looked at.
func leadingHex(word string) (uint8, bool) {
	word = strings.TrimLeft(word, " \t")
	negative := strings.HasPrefix(word, "-")
	if negative || strings.HasPrefix(word, "+") {
		word = word[1:]
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(word), "0x"); ok && digits != "" && strings.ContainsRune(hexDigits, rune(digits[0])) {
		word = digits
	}
	end := 0
	for end < len(word) && strings.ContainsRune(hexDigits, rune(word[end])) {
		end++
	}
	n, err := strconv.ParseUint(word[:end], 16, 32)
	if err != nil || n > 255 || negative && n != 0 {
		return 0, false
	}
	return uint8(n), true
}

const hexDigits = "0123456789abcdefABCDEF"

// hwWord is parseHW for a word that must be one.
func hwWord(word string) []byte {
	b, ok := parseHW(word)
	if !ok {
		fail(exitFailed, "\"%s\" is invalid lladdr.", word)
	}
	return b
}

// operStates are RFC 2863's states (IF_OPER_*).
func operState(v uint8) string {
	names := []string{"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"}
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("0x%x", v)
}
