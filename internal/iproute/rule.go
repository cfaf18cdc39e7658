package iproute

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// Header flags and actions of a rule (linux/fib_rules.h).
const (
	ruleInvert      = 2
	ruleUnresolved  = 4
	ruleIIFDetached = 8
	ruleOIFDetached = 16
	ruleToTable     = 1
	ruleGoto        = 2
	ruleNop         = 3
	ruleNAT         = 10 // the kernel takes it and does nothing
	ruleGateway     = 5
)

// ruleObject is "ip rule".
func ruleObject(s *session, w *words) {
	verbs := []verb{
		{"list", ruleShow},
		{"lst", ruleShow},
		{"show", ruleShow},
		{"save", ruleSave},
		{"restore", func(s *session, _ *words) { s.restore(ruleMagic, restoreRules) }},
		{"add", func(s *session, w *words) { ruleModify(s, w, unix.RTM_NEWRULE, netlink.Create|netlink.Excl) }},
		{"delete", func(s *session, w *words) { ruleModify(s, w, unix.RTM_DELRULE, 0) }},
		{"flush", ruleFlush},
		{"help", func(*session, *words) { usageOf(ruleUsage) }},
	}
	if !w.more() {
		ruleShow(s, w)
		return
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("rule", word)
	}
}

func ruleModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	if !w.more() {
		verb := "add"
		if typ == unix.RTM_DELRULE {
			verb = "del"
		}
		fail(exitFailed, "\"ip rule %s\" requires arguments.", verb)
	}
	m := rtnl.NewMessage(rtnl.FibRuleLen)
	head := make([]byte, rtnl.FibRuleLen)
	if typ == unix.RTM_NEWRULE {
		head[7] = ruleToTable
	}
	r := &ruleRequest{s: s, m: m, head: head, family: s.opt.family}
	for w.more() {
		r.word(w)
		w.skip()
	}
	if r.l3mdev && r.explicit {
		const invalidArgument = 22
		fail(invalidArgument, "table can not be specified for l3mdev rules")
	}
	if r.l3mdev {
		r.hasTable = true
	}
	if r.family == unix.AF_UNSPEC {
		r.family = unix.AF_INET
	}
	if !r.hasTable && typ == unix.RTM_NEWRULE {
		head[4] = unix.RT_TABLE_MAIN
	}
	head[0] = uint8(r.family)
	copy(m.Head(), head)
	s.doEcho(m.Request(typ, flags))
}

// A ruleRequest is what the words said so far.
type ruleRequest struct {
	s        *session
	m        *rtnl.Message
	head     []byte
	family   int
	hasTable bool
	explicit bool // a table was named
	l3mdev   bool
}

func (r *ruleRequest) prefix(typ uint16, at int, word string) {
	p := prefix(word, r.family)
	if p.addr.IsValid() {
		if r.family == unix.AF_UNSPEC && r.s.personality == Warren {
			r.family = familyOfAddr(p.addr) // iproute2 has to be told
		}
		r.m.Addr(typ, p.addr)
	}
	r.head[at] = uint8(p.bits)
}

