package live

import (
	"net/netip"
	"time"
)

// What tests of the pure parts need.
type (
	Traced = traced
	Record = record
	Tuple  = tuple
)

var (
	DecodeTrace  = decodeTrace
	DecodeRecord = decodeRecord
	ErrTrace     = errTrace
	VerdictWord  = verdictWord
)

const (
	MsgTrace = msgTrace
	Kind     = kindReceived
)

// TraceOf is a message of a trace.
func TraceOf(family uint8, table, chain string, handle uint64, typ uint32, verdict int32, target string, id, iif, oif uint32, packet []byte) Traced {
	return traced{family, table, chain, handle, typ, verdict, target, id, iif, oif, packet}
}

// Fields are those of a message.
func (t traced) Fields() (family uint8, table, chain string, handle uint64, typ uint32, verdict int32, target string, id, iif, oif uint32, packet []byte) {
	return t.family, t.table, t.chain, t.handle, t.typ, t.verdict, t.target, t.id, t.iif, t.oif, t.packet
}

// TupleOf is a flow.
func TupleOf(proto uint8, src, dst netip.AddrPort) Tuple { return tuple{proto, src, dst} }

// Parse reads a packet.
func Parse(b []byte) (flow Tuple, quoted *Tuple, length int, ok bool) {
	p, ok := parse(b)
	return p.tuple, p.quoted, p.length, ok
}

// Parts are those of a flow.
func (t tuple) Parts() (uint8, netip.AddrPort, netip.AddrPort) { return t.proto, t.src, t.dst }

// RecordOf is a sighting.
func RecordOf(at time.Duration, skb uint64, kind int, reason uint32, cookie uint64, link string, packet []byte) Record {
	return record{at: at, skb: skb, kind: kind, reason: reason, cookie: cookie, link: link, packet: packet}
}

// Assemble turns sightings and messages into events.
func Assemble(flow Tuple, table string, records []Record, traces map[string][]Traced, reasons map[uint32]string) []Event {
	a := newAssembly([]tuple{flow}, table)
	a.reason = func(n uint32) string { return reasons[n] }
	name := func(cookie uint64) string { return string(rune('a' + cookie)) }
	a.records(records, 0, name)
	for _, ns := range []string{"a", "b", "c"} {
		a.trace(ns, traces[ns], func(i uint32) string {
			if i == 0 {
				return ""
			}
			return string(rune('v' + i))
		})
	}
	return a.events
}
