package iproute

import (
	"fmt"
	"net"
	"strings"

	"warren/internal/rtnl"
)

// Kinds of links with few options: redundancy (hsr), multicast tunnels (amt, RFC 7450), modems (rmnet, wwan), InfiniBand (ipoib),
// mobile networks (gtp), switches (dsa) and meshes (batadv). Their attributes are in linux/if_link.h and linux/batman_adv.h.
func rareOpts(kind string) []kindOpt {
	switch kind {
	case "hsr":
		return []kindOpt{{"supervision", 3, as8}, {"version", 6, as8}, {"proto", 7, as8}, {"slave1", 1, asDevice}, {"slave2", 2, asDevice}}
	case "amt":
		return []kindOpt{
			{"mode", 1, asAMTMode},
			{"relay_port", 2, asBE16},
			{"gateway_port", 3, asBE16},
			{"max_tunnels", 8, as32},
			{"dev", 4, asDevice},
			{"local", 5, asAddr},
			{"discovery", 7, asAddr},
		}
	case "rmnet":
		return []kindOpt{{"mux_id", 1, as16}}
	case "ipoib":
		return []kindOpt{{"pkey", 1, as16}, {"mode", 2, asIPoIBMode}, {"umcast", 3, as16}}
	case "wwan":
		return []kindOpt{{"linkid", 1, as32}}
	case "dsa":
		return []kindOpt{{"conduit", 1, asDevice}, {"master", 1, asDevice}}
	case "batadv":
		return []kindOpt{{"ra", 1, asString}}
	}
	return nil
}

// wholeWords are kinds whose options cannot be shortened.
func wholeWords(kind string) bool { return kind == "amt" || kind == "dsa" || kind == "bond_slave" }

func amtModes() []string { return []string{"gateway", "relay"} }

func ipoibModes() []string { return []string{"datagram", "connected"} }

// rareWord reads the values that only these kinds have.
func (r *linkRequest) rareWord(opt *kindOpt, w *words) {
	word := w.next()
	switch opt.as {
	case asString:
		r.m.Str(opt.typ, word)
	case asAMTMode:
		for i, name := range amtModes() {
			if word == name {
				r.m.U32(opt.typ, uint32(i))
				return
			}
		}
		fail(exitFailed, "%s", kindUsage("amt"))
	case asIPoIBMode:
		for i, name := range ipoibModes() {
			if word == name {
				r.m.U16(opt.typ, uint16(i))
				return
			}
		}
		fail(exitFailed, "Error: argument of \"mode\" must be \"datagram\"or \"connected\"")
	}
}

const (
	gtpHashSize = 3
	gtpRole     = 4
	gtpSockets  = 5
	gtpRestart  = 6
)

func gtpRoles() []string { return []string{"ggsn", "sgsn"} }

// parseGTP reads "role { sgsn | ggsn } [ hsize N ] [ restart_count N ]"; other words are passed over.
func (r *linkRequest) parseGTP(w *words) {
	said := map[string]bool{}
	once := func(key string) string {
		if next := w.next(); said[key] {
			garbage(key, next)
		}
		said[key] = true
		return w.peek()
	}
	r.m.U8(gtpSockets, 1)
	for ; w.more(); w.skip() {
		switch w.peek() {
		case "role":
			switch once("role") {
			case "sgsn":
				r.m.U32(gtpRole, 1)
			case "ggsn":
				r.m.U32(gtpRole, 0)
			default:
				invalid("invalid role, use sgsn or ggsn", w.peek())
			}
		case "hsize":
			n := u32(once("hsize"), "invalid PDP hash size")
			if n >= 1<<17 {
				invalid("PDP hash size too big", w.peek())
			}
			r.m.U32(gtpHashSize, n)
		case "restart_count":
			n, ok := parseUint(once("restart_count"), 10, 8)
			if !ok {
				invalid("invalid restart_count", w.peek())
			}
			r.m.U8(gtpRestart, uint8(n))
		case "help":
			fail(exitFailed, "%s", kindUsage("gtp"))
		}
	}
	if !said["role"] {
		fail(exitFailed, "gtp: role of the gtp device was not specified")
	}
	if !said["hsize"] {
		r.m.U32(gtpHashSize, 1024)
	}
}

// kindUsage is the help of a kind.
func kindUsage(kind string) string {
	return "Usage: ... " + kind + " [ " + strings.Join(kindWords(kind), " ] [ ") + " ]"
}

func printHSR(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	for i, key := range []string{"slave1", "slave2"} {
		if a.Has(i + 1) {
			p.str(key, key+" %s ", s.nameOf(int(a.U32(i+1))))
		} else {
			p.null(key, key+" <none> ")
		}
	}
	printFields(p, a, []field{{5, 2, "seq_nr", "sequence %d "}})
	if a.Has(4) {
		p.str("supervision_addr", "supervision %s ", net.HardwareAddr(a.Bytes(4)).String())
	}
	printFields(p, a, []field{{7, 1, "proto", "proto %d "}})
}

func printAMT(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if mode := int(a.U32(1)); a.Has(1) && mode < len(amtModes()) {
		p.str("mode", "%s ", amtModes()[mode])
	}
	for _, f := range []struct {
		typ int
		key string
	}{{3, "gateway_port"}, {2, "relay_port"}} {
		if a.Has(f.typ) {
			num(p, f.key, f.key+" %d ", a.BE16(f.typ))
		}
	}
	for _, f := range []struct {
		typ int
		key string
	}{{5, "local"}, {6, "remote"}, {7, "discovery"}} {
		if a.Has(f.typ) {
			p.str(f.key, f.key+" %s ", a.Addr(f.typ).String())
		}
	}
	if a.Has(4) {
		p.str("link", "dev %s ", s.nameOf(int(a.U32(4))))
	}
	printFields(p, a, []field{{8, 4, "max_tunnels", "max_tunnels %d "}})
}

func printRmnet(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	printFields(p, a, []field{{1, 2, "mux_id", "mux_id %d "}})
}

func printIPoIB(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if !a.Has(1) {
		return
	}
	key := fmt.Sprintf("%#04x", a.U16(1))
	if a.U16(1) == 0 {
		key = "0000" // as the C library has it
	}
	p.text("pkey %s ", key)
	if p.isJSON() {
		p.str("key", "", key)
	}
	if !a.Has(2) {
		return
	}
	mode := "unknown"
	if names := ipoibModes(); int(a.U16(2)) < len(names) {
		mode = names[a.U16(2)]
	}
	p.str("mode", "mode %s ", mode)
	if a.Has(3) {
		p.str("umcast", "umcast %s ", fmt.Sprintf("%04x", a.U16(3)))
	}
}

func printGTP(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(gtpRole) {
		role := "unknown"
		if names := gtpRoles(); int(a.U32(gtpRole)) < len(names) {
			role = names[a.U32(gtpRole)]
		}
		p.str("role", "role %s ", role)
	}
	printFields(p, a, []field{{gtpHashSize, 4, "hsize", "hsize %d "}, {gtpRestart, 1, "restart_count", "restart_count %d "}})
}

func printWWAN(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	printFields(p, a, []field{{1, 4, "linkid", "linkid %d "}})
}

func printDSA(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(1) {
		p.str("conduit", "conduit %s ", s.nameOf(int(a.U32(1))))
	}
}

func printVRF(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	printFields(p, a, []field{{1, 4, "table", "table %d "}})
}