func (r *ruleRequest) word(w *words) {
	flags := native.Uint32(r.head[8:])
	switch word := w.peek(); {
	case word == "not":
		native.PutUint32(r.head[8:], flags|ruleInvert)
	case word == "from":
		r.prefix(unix.FRA_SRC, 2, w.next())
	case word == "to":
		r.prefix(unix.FRA_DST, 1, w.next())
	case matches(word, "preference"), matches(word, "order"), matches(word, "priority"):
		r.m.U32(unix.FRA_PRIORITY, u32(w.next(), "preference value is invalid\n"))
	case word == "tos", matches(word, "dsfield"):
		r.head[3] = r.s.dsWord(w.next(), "TOS value is invalid\n")
	case word == "fwmark":
		mark, mask, cut := strings.Cut(w.next(), "/")
		r.m.U32(unix.FRA_FWMARK, u32(mark, "fwmark value is invalid\n"))
		if cut {
			r.m.U32(unix.FRA_FWMASK, u32(mask, "fwmask value is invalid\n"))
		}
	case matches(word, "protocol"):
		r.m.U8(unix.FRA_PROTOCOL, protocolWord(r.s, w.next()))
	case matches(word, "tun_id"):
		n, ok := parseUint(w.next(), 0, 64)
		if !ok {
			invalid("\"tun_id\" value is invalid\n", w.peek())
		}
		r.m.Bytes(unix.FRA_TUN_ID, binary.BigEndian.AppendUint64(nil, n))
	case matches(word, "table"), word == "lookup":
		table := tableWord(r.s, w.next())
		r.explicit = table != 0
		if table < 256 {
			r.head[4] = uint8(table)
		} else {
			r.head[4] = unix.RT_TABLE_UNSPEC
			r.m.U32(unix.FRA_TABLE, table)
		}
		r.hasTable = true
	case matches(word, "suppress_prefixlength"), word == "sup_pl":
		n, ok := parseInt(w.next())
		if !ok || n < 0 {
			invalid("suppress_prefixlength value is invalid\n", w.peek())
		}
		r.m.U32(unix.FRA_SUPPRESS_PREFIXLEN, uint32(n))
	case word == "dev", word == "iif":
		r.device(unix.FRA_IIFNAME, w.next())
	case word == "oif":
		r.device(unix.FRA_OIFNAME, w.next())
	case word == "l3mdev":
		r.m.U8(unix.FRA_L3MDEV, 1)
		r.l3mdev = true
	case word == "uidrange":
		low, high, cut := strings.Cut(w.next(), "-")
		if !cut {
			invalid("invalid UID range\n", w.peek())
		}
		b := native.AppendUint32(nil, u32(low, "invalid UID range\n"))
		r.m.Bytes(unix.FRA_UID_RANGE, native.AppendUint32(b, u32(high, "invalid UID range\n")))
	case word == "ipproto":
		r.m.U8(unix.FRA_IP_PROTO, r.s.ipProtocol(w.next(), "Invalid \"ipproto\" value\n"))
	case word == "sport":
		r.ports(unix.FRA_SPORT_RANGE, w.next())
	case word == "dport":
		r.ports(unix.FRA_DPORT_RANGE, w.next())
	case matches(word, "realms"):
		r.m.U32(unix.FRA_FLOW, r.s.realmWord(w.next(), "invalid realms\n"))
	case matches(word, "suppress_ifgroup"), word == "sup_group":
		r.m.U32(unix.FRA_SUPPRESS_IFGROUP, r.s.numberWord(numberFile{file: "group"}, w.next(), 32, "Invalid \"suppress_ifgroup\" value\n"))
	case matches(word, "nat"), matches(word, "map-to"):
		r.s.hint("Warning: route NAT is deprecated")
		r.m.Addr(ruleGateway, address(w.next(), unix.AF_INET))
		r.head[7] = ruleNAT
	default:
		r.action(w)
	}
}

func (r *ruleRequest) device(typ uint16, name string) {
	if !goodLinkName(name, 15) {
		invalid("\"iif\"/\"oif\" not a valid ifname", name)
	}
	r.m.Str(typ, name)
}

func (r *ruleRequest) ports(typ uint16, word string) {
	low, high := portRange(word)
	r.m.Bytes(typ, native.AppendUint16(native.AppendUint16(nil, low), high))
}

func (r *ruleRequest) action(w *words) {
	word := w.peek()
	if word == "type" {
		word = w.next()
	}
	if matches(word, "help") {
		usageOf(ruleUsage)
	}
	switch {
	case matches(word, "goto"):
		r.head[7] = ruleGoto
		r.m.U32(unix.FRA_GOTO, u32(w.next(), "invalid target\n"))
	case matches(word, "nop"):
		r.head[7] = ruleNop
	default:
		typ, ok := routeType(word)
		if !ok {
			invalid("Failed to parse rule type", word)
		}
		r.head[7] = typ
	}
	r.hasTable = true
}

func (s *session) ruleMessages(family int) []netlink.Message {
	m := rtnl.NewMessage(rtnl.FibRuleLen)
	m.Head()[0] = uint8(family)
	req, err := m.Request(unix.RTM_GETRULE, 0)
	if err != nil {
		die("%v", err)
	}
	return slices.DeleteFunc(s.dump(req), func(m netlink.Message) bool { return len(m.Data) < rtnl.FibRuleLen })
}

func (s *session) ruleFamily() int {
	if s.opt.family == unix.AF_UNSPEC {
		return unix.AF_INET
	}
	return s.opt.family
}

func ruleShow(s *session, w *words) {
	f := s.ruleFilter(w)
	p := s.out()
	for _, m := range s.ruleMessages(s.ruleFamily()) {
		if a := rtnl.ParseAttrs(m.Data[rtnl.FibRuleLen:]); f.lets(m.Data, a) {
			s.printRule(p, m.Data, a)
		}
	}
}

func ruleTable(b []byte, a rtnl.Attrs) uint32 {
	if a.Has(unix.FRA_TABLE) {
		return a.U32(unix.FRA_TABLE)
	}
	return uint32(b[4])
}

