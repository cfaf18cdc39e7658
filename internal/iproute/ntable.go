package iproute

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Messages about the tables of neighbours (linux/neighbour.h).
const (
	rtmGetNeightbl = 66
	rtmSetNeightbl = 67

	ndtmsgLen = 4

	ndtaName   = 1
	ndtaConfig = 5
	ndtaParms  = 6
	ndtaStats  = 7
	ndtaGC     = 8

	ndtpaIndex = 1
)

// An ndtaWord is a number of a table or of its parameters: as a word, in JSON, in text.
type ndtaWord struct {
	word, key string
	typ       int
	wide      bool // 64 bits
	newline   bool // ends a line when it is shown
}

// tableNumbers are of the table (NDTA_*), parmNumbers of its parameters (NDTPA_*).
func tableNumbers() []ndtaWord {
	return []ndtaWord{
		{"thresh1", "thresh1", 2, false, false},
		{"thresh2", "thresh2", 3, false, false},
		{"thresh3", "thresh3", 4, false, false},
		{"gc_int", "gc_interval", ndtaGC, true, true},
	}
}

func parmNumbers() []ndtaWord {
	return []ndtaWord{
		{"refcnt", "refcnt", 2, false, false},
		{"reachable", "reachable", 3, true, false},
		{"base_reachable", "base_reachable", 4, true, false},
		{"retrans", "retrans", 5, true, true},
		{"gc_stale", "gc_stale", 6, true, false},
		{"delay_probe", "delay_probe", 7, true, false},
		{"queue", "queue", 8, false, true},
		{"app_probes", "app_probes", 9, false, false},
		{"ucast_probes", "ucast_probes", 10, false, false},
		{"mcast_probes", "mcast_probes", 11, false, true},
		{"anycast_delay", "anycast_delay", 12, true, false},
		{"proxy_delay", "proxy_delay", 13, true, false},
		{"proxy_queue", "proxy_queue", 14, false, false},
		{"locktime", "locktime", 15, true, true},
	}
}

