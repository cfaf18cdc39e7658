package iproute

import (
	"strconv"
	"strings"

	"warren/internal/rtnl"
)

// Attributes of a link that wraps packets in UDP without a header of its own (linux/if_link.h, IFLA_BAREUDP_*).
const (
	bareudpPort       = 1
	bareudpEthertype  = 2
	bareudpSrcportMin = 3
	bareudpMultiproto = 4
)

func (r *linkRequest) parseBareudp(w *words) {
	seen := map[string]bool{}
	once := func(key string) {
		if seen[key] {
			garbage(key, w.peek())
		}
		seen[key] = true
	}
	multiproto := false
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "dstport"):
			w.next()
			once("dstport")
			r.m.BE16(bareudpPort, u16(w.peek(), "dstport"))
		case matches(word, "ethertype"):
			w.next()
			once("ethertype")
			r.m.BE16(bareudpEthertype, etherType(w.peek()))
		case matches(word, "srcportmin"):
			w.next()
			once("srcportmin")
			r.m.U16(bareudpSrcportMin, u16(w.peek(), "srcportmin"))
		case matches(word, "multiproto"), matches(word, "nomultiproto"):
			if seen["multiproto"] {
				garbage(word, word)
			}
			seen["multiproto"], multiproto = true, matches(word, "multiproto")
		default:
			r.unknownOption(r.kind, w)
		}
		w.skip()
	}
	for _, key := range []string{"dstport", "ethertype"} {
		if !seen[key] {
			missing(key)
		}
	}
	if multiproto {
		r.m.Flag(bareudpMultiproto)
	}
}

// etherType reads what a frame carries, by name or number; "ipv4" is the other name of "ip" there.
func etherType(word string) uint16 {
	if strings.EqualFold(word, "ipv4") {
		word = "ip"
	}
	n, ok := etherTypeWord(word)
	if !ok {
		invalid("ethertype", word)
	}
	return n
}

func printBareudp(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(bareudpPort) {
		num(p, "dstport", "dstport %d ", a.BE16(bareudpPort))
	}
	if a.Has(bareudpEthertype) {
		v := a.BE16(bareudpEthertype)
		name, ok := etherTypes()[v]
		if !ok {
			name = "[" + strconv.Itoa(int(v)) + "]"
		}
		p.str("ethertype", "ethertype %s ", name)
	}
	if a.Has(bareudpSrcportMin) {
		num(p, "srcportmin", "srcportmin %d ", a.U16(bareudpSrcportMin))
	}
	if a.Has(bareudpMultiproto) {
		p.boolean("multiproto", "multiproto ", true)
	} else {
		p.boolean("multiproto", "nomultiproto ", false)
	}
}

// parseXfrmKind reads the options of a link that is the one end of protected connections (IFLA_XFRM_*).
func (r *linkRequest) parseXfrmKind(w *words) {
	const linkAttr, idAttr, metadataAttr = 1, 2, 3
	link, id, external := uint32(0), uint32(0), false
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case matches(word, "dev"):
			link = r.s.lower(w.next())
		case matches(word, "if_id"):
			if id = u32(w.next(), "if_id value is invalid"); id == 0 {
				invalid("if_id value is invalid", w.peek())
			}
			r.m.U32(idAttr, id)
		case word == "external":
			external = true
		default:
			r.unknownOption(r.kind, w)
		}
	}
	switch {
	case external && (id != 0 || link != 0):
		fail(exitFailed, "xfrmi: both 'external' and if_id/link cannot be specified")
	case external:
		r.m.Flag(metadataAttr)
	case id == 0:
		missing("IF_ID")
	case link != 0:
		r.m.U32(linkAttr, link)
	}
}

func printXfrmKind(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(3) {
		p.is("external", "external ")
	}
	if a.Has(2) {
		p.hexa("if_id", "if_id %#x ", uint64(a.U32(2)))
	}
}
