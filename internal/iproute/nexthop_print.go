package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// printNexthopObject prints a next hop that is an object, without the end of its line.
func (s *session) printNexthopObject(p *printer, data []byte) {
	if len(data) < nhmsgLen {
		return
	}
	scope, protocol, flags := data[1], data[2], native.Uint32(data[4:])
	a := rtnl.ParseAttrs(data[nhmsgLen:])
	s.printDeleted(p)
	if a.Has(nhaID) {
		num(p, "id", "id %d ", a.U32(nhaID))
	}
	if b := a.Bytes(nhaGroup); b != nil {
		printNexthopGroup(p, b)
	}
	if a.U16(nhaGroupType) != 0 {
		words := []string{"mpath", "resilient"}
		word := "unknown"
		if t := int(a.U16(nhaGroupType)); t < len(words) {
			word = words[t]
		}
		p.str("type", "type %s ", word)
	}
	if a.Has(nhaResGroup) {
		printResGroup(p, a.Nested(nhaResGroup))
	}
	if a.Has(nhaEncap) {
		s.printEncap(p, a.U16(nhaEncapType), a.Bytes(nhaEncap))
	}
	if a.Has(nhaGateway) {
		gateway := a.Addr(nhaGateway)
		p.text("via ")
		p.colored(colorOfFamily(familyOfAddr(gateway)), "gateway", "%s ", s.host(gateway))
	}
	if a.Has(nhaOIF) {
		p.text("dev ")
		p.colored(colorName, "dev", "%s ", s.nameOf(int(a.U32(nhaOIF))))
	}
	if scope != unix.RT_SCOPE_UNIVERSE || s.opt.details {
		p.str("scope", "scope %s ", scopeName(s, scope))
	}
	if a.Has(nhaBlackhole) {
		p.null("blackhole", "blackhole ")
	}
	if protocol != unix.RTPROT_UNSPEC || s.opt.details {
		p.str("protocol", "proto %s ", protocolName(s, protocol))
	}
	printRouteFlags(p, flags)
	if a.Has(nhaFDB) {
		p.null("fdb", "fdb")
	}
}

func printNexthopGroup(p *printer, b []byte) {
	const size = 8 // struct nexthop_grp
	p.openArray("group", "group ")
	for i := 0; i+size <= len(b); i += size {
		p.openObject("")
		if i > 0 {
			p.text("/")
		}
		num(p, "id", "%d", native.Uint32(b[i:]))
		if weight := b[i+4]; weight != 0 {
			num(p, "weight", ",%d", int(weight)+1)
		}
		p.closeObject()
	}
	p.closeArray(" ")
}

// seconds is hundredths of a second as C's %g writes them.
func seconds(hundredths uint64) string {
	return strconv.FormatFloat(float64(hundredths)/100, 'g', 6, 64)
}

// float writes a number with a fraction.
func (p *printer) float(key, format, v string) {
	if p.js == nil {
		p.format(format, v)
		return
	}
	p.js.name(key)
	p.js.raw("%s", v)
}

func printResGroup(p *printer, a rtnl.Attrs) {
	p.openObject("resilient_args")
	if a.Has(resBuckets) {
		num(p, "buckets", "buckets %d ", a.U16(resBuckets))
	}
	if a.Has(resIdleTimer) {
		p.float("idle_timer", "idle_timer %s ", seconds(uint64(a.U32(resIdleTimer))))
	}
	if a.Has(resUnbalancedTimer) {
		p.float("unbalanced_timer", "unbalanced_timer %s ", seconds(uint64(a.U32(resUnbalancedTimer))))
	}
	if a.Has(resUnbalancedTime) {
		p.float("unbalanced_time", "unbalanced_time %s ", seconds(a.U64(resUnbalancedTime)))
	}
	p.closeObject()
}

// bucketObject is "ip nexthop bucket".
func bucketObject(s *session, w *words) {
	verbs := []verb{
		{"list", bucketShow},
		{"show", bucketShow},
		{"lst", bucketShow},
		{"get", bucketGet},
		{"help", func(*session, *words) { usageOf(nexthopUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("nexthop", word)
	}
}

func bucketShow(s *session, w *words) {
	m := rtnl.NewMessage(nhmsgLen)
	m.Head()[0] = uint8(s.opt.family)
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "dev"):
			m.U32(nhaOIF, s.existing(w.next()))
		case matches(word, "master"):
			m.U32(nhaMaster, s.existing(w.next()))
		case matches(word, "vrf"):
			m.U32(nhaMaster, s.domain(w.next(), "Invalid VRF\n"))
		case word == "id":
			m.U32(nhaID, u32(w.next(), "invalid id value"))
		case word == "nhid":
			at := m.Begin(nhaResBucket)
			m.U32(bucketNHID, u32(w.next(), "invalid id value"))
			m.End(at)
		case matches(word, "help"):
			usageOf(nexthopUsage)
		default:
			invalid("", word)
		}
		w.skip()
	}
	req, err := m.Request(rtmGetNexthopBucket, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.kernel().Dump(s.ctx, req)
	if err != nil && len(msgs) == 0 {
		s.cut = true
		fail(exitKernel, "%s\nDump terminated", kernelText(err))
	}
	p := s.out()
	for _, msg := range msgs {
		s.printBucket(p, msg.Data)
	}
}

func bucketGet(s *session, w *words) {
	m := rtnl.NewMessage(nhmsgLen)
	hasID, hasIndex := false, false
	var index uint16
	for w.more() {
		switch w.peek() {
		case "id":
			id := u32(w.next(), "invalid id value")
			m.U32(nhaID, id)
			hasID = id != 0
		case "index":
			index, hasIndex = u16(w.next(), "invalid bucket index value"), true
		default:
			usageOf(nexthopUsage)
		}
		w.skip()
	}
	if !hasID || !hasIndex { // 0 is as good as not said
		usageOf(nexthopUsage)
	}
	at := m.Begin(nhaResBucket)
	m.U16(bucketIndex, index)
	m.End(at)
	req, err := m.Request(rtmGetNexthopBucket, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.ask(req)
	refused(err)
	p := s.out()
	for _, msg := range msgs {
		s.printBucket(p, msg.Data)
	}
}

func (s *session) printBucket(p *printer, data []byte) {
	if len(data) < nhmsgLen {
		return
	}
	a := rtnl.ParseAttrs(data[nhmsgLen:])
	p.openObject("")
	s.printDeleted(p)
	if a.Has(nhaID) {
		num(p, "id", "id %d ", a.U32(nhaID))
	}
	if b := a.Nested(nhaResBucket); a.Has(nhaResBucket) {
		p.openObject("bucket")
		if b.Has(bucketIndex) {
			num(p, "index", "index %d ", b.U16(bucketIndex))
		}
		if b.Has(bucketIdleTime) {
			p.float("idle_time", "idle_time %s ", seconds(b.U64(bucketIdleTime)))
		}
		if b.Has(bucketNHID) {
			num(p, "nhid", "nhid %d ", b.U32(bucketNHID))
		}
		p.closeObject()
	}
	printRouteFlags(p, native.Uint32(data[4:]))
	p.text("\n")
	p.closeObject()
}
