package iproute

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// A ruleFilter is what is to be shown, saved or flushed.
type ruleFilter struct {
	not               bool
	table, pref, mark int64 // -1 = any
	mask, protocol    int64
	tos               int
	from, to          prefixWord
	iif, oif          string
	l3mdev            bool
	uids              []byte
	ipproto           int
	sport, dport      []byte
	tunID             *uint64
}

func (s *session) ruleFilter(w *words) *ruleFilter {
	f := &ruleFilter{table: -1, pref: -1, mark: -1, mask: -1, protocol: -1, tos: -1, ipproto: -1}
	family := s.opt.family
	if family == unix.AF_UNSPEC {
		family = unix.AF_INET
	}
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "preference"), matches(word, "order"), matches(word, "priority"):
			f.pref = int64(u32(w.next(), "preference value is invalid\n"))
		case word == "not":
			f.not = true
		case word == "tos", matches(word, "dsfield"):
			f.tos = int(s.dsWord(w.next(), "TOS value is invalid\n"))
		case word == "fwmark":
			mark, mask, cut := strings.Cut(w.next(), "/")
			f.mark = int64(u32(mark, "fwmark value is invalid\n"))
			if cut {
				f.mask = int64(u32(mask, "mask value is invalid\n"))
			}
		case word == "dev", word == "iif":
			f.iif = w.next()
		case word == "oif":
			f.oif = w.next()
		case word == "l3mdev":
			f.l3mdev = true
		case word == "uidrange":
			low, high, cut := strings.Cut(w.next(), "-")
			if !cut {
				invalid("invalid UID range\n", w.peek())
			}
			f.uids = native.AppendUint32(native.AppendUint32(nil, u32(low, "invalid UID range\n")), u32(high, "invalid UID range\n"))
		case matches(word, "tun_id"):
			n, ok := parseUint(w.next(), 0, 64)
			if !ok {
				invalid("\"tun_id\" value is invalid\n", w.peek())
			}
			f.tunID = &n
		case matches(word, "lookup"), matches(word, "table"):
			f.table = int64(tableWord(s, w.next()))
		case matches(word, "from"), matches(word, "src"):
			if matches(word, "src") && !matches(word, "from") && word == "s" {
				invalid("argument", word)
			}
			f.from = prefix(w.next(), family)
		case matches(word, "protocol"):
			f.protocol = int64(protocolWord(s, w.next()))
		case word == "ipproto":
			f.ipproto = int(s.ipProtocol(w.next(), "Invalid \"ipproto\" value\n"))
		case word == "sport":
			f.sport = ports(w.next())
		case word == "dport":
			f.dport = ports(w.next())
		default:
			if matches(word, "dst") || matches(word, "to") {
				word = w.next()
			}
			f.to = prefix(word, family)
		}
		w.skip()
	}
	return f
}

// portRange reads one port, or two with "-" between them, as C's "%hu-%hu" does: what follows the numbers is not looked at, and
// a number that is too large loses its upper bits.
func portRange(word string) (low, high uint16) {
	low, rest, ok := leadingShort(word)
	if !ok {
		invalid("invalid port range\n", word)
	}
	if rest, cut := strings.CutPrefix(rest, "-"); cut {
		if high, _, ok := leadingShort(rest); ok {
			return low, high
		}
	}
	return low, low
}

// leadingShort takes a number of 16 bits from the beginning of a word.
func leadingShort(word string) (n uint16, rest string, ok bool) {
	digits := strings.TrimLeft(word, " \t")
	sign := ""
	if digits != "" && strings.ContainsRune("+-", rune(digits[0])) {
		sign, digits = digits[:1], digits[1:]
	}
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	if end == 0 {
		return 0, word, false
	}
	v, err := strconv.ParseUint(digits[:end], 10, 64)
	switch {
	case err != nil: // all ones, whatever the sign
	case sign == "-":
		v = -v
	}
	return uint16(v), digits[end:], true
}

