package draw

import (
	"fmt"
	"strconv"
	"strings"

	"warren/state"
)

func (w *xwriter) target(t state.XTTarget) {
	switch {
	case t.Verdict == "jump":
		w.add("-j", t.Chain)
		return
	case t.Verdict == "goto":
		w.add("-g", t.Chain)
		return
	case t.Name == "" && t.Verdict == "":
		return // counts only
	case t.Name == "":
		w.add("-j", t.Verdict)
		return
	}
	w.add("-j", t.Name)
	switch {
	case t.NAT != nil:
		w.nat(t.Name, t.NAT)
	case t.Reject != "":
		w.add("--reject-with", xreject(t.Reject))
	case t.SetMark != nil:
		w.add("--set-xmark", fmt.Sprintf("%#x/%#x", t.SetMark.Value, t.SetMark.Mask))
	case t.Notrack && t.Name == "CT":
		w.add("--notrack")
	case len(t.Data) > 0:
		w.unknown(t.Data)
	}
}

func (w *xwriter) nat(name string, n *state.XTNAT) {
	ports := ""
	if n.Port != 0 {
		ports = number(n.Port)
		if n.PortMax != 0 && n.PortMax != n.Port {
			ports += "-" + strconv.Itoa(int(n.PortMax))
		}
	}
	addr := ""
	if n.Addr.IsValid() {
		addr = n.Addr.String()
		if n.AddrMax.IsValid() && n.AddrMax != n.Addr {
			addr += "-" + n.AddrMax.String()
		}
		if ports != "" && n.Addr.Is6() {
			addr = "[" + addr + "]"
		}
	}
	switch name {
	case "DNAT":
		w.add("--to-destination", join2(addr, ports))
	case "SNAT":
		w.add("--to-source", join2(addr, ports))
	default: // MASQUERADE, REDIRECT
		if ports != "" {
			w.add("--to-ports", ports)
		}
	}
	for _, f := range []struct {
		bit  uint32
		word string
	}{{4, "--random"}, {16, "--random-fully"}, {8, "--persistent"}} {
		if n.Flags&f.bit != 0 {
			w.add(f.word)
		}
	}
}

func join2(addr, ports string) string {
	if ports == "" {
		return addr
	}
	return addr + ":" + ports
}

// xreject turns nft's words for an answer into iptables'.
func xreject(s string) string {
	kind, what, _ := strings.Cut(s, " ")
	switch {
	case s == "tcp reset":
		return "tcp-reset"
	case kind == "icmp" || kind == "icmpx":
		return "icmp-" + strings.Replace(what, "prot-", "proto-", 1)
	case kind == "icmpv6":
		return "icmp6-" + what
	}
	return s
}