func (s *session) printRule(p *printer, b []byte, a rtnl.Attrs) {
	flags := native.Uint32(b[8:])
	p.openObject("")
	s.printDeleted(p)
	num(p, "priority", "%d:\t", a.U32(unix.FRA_PRIORITY))
	if flags&ruleInvert != 0 {
		p.null("not", "not ")
	}
	printRulePrefix(p, a, unix.FRA_SRC, b[2], "src", "from ")
	if !a.Has(unix.FRA_SRC) && b[2] == 0 {
		p.str("src", "from %s", "all")
	}
	printRulePrefix(p, a, unix.FRA_DST, b[1], "dst", " to ")
	if b[3] != 0 {
		p.str("tos", " tos %s", s.dsName(b[3]))
	}
	mark, mask := a.U32(unix.FRA_FWMARK), a.U32(unix.FRA_FWMASK)
	if a.Has(unix.FRA_FWMARK) && (mark != 0 || mask != 0) || mask != 0 {
		p.str("fwmark", " fwmark %s", fmt.Sprintf("0x%x", mark))
		if a.Has(unix.FRA_FWMASK) && mask != ^uint32(0) {
			p.str("fwmask", "/%s", fmt.Sprintf("0x%x", mask))
		}
	}
	for _, dev := range []struct {
		typ      int
		key      string
		detached uint32
	}{{unix.FRA_IIFNAME, "iif", ruleIIFDetached}, {unix.FRA_OIFNAME, "oif", ruleOIFDetached}} {
		if a.Has(dev.typ) {
			p.text(" %s ", dev.key)
			p.colored(colorName, dev.key, "%s", a.Str(dev.typ))
			if flags&dev.detached != 0 {
				p.null(dev.key+"_detached", " [detached]")
			}
		}
	}
	if a.U8(unix.FRA_L3MDEV) != 0 {
		p.null("l3mdev", " lookup [l3mdev-table]")
	}
	if r := a.Bytes(unix.FRA_UID_RANGE); len(r) >= 8 {
		num(p, "uid_start", " uidrange %d", native.Uint32(r))
		num(p, "uid_end", "-%d", native.Uint32(r[4:]))
	}
	if a.Has(unix.FRA_IP_PROTO) {
		p.str("ipproto", " ipproto %s", s.ipProtocolName(a.U8(unix.FRA_IP_PROTO)))
	}
	printPorts(p, a.Bytes(unix.FRA_SPORT_RANGE), "sport")
	printPorts(p, a.Bytes(unix.FRA_DPORT_RANGE), "dport")
	if id := a.Bytes(unix.FRA_TUN_ID); len(id) >= 8 {
		num(p, "tun_id", " tun_id %d", binary.BigEndian.Uint64(id))
	}
	s.printRuleAction(p, b, a, flags)
	p.text("\n")
	p.closeObject()
}

func printPorts(p *printer, b []byte, key string) {
	if len(b) < 4 {
		return
	}
	low, high := native.Uint16(b), native.Uint16(b[2:])
	if low == high {
		num(p, key, " "+key+" %d", low)
		return
	}
	num(p, key+"_start", " "+key+" %d", low)
	num(p, key+"_end", "-%d", high)
}

func printRulePrefix(p *printer, a rtnl.Attrs, typ int, bits uint8, key, word string) {
	addr := a.Addr(typ)
	if !addr.IsValid() {
		return
	}
	p.text("%s", word)
	p.colored(colorOfFamily(familyOfAddr(addr)), key, "%s", addr.String())
	if int(bits) != addr.BitLen() {
		num(p, key+"len", "/%d", bits)
	}
}

func (s *session) printRuleAction(p *printer, b []byte, a rtnl.Attrs, flags uint32) {
	if table := ruleTable(b, a); table != 0 && !a.Has(unix.FRA_L3MDEV) {
		p.str("table", " lookup %s", tableName(s, table))
		if n := a.S32(unix.FRA_SUPPRESS_PREFIXLEN); a.Has(unix.FRA_SUPPRESS_PREFIXLEN) && n != -1 {
			num(p, "suppress_prefixlen", " suppress_prefixlength %d", n)
		}
		if n := a.S32(unix.FRA_SUPPRESS_IFGROUP); a.Has(unix.FRA_SUPPRESS_IFGROUP) && n != -1 {
			p.str("suppress_ifgroup", " suppress_ifgroup %s", groupName(s, uint32(n)))
		}
	}
	if a.Has(unix.FRA_FLOW) {
		s.printRuleRealms(p, a.U32(unix.FRA_FLOW))
	}
	switch {
	case b[7] == ruleGoto:
		if a.Has(unix.FRA_GOTO) {
			num(p, "goto", " goto %d", a.U32(unix.FRA_GOTO))
		} else {
			p.str("goto", " goto %s", "none")
		}
		if flags&ruleUnresolved != 0 {
			p.null("unresolved", " [unresolved]")
		}
	case b[7] == ruleNop:
		p.null("nop", " nop")
	case b[7] == ruleNAT:
		p.null("masquerade", " masquerade")
	case b[7] != ruleToTable && s.opt.numeric:
		p.str("action", " %s", strconv.Itoa(int(b[7])))
	case b[7] != ruleToTable && int(b[7]) < len(routeTypes()):
		p.str("action", " %s", routeTypes()[b[7]])
	}
	if proto := a.U8(unix.FRA_PROTOCOL); a.Has(unix.FRA_PROTOCOL) && (proto != 0 && proto != unix.RTPROT_KERNEL || s.opt.details) {
		p.str("protocol", " proto %s", protocolName(s, proto))
	}
}