// ports is a range to compare a rule's with; nil for 0, which stands for none.
func ports(word string) []byte {
	low, high := portRange(word)
	if low == 0 {
		return nil
	}
	return native.AppendUint16(native.AppendUint16(nil, low), high)
}

func (f *ruleFilter) lets(b []byte, a rtnl.Attrs) bool {
	switch {
	case f.pref >= 0 && f.pref != int64(a.U32(unix.FRA_PRIORITY)),
		f.not && native.Uint32(b[8:])&ruleInvert == 0,
		f.tos >= 0 && int(b[3]) != f.tos,
		f.mark >= 0 && int64(a.U32(unix.FRA_FWMARK)) != f.mark,
		f.mask >= 0 && int64(a.U32(unix.FRA_FWMASK)) != f.mask,
		f.iif != "" && a.Str(unix.FRA_IIFNAME) != f.iif,
		f.oif != "" && a.Str(unix.FRA_OIFNAME) != f.oif,
		f.l3mdev && a.U8(unix.FRA_L3MDEV) == 0,
		f.uids != nil && string(a.Bytes(unix.FRA_UID_RANGE)) != string(f.uids),
		f.tunID != nil && (len(a.Bytes(unix.FRA_TUN_ID)) < 8 || binary.BigEndian.Uint64(a.Bytes(unix.FRA_TUN_ID)) != *f.tunID),
		f.ipproto >= 0 && int(a.U8(unix.FRA_IP_PROTO)) != f.ipproto,
		f.sport != nil && string(a.Bytes(unix.FRA_SPORT_RANGE)) != string(f.sport),
		f.dport != nil && string(a.Bytes(unix.FRA_DPORT_RANGE)) != string(f.dport),
		f.table >= 0 && int64(ruleTable(b, a)) != f.table:
		return false
	}
	return ruleCovers(f.from, a.Addr(unix.FRA_SRC), b[2]) && ruleCovers(f.to, a.Addr(unix.FRA_DST), b[1])
}

// ruleCovers reports whether a rule's prefix is within one that is looked for; all of them are within 0/0, also of rules that have none.
func ruleCovers(p prefixWord, a netip.Addr, bits uint8) bool {
	if !p.addr.IsValid() || p.bits == 0 {
		return true
	}
	return int(bits) >= p.bits && a.IsValid() && netip.PrefixFrom(p.addr, p.bits).Contains(a)
}

// ruleFlush deletes all rules but the one that looks local addresses up.
func ruleFlush(s *session, w *words) {
	f := &ruleFilter{table: -1, pref: -1, mark: -1, mask: -1, protocol: -1, tos: -1, ipproto: -1}
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "protocol"):
			f.protocol = int64(protocolWord(s, w.next()))
		default:
			f = s.ruleFilter(w)
			continue
		}
		w.skip()
	}
	for _, m := range s.ruleMessages(s.ruleFamily()) {
		a := rtnl.ParseAttrs(m.Data[rtnl.FibRuleLen:])
		if !a.Has(unix.FRA_PRIORITY) || a.U32(unix.FRA_PRIORITY) == 0 || !f.lets(m.Data, a) || f.protocol >= 0 && int64(a.U8(unix.FRA_PROTOCOL)) != f.protocol {
			continue
		}
		if err := s.kernel().Batch([]nl.Request{{Type: netlink.HeaderType(unix.RTM_DELRULE), Data: m.Data}})[0]; err != nil {
			fail(exitUsage, "%s\nDump terminated", kernelText(err))
		}
	}
}

// printRuleRealms prints FRA_FLOW.
func (s *session) printRuleRealms(p *printer, v uint32) {
	from, to := v>>16, v&0xffff
	if from != 0 {
		p.str("flow_from", " realms %s/", s.realmName(from))
		p.str("flow_to", "%s", s.realmName(to))
		return
	}
	p.str("flow_to", " realms %s", s.realmName(to))
}
