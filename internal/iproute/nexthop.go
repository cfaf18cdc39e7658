package iproute

import (
	"errors"
	"math"
	"strings"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// Messages about next hops as objects (linux/nexthop.h; Linux 5.3, resilient groups 5.13).
const (
	rtmNewNexthop       = 104
	rtmDelNexthop       = 105
	rtmGetNexthop       = 106
	rtmNewNexthopBucket = 116
	rtmDelNexthopBucket = 117
	rtmGetNexthopBucket = 118

	nhmsgLen = 8

	nhaID        = 1
	nhaGroup     = 2
	nhaGroupType = 3
	nhaBlackhole = 4
	nhaOIF       = 5
	nhaGateway   = 6
	nhaEncapType = 7
	nhaEncap     = 8
	nhaGroups    = 9
	nhaMaster    = 10
	nhaFDB       = 11
	nhaResGroup  = 12
	nhaResBucket = 13

	resBuckets         = 1
	resIdleTimer       = 2
	resUnbalancedTimer = 3
	resUnbalancedTime  = 4

	bucketIndex    = 1
	bucketIdleTime = 2
	bucketNHID     = 3
)

// nexthopObject is "ip nexthop".
func nexthopObject(s *session, w *words) {
	modify := func(typ int, flags netlink.HeaderFlags) func(*session, *words) {
		return func(s *session, w *words) { nexthopModify(s, w, typ, flags) }
	}
	if !w.more() {
		nexthopShow(s, w)
		return
	}
	verbs := []verb{
		{"add", modify(rtmNewNexthop, netlink.Create|netlink.Excl)},
		{"replace", modify(rtmNewNexthop, netlink.Create|netlink.Replace)},
		{"delete", modify(rtmDelNexthop, 0)},
		{"list", nexthopShow},
		{"show", nexthopShow},
		{"lst", nexthopShow},
		{"get", nexthopGet},
		{"flush", nexthopFlush},
		{"bucket", bucketObject},
		{"help", func(*session, *words) { usageOf(nexthopUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("nexthop", word)
	}
}

func nexthopModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	m := rtnl.NewMessage(nhmsgLen)
	family, protocol, nhFlags := s.opt.family, uint8(0), uint32(0)
	inet := func() {
		if family == unix.AF_UNSPEC {
			family = unix.AF_INET
		}
	}
	for w.more() {
		switch word := w.peek(); {
		case word == "id":
			m.U32(nhaID, u32(w.next(), "invalid id value"))
		case word == "dev":
			m.U32(nhaOIF, s.existing(w.next()))
			inet()
		case word == "via":
			next, of := w.next(), family
			if isFamily(next) {
				of, next = familyOf(next), w.next()
			}
			a, of := host(next, of)
			switch {
			case family == unix.AF_UNSPEC:
				family = of
			case family != of:
				die("Error: address family mismatch")
			}
			m.Addr(nhaGateway, a)
		case word == "encap":
			s.parseEncap(w, m, nhaEncap, nhaEncapType)
		case word == "blackhole":
			m.Flag(nhaBlackhole)
			inet()
		case word == "fdb":
			m.Flag(nhaFDB)
		case word == "onlink":
			nhFlags |= unix.RTNH_F_ONLINK
		case word == "group":
			m.Bytes(nhaGroup, nexthopGroup(w.next()))
		case word == "type":
			parseGroupType(m, w)
			continue
		case matches(word, "protocol"):
			protocol = protocolWord(s, w.next())
		case word == "help":
			usageOf(nexthopUsage)
		default:
			invalid("", word)
		}
		w.skip()
	}
	head := m.Head()
	head[0], head[2] = uint8(family), protocol
	native.PutUint32(head[4:], nhFlags)
	s.doEcho(m.Request(typ, flags))
}

// existing finds a link that must exist; else the word is wrong.
func (s *session) existing(name string) uint32 {
	index := s.indexOf(name)
	if index == 0 {
		invalid("Device does not exist\n", name)
	}
	return uint32(index)
}

func isFamily(word string) bool {
	switch word {
	case "inet", "inet6", "link", "mpls", "bridge":
		return true
	}
	return false
}

// nexthopGroup reads "1/2,5/3": ids with weights, as struct nexthop_grp.
func nexthopGroup(word string) []byte {
	var b []byte
	for item := range strings.SplitSeq(word, "/") {
		id, weight, weighted := strings.Cut(item, ",")
		n, ok := parseUint(id, 0, 32)
		v := uint64(1)
		if weighted {
			var good bool
			v, good = parseUint(weight, 0, 8)
			ok = ok && good && v > 0
		}
		if !ok {
			invalid("\"group\" value is invalid\n", word)
		}
		b = native.AppendUint32(b, uint32(n))
		b = append(b, byte(v-1), 0, 0, 0)
	}
	return b
}

// parseGroupType reads "type mpath" or "type resilient ...".
func parseGroupType(m *rtnl.Message, w *words) {
	switch word := w.next(); word {
	case "mpath":
		m.U16(nhaGroupType, 0)
		w.skip()
		return
	case "resilient":
		m.U16(nhaGroupType, 1)
	default:
		invalid("\"type\" value is invalid\n", word)
	}
	w.skip()
	if !w.more() {
		return
	}
	at := m.Begin(nhaResGroup)
	for ; w.more(); w.skip() {
		const ticks = 100 // of a second
		switch w.peek() {
		case "buckets":
			m.U16(resBuckets, u16(w.next(), "invalid buckets value"))
			continue
		case "idle_timer":
			m.U32(resIdleTimer, ticks*wholeSeconds(w.next(), "invalid idle timer value"))
			continue
		case "unbalanced_timer":
			m.U32(resUnbalancedTimer, ticks*wholeSeconds(w.next(), "invalid unbalanced timer value"))
			continue
		}
		break
	}
	m.End(at)
}

// wholeSeconds reads a time whose hundredths fit 32 bits.
func wholeSeconds(word, what string) uint32 {
	n := u32(word, what)
	if n >= math.MaxUint32/100 {
		invalid(what, word)
	}
	return n
}

// A nexthopFilter is what is to be shown or flushed.
type nexthopFilter struct {
	oif, master, id uint32
	groups, fdb     bool
	protocol        uint32
	hasID           bool
}

func (s *session) nexthopFilter(w *words) *nexthopFilter {
	f := &nexthopFilter{}
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "dev"):
			f.oif = s.existing(w.next())
		case matches(word, "groups"):
			f.groups = true
		case matches(word, "master"):
			f.master = s.existing(w.next())
		case matches(word, "vrf"):
			f.master = s.domain(w.next(), "Invalid VRF\n")
		case word == "id":
			f.id, f.hasID = u32(w.next(), "invalid id value"), true
		case matches(word, "protocol"):
			f.protocol = u32(w.next(), "invalid protocol value")
		case matches(word, "fdb"):
			f.fdb = true
		case matches(word, "help"):
			usageOf(nexthopUsage)
		default:
			invalid("", word)
		}
		w.skip()
	}
	return f
}

