package xt

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"warren/state"
)

// Target writes a target as iptables-save does, with a blank in front; "" for a rule that has none.
func Target(t *state.XTTarget) string {
	var w text
	switch {
	case t.Verdict == "jump":
		w.option(false, "-j", t.Chain)
		return w.String()
	case t.Verdict == "goto":
		w.option(false, "-g", t.Chain)
		return w.String()
	case t.Verdict != "":
		w.option(false, "-j", t.Verdict)
		return w.String()
	case t.Name == "":
		return ""
	}
	name := t.Name
	if name == "NOTRACK" {
		name = "CT"
	}
	w.option(false, "-j", name)
	switch {
	case t.Reject != "":
		w.option(false, "--reject-with", rejectOption(t.Reject))
	case t.NAT != nil:
		w.nat(t)
	case t.SetMark != nil && t.Name == "MARK":
		w.option(false, "--set-xmark", fmt.Sprintf("0x%x/0x%x", t.SetMark.Value, t.SetMark.Mask))
	case t.SetMark != nil:
		w.option(false, "--set-xmark", fmt.Sprintf("0x%x/0x%x", t.SetMark.Value, t.SetMark.Mask))
	case t.ConnMark != nil:
		w.option(false, fmt.Sprintf("--%s-mark --nfmask 0x%x --ctmask 0x%x", t.ConnMark.Mode, t.ConnMark.PacketMask, t.ConnMark.ConnMask))
		switch shift := t.ConnMark.Shift; {
		case shift > 0:
			w.option(false, "--left-shift-mark", strconv.Itoa(shift))
		case shift < 0:
			w.option(false, "--right-shift-mark", strconv.Itoa(-shift))
		}
	case t.Notrack:
		w.option(false, "--notrack")
	case t.SetTTL != nil:
		w.option(false, fmt.Sprintf("--%s-%s", strings.ToLower(t.Name), t.SetTTL.Op), strconv.Itoa(int(t.SetTTL.Value)))
	case t.SetTOS != nil && t.Name == "DSCP":
		w.option(false, "--set-dscp", fmt.Sprintf("0x%02x", t.SetTOS.Value>>2))
	case t.SetTOS != nil:
		w.option(false, "--set-tos", fmt.Sprintf("0x%02x/0x%02x", t.SetTOS.Value, t.SetTOS.Mask))
	case t.Zone != nil:
		word := "--zone"
		if t.Zone.Dir != "" {
			word += map[string]string{"original": "-orig", "reply": "-reply"}[t.Zone.Dir]
		}
		w.option(false, word, strconv.Itoa(int(t.Zone.ID)))
	case t.NoEffect:
	default:
		fmt.Fprintf(&w, " [%d bytes]", len(t.Data))
	}
	return w.String()
}

// rejectOption is iptables' word for nft's.
func rejectOption(with string) string {
	if with == "tcp reset" {
		return "tcp-reset"
	}
	family, kind, _ := strings.Cut(with, " ")
	if family == "icmp" {
		switch kind {
		case "prot-unreachable":
			kind = "proto-unreachable"
		case "net-prohibited", "host-prohibited", "admin-prohibited":
		}
		return "icmp-" + kind
	}
	return "icmp6-" + map[string]string{
		"no-route": "no-route", "admin-prohibited": "adm-prohibited", "addr-unreachable": "addr-unreachable", "port-unreachable": "port-unreachable",
		"policy-fail": "policy-fail", "reject-route": "reject-route", "not-neighbour": "not-neighbour",
	}[kind]
}

func (w *text) nat(t *state.XTTarget) {
	n := t.NAT
	switch t.Name {
	case "DNAT", "SNAT":
		name := "--to-destination"
		if t.Name == "SNAT" {
			name = "--to-source"
		}
		w.option(false, name, natText(n))
	case "NETMAP":
		w.option(false, "--to", netmapText(n))
	default:
		if n.Port != 0 {
			w.option(false, "--to-ports", portsText(n))
		}
	}
	for _, f := range []struct {
		bit  uint32
		name string
	}{{1 << 2, "--random"}, {1 << 4, "--random-fully"}, {1 << 3, "--persistent"}} {
		if n.Flags&f.bit != 0 {
			w.option(false, f.name)
		}
	}
}

func natText(n *state.XTNAT) string {
	s := ""
	if n.Addr.IsValid() {
		s = n.Addr.String()
		if n.AddrMax.IsValid() && n.AddrMax != n.Addr {
			s += "-" + n.AddrMax.String()
		}
		if n.Addr.Is6() && n.Port != 0 {
			s = "[" + s + "]"
		}
	}
	if n.Port != 0 {
		s += ":" + portsText(n)
	}
	return s
}

func portsText(n *state.XTNAT) string {
	if n.PortMax <= n.Port {
		return strconv.Itoa(int(n.Port))
	}
	return fmt.Sprintf("%d-%d", n.Port, n.PortMax)
}

// netmapText: the range of NETMAP is a network, from its first to its last address.
func netmapText(n *state.XTNAT) string {
	a, b := n.Addr.AsSlice(), n.AddrMax.AsSlice()
	m := make([]byte, len(a))
	for i := range a {
		m[i] = ^(a[i] ^ b[i])
	}
	mask, _ := netip.AddrFromSlice(m)
	return prefixText(state.XPrefix{Addr: n.Addr, Mask: mask})
}
