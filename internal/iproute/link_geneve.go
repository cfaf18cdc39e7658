package iproute

import (
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Attributes of geneve's tunnels (IFLA_GENEVE_*, linux/if_link.h; RFC 8926).
const (
	geneveID         = 1
	geneveRemote     = 2
	geneveTTL        = 3
	geneveTOS        = 4
	genevePort       = 5
	geneveMetadata   = 6
	geneveRemote6    = 7
	geneveCsum       = 8
	geneveZeroTX     = 9
	geneveZeroRX     = 10
	geneveLabel      = 11
	geneveTTLInherit = 12
	geneveDF         = 13
	geneveInner      = 14
)

func geneveDFs() []string { return []string{"unset", "set", "inherit"} }

// A geneveWords is what the words of a geneve tunnel said so far.
type geneveWords struct {
	r        *linkRequest
	said     uint32 // bits of the attributes
	remote   netip.Addr
	id       uint32
	label    uint32
	ttl, tos uint8
	port     uint16
	external bool
	inner    bool
	csums    [3]uint8
}

func (g *geneveWords) once(typ int, key, word string) {
	if g.said&(1<<typ) != 0 {
		garbage(key, word)
	}
	g.said |= 1 << typ
}

func (r *linkRequest) parseGeneve(w *words) {
	g := &geneveWords{r: r}
	for ; w.more(); w.skip() {
		if !g.value(w) && !g.flag(w) {
			r.unknownOption("geneve", w)
		}
	}
	switch hasID := g.said&(1<<geneveID) != 0; {
	case g.external && hasID:
		fail(exitFailed, "geneve: both 'external' and vni cannot be specified")
	case !g.external && !hasID:
		fail(exitFailed, "geneve: missing virtual network identifier")
	case !g.external && !r.set && !g.remote.IsValid():
		fail(exitFailed, "geneve: remote link partner not specified")
	}
	g.write()
}

func (g *geneveWords) value(w *words) bool {
	key := w.peek()
	switch {
	case matches(key, "id"), matches(key, "vni"):
		g.once(geneveID, "id", w.next())
		if g.id = u32(w.peek(), "invalid id"); g.id >= 1<<24 {
			invalid("invalid id", w.peek())
		}
	case matches(key, "remote"):
		g.once(geneveRemote, "remote", w.next())
		if g.remote = address(w.peek(), unix.AF_UNSPEC); !g.remote.IsValid() || g.remote.IsMulticast() {
			invalid("invalid remote address", w.peek())
		}
	case matches(key, "ttl"), matches(key, "hoplimit"):
		g.once(geneveTTL, "ttl", w.next())
		switch w.peek() {
		case "inherit":
			g.r.m.U8(geneveTTLInherit, 1)
		case "auto":
		default:
			n := u32(w.peek(), "invalid TTL")
			if n > 255 {
				invalid("TTL must be <= 255", w.peek())
			}
			g.ttl = uint8(n)
		}
	case matches(key, "tos"), matches(key, "dsfield"):
		g.once(geneveTOS, "tos", w.next())
		if g.tos = 1; w.peek() != "inherit" {
			g.tos = g.r.s.dsWord(w.peek(), "bad TOS value")
		}
	case matches(key, "df"):
		g.once(geneveDF, "df", w.next())
		i := slices.Index(geneveDFs(), w.peek())
		if i < 0 {
			invalid("DF must be 'unset', 'set' or 'inherit'", w.peek())
		}
		g.r.m.U8(geneveDF, uint8(i))
	case matches(key, "label"), matches(key, "flowlabel"):
		g.once(geneveLabel, "flowlabel", w.next())
		if g.label = u32(w.peek(), "invalid flowlabel"); g.label >= 1<<20 {
			invalid("invalid flowlabel", w.peek())
		}
	case matches(key, "dstport"):
		g.once(genevePort, "dstport", w.next())
		g.port = u16(w.peek(), "dstport")
	default:
		return false
	}
	return true
}

func (g *geneveWords) flag(w *words) bool {
	word := w.peek()
	for i, name := range []string{"external", "udpcsum", "udp6zerocsumtx", "udp6zerocsumrx"} {
		on := matches(word, name)
		if !on && !matches(word, "no"+name) {
			continue
		}
		if i == 0 {
			g.once(geneveMetadata, word, word)
			g.external = on
		} else {
			g.once(geneveCsum+i-1, word, word)
			g.csums[i-1] = map[bool]uint8{true: 1}[on]
		}
		return true
	}
	if word == "innerprotoinherit" {
		g.once(geneveInner, word, word)
		g.inner = true
		return true
	}
	return false
}

func (g *geneveWords) write() {
	m := g.r.m
	m.U32(geneveID, g.id)
	switch {
	case g.remote.Is4():
		m.Addr(geneveRemote, g.remote)
	case g.remote.IsValid():
		m.Addr(geneveRemote6, g.remote)
	}
	wanted := func(typ int) bool { return !g.r.set || g.said&(1<<typ) != 0 }
	if wanted(geneveLabel) {
		m.BE32(geneveLabel, g.label)
	}
	if wanted(geneveTTL) {
		m.U8(geneveTTL, g.ttl)
	}
	if wanted(geneveTOS) {
		m.U8(geneveTOS, g.tos)
	}
	if g.port != 0 {
		m.BE16(genevePort, g.port)
	}
	if g.external {
		m.Flag(geneveMetadata)
	}
	if g.inner {
		m.Flag(geneveInner)
	}
	for i, v := range g.csums {
		if typ := geneveCsum + i; g.said&(1<<typ) != 0 {
			m.U8(uint16(typ), v)
		}
	}
}

func printGeneve(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(geneveMetadata) {
		p.is("external", "external ")
	}
	printFields(p, a, []field{{geneveID, 4, "id", "id %d "}})
	if a.Has(geneveRemote) {
		if addr := a.Addr(geneveRemote); !addr.IsUnspecified() {
			p.str("remote", "remote %s ", addr.String())
		}
	} else if addr := a.Addr(geneveRemote6); addr.IsValid() && !addr.IsUnspecified() && !addr.IsMulticast() {
		p.str("remote6", "remote %s ", addr.String())
	}
	if a.U8(geneveTTLInherit) != 0 {
		p.text("ttl inherit ")
	} else if a.Has(geneveTTL) {
		printOrWord(p, "ttl", a.U8(geneveTTL), "auto")
	}
	printTOS(p, a.U8(geneveTOS))
	if df := int(a.U8(geneveDF)); a.Has(geneveDF) && df < 3 && (df != 0 || p.isJSON()) {
		p.str("df", "df %s ", geneveDFs()[df])
	}
	if label := a.BE32(geneveLabel); label != 0 {
		p.hexa("label", "flowlabel %#x ", uint64(label))
	}
	if a.Has(genevePort) {
		num(p, "port", "dstport %d ", a.BE16(genevePort))
	}
	for i, f := range [][2]string{{"udp_csum", "udpcsum "}, {"udp_zero_csum6_tx", "udp6zerocsumtx "}, {"udp_zero_csum6_rx", "udp6zerocsumrx "}} {
		if typ := geneveCsum + i; a.Has(typ) {
			on := a.U8(typ) != 0
			p.boolean(f[0], map[bool]string{false: "no"}[on]+f[1], on)
		}
	}
	if a.Has(geneveInner) {
		p.is("inner_proto_inherit", "innerprotoinherit ")
	}
}

// printOrWord prints how far packets go, where it is 0 in text a word.
func printOrWord(p *printer, word string, v uint8, zero string) {
	if v != 0 || p.isJSON() {
		num(p, "ttl", word+" %d ", v)
		return
	}
	p.text("%s %s ", word, zero)
}

// printTOS prints the type of service of what carries a tunnel; 1 is that of what is carried.
func printTOS(p *printer, tos uint8) {
	switch {
	case tos == 0:
	case tos != 1 || p.isJSON():
		p.hexa("tos", "tos %#x ", uint64(tos))
	default:
		fmt.Fprint(&p.b, "tos inherit ")
	}
}