func (s *session) nexthops(f *nexthopFilter) []netlink.Message {
	m := rtnl.NewMessage(nhmsgLen)
	m.Head()[0] = uint8(s.opt.family)
	if f.oif != 0 {
		m.U32(nhaOIF, f.oif)
	}
	if f.groups {
		m.Flag(nhaGroups)
	}
	if f.master != 0 {
		m.U32(nhaMaster, f.master)
	}
	if f.fdb {
		m.Flag(nhaFDB)
	}
	req, err := m.Request(rtmGetNexthop, 0)
	if err != nil {
		die("%v", err)
	}
	list, err := s.kernel().Dump(s.ctx, req)
	if err != nil && len(list) == 0 {
		s.cut = true
		fail(exitKernel, "%s\nDump terminated", kernelText(err))
	}
	var out []netlink.Message
	for _, msg := range list {
		if len(msg.Data) >= nhmsgLen && (f.protocol == 0 || uint32(msg.Data[2]) == f.protocol) {
			out = append(out, msg)
		}
	}
	return out
}

func nexthopShow(s *session, w *words) {
	f := s.nexthopFilter(w)
	if f.hasID {
		s.nexthopByID(f.id)
		return
	}
	p := s.out()
	for _, msg := range s.nexthops(f) {
		p.openObject("")
		s.printNexthopObject(p, msg.Data)
		p.text("\n")
		p.closeObject()
	}
}

func nexthopGet(s *session, w *words) {
	id, ok := uint32(0), false
	for w.more() {
		if w.peek() != "id" {
			usageOf(nexthopUsage)
		}
		id, ok = u32(w.next(), "invalid id value"), true
		w.skip()
	}
	if !ok {
		usageOf(nexthopUsage)
	}
	s.nexthopByID(id)
}

// askNexthop asks for one.
func (s *session) askNexthop(id uint32) ([]netlink.Message, error) {
	m := rtnl.NewMessage(nhmsgLen)
	m.U32(nhaID, id)
	req, err := m.Request(rtmGetNexthop, 0)
	if err != nil {
		die("%v", err)
	}
	return s.ask(req)
}

func (s *session) nexthopByID(id uint32) {
	msgs, err := s.askNexthop(id)
	refused(err)
	p := s.out()
	for _, msg := range msgs {
		p.openObject("")
		s.printNexthopObject(p, msg.Data)
		p.text("\n")
		p.closeObject()
	}
}

// nexthopFlush deletes what the filter lets through, and says how many there were.
func nexthopFlush(s *session, w *words) {
	f := s.nexthopFilter(w)
	var reqs []nl.Request
	one := func(id uint32) {
		m := rtnl.NewMessage(nhmsgLen)
		m.U32(nhaID, id)
		req, err := m.Request(rtmDelNexthop, 0)
		if err != nil {
			die("%v", err)
		}
		reqs = append(reqs, req)
	}
	if f.hasID {
		one(f.id)
	} else {
		for _, msg := range s.nexthops(f) {
			one(rtnl.ParseAttrs(msg.Data[nhmsgLen:]).U32(nhaID))
		}
	}
	errs := s.kernel().Batch(reqs)
	if f.hasID {
		if errs[0] != nil {
			fail(exitFailed, "%s", kernelText(errs[0]))
		}
		return
	}
	// Of a dump no error is a failure: a group went with its last member.
	n := 0
	for _, err := range errs {
		if err == nil || errors.Is(err, unix.ENOENT) {
			n++
		} else {
			s.hint(kernelText(err))
		}
	}
	if n > 0 {
		s.out().text("Flushed %d nexthops\n", n)
	} else {
		s.out().text("Nothing to flush\n")
	}
}