// ntableObject is "ip ntable".
func ntableObject(s *session, w *words) {
	verbs := []verb{
		{"show", ntableShow},
		{"lst", ntableShow},
		{"list", ntableShow},
		{"change", ntableChange},
		{"chg", ntableChange},
		{"help", func(*session, *words) { usageOf(ntableUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("ntable", word)
	}
}

func ntableShow(s *session, w *words) {
	name, index := "", uint32(0)
	for w.more() {
		switch word := w.peek(); word {
		case "dev":
			if w.next() == "none" {
				index = forever
			} else {
				index = s.existing(w.peek())
			}
		case "name":
			name = w.next()
		default:
			invalid("unknown", word)
		}
		w.skip()
	}
	m := rtnl.NewMessage(ndtmsgLen)
	m.Head()[0] = uint8(s.opt.family)
	req, err := m.Request(rtmGetNeightbl, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		if len(msg.Data) < ndtmsgLen || s.opt.family != unix.AF_UNSPEC && int(msg.Data[0]) != s.opt.family {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[ndtmsgLen:])
		of := a.Nested(ndtaParms).U32(ndtpaIndex)
		if name != "" && a.Str(ndtaName) != name || index != 0 && of != index && (index != forever || of != 0) {
			continue
		}
		s.printNtable(p, msg.Data[0], a)
	}
}

func (s *session) printNtable(p *printer, family uint8, a rtnl.Attrs) {
	p.openObject("")
	p.str("family", "%s ", familyName(int(family)))
	p.str("name", "%s ", a.Str(ndtaName))
	p.text("%s", p.nl)
	parms := a.Nested(ndtaParms)
	if index := parms.U32(ndtpaIndex); index != 0 {
		p.text("    dev ")
		p.colored(colorName, "dev", "%s ", s.nameOf(int(index)))
		p.text("%s", p.nl)
	}
	printNumbers(p, a, tableNumbers())
	if b := a.Bytes(ndtaConfig); s.opt.stats > 0 && len(b) >= 32 {
		s.printNtableConfig(p, b)
	}
	if a.Has(ndtaParms) {
		printNumbers(p, parms, parmNumbers())
	}
	if b := a.Bytes(ndtaStats); s.opt.stats > 0 && b != nil {
		printNtableStats(p, b)
	}
	p.text("\n")
	p.closeObject()
}

func printNumbers(p *printer, a rtnl.Attrs, list []ndtaWord) {
	start := true
	for _, n := range list {
		if !a.Has(n.typ) {
			continue
		}
		if start {
			p.text("    ")
			start = false
		}
		v := uint64(a.U32(n.typ))
		if n.wide {
			v = a.U64(n.typ)
		}
		num(p, n.key, n.word+" %d ", v)
		if n.newline {
			p.text("%s", p.nl)
			start = true
		}
	}
}

// printNtableConfig prints struct ndt_config.
func (s *session) printNtableConfig(p *printer, b []byte) {
	when := func(age uint32) string {
		return time.Now().Add(-time.Duration(age) * time.Millisecond).Format("2006-01-02 15:04:05")
	}
	p.text("    config ")
	num(p, "key_length", "key_len %d ", native.Uint16(b))
	num(p, "entry_size", "entry_size %d ", native.Uint16(b[2:]))
	num(p, "entries", "entries %d ", native.Uint32(b[4:]))
	p.text("%s        ", p.nl)
	p.str("last_flush", "last_flush %s ", when(native.Uint32(b[8:])))
	p.str("last_rand", "last_rand %s ", when(native.Uint32(b[12:])))
	p.text("%s        ", p.nl)
	num(p, "hash_rnd", "hash_rnd %d ", native.Uint32(b[16:]))
	if p.isJSON() {
		p.hexa("hash_mask", "", uint64(native.Uint32(b[20:])))
	} else {
		p.text("hash_mask %08x ", native.Uint32(b[20:]))
	}
	num(p, "hash_chain_gc", "hash_chain_gc %d ", native.Uint32(b[24:]))
	num(p, "proxy_qlen", "proxy_qlen %d ", native.Uint32(b[28:]))
	p.text("%s", p.nl)
}

// printNtableStats prints struct ndt_stats.
func printNtableStats(p *printer, b []byte) {
	names := []string{"allocs", "destroys", "hash_grows", "res_failed", "lookups", "hits", "rcv_probes_mcast", "rcv_probes_ucast", "periodic_gc_runs", "forced_gc_runs", "table_fulls"}
	p.text("    stats ")
	for i, name := range names {
		if len(b) < 8*(i+1) {
			break
		}
		num(p, name, name+" %d ", binary.NativeEndian.Uint64(b[8*i:]))
		switch name {
		case "hash_grows", "hits", "rcv_probes_ucast", "forced_gc_runs":
			p.text("%s    ", p.nl)
		}
	}
	p.text("%s", p.nl)
}

func ntableChange(s *session, w *words) {
	m := rtnl.NewMessage(ndtmsgLen)
	parms := rtnl.NewMessage(0)
	name, said := "", false
words:
	for w.more() {
		word := w.peek()
		for _, n := range tableNumbers() {
			if n.word == word {
				said = true
				if n.wide {
					m.U64(uint16(n.typ), wide(w.next(), "\""+word+"\" value is invalid"))
				} else {
					m.U32(uint16(n.typ), u32(w.next(), "\""+word+"\" value is invalid"))
				}
				w.skip()
				continue words
			}
		}
		for _, n := range parmNumbers()[2:] {
			if n.word == word {
				said = true
				if n.wide {
					parms.U64(uint16(n.typ), wide(w.next(), "\""+word+"\" value is invalid"))
				} else {
					parms.U32(uint16(n.typ), u32(w.next(), "\""+word+"\" value is invalid"))
				}
				w.skip()
				continue words
			}
		}
		switch word {
		case "name":
			if next := w.next(); name != "" {
				duplicate("NAME", next)
			}
			name = w.peek()
		case "dev":
			parms.U32(ndtpaIndex, s.device(w.next()))
		default:
			invalid("unknown", word)
		}
		w.skip()
	}
	if name == "" {
		missing("NAME")
	}
	if !said {
		missing("THRESHOLD")
	}
	m.Str(ndtaName, name)
	if b := parms.Patch(0); len(b) > 0 {
		at := m.Begin(ndtaParms)
		m.Raw(b)
		m.End(at)
	}
	m.Head()[0] = uint8(s.opt.family)
	s.do(m.Request(rtmSetNeightbl, 0))
}

func wide(word, what string) uint64 {
	n, ok := parseUint(word, 0, 64)
	if !ok {
		invalid(what, word)
	}
	return n
}
